"""Pausing many tasks with one flag: everything, a capability, an agent or a run.

The flag is a field of one hash and rewrites no task. Whoever looks for work does not look into a paused queue;
tasks of a paused run are parked as they are met. So pausing and resuming cost the same for one task and for a
million. A scope is ``all``, or ``cap:``, ``agent:`` or ``run:`` and a name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from taskengine.models import PauseScope
from taskengine.store.call import Call, Operation
from taskengine.store.codec import pairs
from taskengine.store.keys import Keys
from taskengine.store.pause_record import PAUSE_PREFIXES, pause_terms
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

_PAUSE = Verb("pause", reply)
_RESUME = Verb("resume", reply)
_READ_RUNNING: Verb[list[Any]] = Verb("read_running", list)


def scope_of(scope: PauseScope, name: str = "") -> str:
    """Return a scope as it is stored."""
    return PAUSE_PREFIXES[scope] + name


def pause(scope: str, by: str, reason: str | None, until: datetime | None) -> Call[Reply]:
    """Pause a scope, or give its pause new terms: ok (record), late (server ms) or missing (no such run)."""
    terms, until_ms = pause_terms(by, reason, until)
    return _PAUSE(scope=scope, terms=terms, until_ms=until_ms)


def resume(scope: str, by: str) -> Call[Reply]:
    """End the pause of a scope: ok (1 when it was paused)."""
    return _RESUME(scope=scope, by=by)


def stored(keys: Keys) -> Call[dict[str, str]]:
    """Return every pause, by scope, as it is stored."""
    return Call("HGETALL", (keys.fixed("pauses"),), _mapping, command=True)


def _mapping(raw: Any) -> dict[str, str]:
    return dict(raw) if isinstance(raw, Mapping) else pairs(raw)


def running(scopes: Iterable[str]) -> Operation[Counter[str]]:
    """Return how many executions of each of *scopes* run now."""
    wanted, found = frozenset(scopes), Counter[str]()
    if not wanted:
        return found
    for queue, run, agent, capability in (yield from _every_running()):
        is_in = {"all", f"run:{run}", f"agent:{agent}", f"cap:{capability}"}
        is_in |= {f"agent:{queue[1:]}"} if queue.startswith("@") else set()
        found.update(wanted & is_in)
    return found


def running_by_queue() -> Operation[Counter[str]]:
    """Return how many executions of each queue run now; a trip for each 32 of them."""
    return Counter(queue for queue, *_ in (yield from _every_running()))


def _every_running() -> Operation[list[list[str]]]:
    """Return queue, run, agent and capability of each execution that runs."""
    found: list[list[str]] = []
    at = "0"
    while at != "-1":
        at, *rows = yield from _READ_RUNNING(start=at)
        found += rows
    return found
