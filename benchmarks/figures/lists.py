"""Pages of lists over 100 000 runs and 1 000 000 tasks, by every filter: how long one takes, and the longest script."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeAlias

import httpx2

from benchmarks.client import Client
from benchmarks.figure import Figure, Must
from benchmarks.filling import RARE, Filled, Filler
from benchmarks.scripts import ScriptTimes
from benchmarks.served import served
from benchmarks.server import Server
from benchmarks.stack import Stack
from taskengine import BlockingTaskAPI

#: Pages followed of one list: from there on they are alike.
_PAGES = 40
_LIMIT = 50
_MUST = Must("value", "<=", 100)

#: From a cursor to how many are on the page, and the next cursor.
Ask: TypeAlias = Callable[[str | None], tuple[int, str | None]]
Way: TypeAlias = Callable[[str, Mapping[str, Any]], Ask]


def measure(stack: Stack) -> Iterator[Figure]:
    """Each list page by page, over HTTP and through the client, on a server of its own that holds nothing else."""
    server = Server(stack.options.server)
    client = Client(server.url, server.client)
    try:
        filled = Filler(client).fill(stack.size(100_000, 400), stack.size(200, 5))
        yield from _measured(stack, server, client, filled)
    finally:
        client.close()
        server.close()


def _measured(stack: Stack, server: Server, client: Client, filled: Filled) -> Iterator[Figure]:
    about = stack.describe() | {"runs": filled.runs, "tasks": filled.tasks, "limit": _LIMIT}
    with ExitStack() as exits:
        scripts = exits.enter_context(ScriptTimes(client, server.pid))
        rest = exits.enter_context(served(server.url))
        http = exits.enter_context(httpx2.Client(base_url=f"{rest.url}/api/v1", trust_env=False, timeout=120))
        exits.enter_context(scripts.fixed)
        for name, (what, filters) in _lists(filled).items():
            pages = stack.size(_PAGES, 2)
            seen, direct = (_followed(way(what, filters), pages) for way in (_by_http(http), _by_api(client.api)))
            parts = {"filters": {key: str(value) for key, value in filters.items()}}
            parts |= {"http": seen.described(), "api": direct.described()}
            yield Figure(f"lists.{name}", seen.at(0.95), "ms a page, p95", must=_MUST, config=about | parts)
        slow = scripts.take()
        longest = max(slow.longest_ms.values(), default=0.0)
        of = about | {"peer": "a fixed script"} | asdict(slow)
        yield Figure("lists.script", longest, "ms, the longest", slow.fixed_longest_ms, Must("value", "<=", 10), of)


@dataclass(frozen=True, slots=True)
class _Followed:
    """Pages of one list, from the newest on."""

    #: Milliseconds of each.
    spans: list[float]
    found: int
    #: Whether that is all there is.
    is_whole: bool

    def at(self, share: float) -> float:
        return sorted(self.spans)[min(len(self.spans) - 1, int(len(self.spans) * share))]

    def described(self) -> dict[str, Any]:
        times = {"first": self.spans[0], "p50": self.at(0.5), "p95": self.at(0.95), "worst": max(self.spans)}
        shown = {name: round(ms, 1) for name, ms in times.items()}
        return {"pages": len(self.spans), "found": self.found, "whole": self.is_whole} | shown


def _lists(filled: Filled) -> dict[str, tuple[str, dict[str, Any]]]:
    """What is asked for, by a name: what much has, and what only the oldest have."""
    runs: dict[str, dict[str, Any]] = {
        "all": {},
        "name": {"name": "nightly_7"},
        "name.rare": {"name": RARE},
        "created_by": {"created_by": "user_7"},
        "created_by.rare": {"created_by": RARE},
        "open": {"finished": False},
        "finished": {"finished": True},
        "nobody": {"name": "nobody's", "finished": False},
    }
    tasks: dict[str, dict[str, Any]] = {
        "all": {},
        "completed": {"status": "completed"},
        "failed": {"status": "failed"},
        "ready": {"status": "ready"},
        "cancelled": {"status": "cancelled"},
        "paused": {"status": "paused"},
        "asking": {"asking": True},
        "capability": {"capability": "queue_3"},
        "capability.rare": {"capability": RARE},
        "capability.failed": {"capability": "queue_3", "status": "failed"},
        "assigned_to": {"assigned_to": "agent_1"},
        "assigned_to.rare": {"assigned_to": RARE},
        "created_by": {"created_by": "user_7"},
        "created_by.rare": {"created_by": RARE},
        "priority": {"priority": "critical"},
        "metadata": {"metadata": {"team": "team_7"}},
        "metadata.rare": {"metadata": {"team": RARE}},
        "run": {"run_id": filled.large},
        "run.failed": {"run_id": filled.large, "status": "failed"},
        "several": {"created_by": "user_7", "priority": "critical", "status": "completed", "capability": "queue_3"},
    }
    named = {f"runs.{name}": ("runs", filters) for name, filters in runs.items()}
    return named | {f"tasks.{name}": ("tasks", filters) for name, filters in tasks.items()}


def _followed(ask: Ask, pages: int) -> _Followed:
    spans: list[float] = []
    found, cursor = 0, None
    while len(spans) < pages and (cursor or not spans):
        begin = time.perf_counter()
        n, cursor = ask(cursor)
        spans.append(1000 * (time.perf_counter() - begin))
        found += n
    return _Followed(spans, found, cursor is None)


def _by_http(http: httpx2.Client) -> Way:
    def ask(what: str, filters: Mapping[str, Any], cursor: str | None) -> tuple[int, str | None]:
        words = {name: _spelled(value) for name, value in filters.items()} | ({"cursor": cursor} if cursor else {})
        answer = http.get(f"/{what}", params={**words, "limit": str(_LIMIT)})
        answer.raise_for_status()
        page = answer.json()
        return len(page["items"]), page["cursor"]

    return lambda what, filters: partial(ask, what, filters)


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _by_api(api: BlockingTaskAPI) -> Way:
    def ask(what: str, filters: Mapping[str, Any], cursor: str | None) -> tuple[int, str | None]:
        page = (api.list_runs if what == "runs" else api.list_tasks)(**filters, limit=_LIMIT, cursor=cursor)
        return len(page), page.cursor

    return lambda what, filters: partial(ask, what, filters)
