"""Hosts: the machines on which workers live, what they have of each resource, and what of it is reserved.

What an execution reserves stands on its host until it is over; what is free is added up when somebody asks.
``parts/host.lua`` says how.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from taskengine.core.demand import for_people, from_words
from taskengine.models.host import HostInfo
from taskengine.store.call import Call, Operation
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb


class _Row(NamedTuple):
    name: str
    total: str
    used: str
    executions: int
    nodes: int
    kept: str


_READ: Verb[list[Any]] = Verb("read_hosts", list, host=_Row)
_LOOK_AFTER = Verb("look_after_hosts", reply)


def every_host() -> Operation[list[HostInfo]]:
    """Return the hosts on which nodes live, by name, as of moments some trips apart."""
    found: dict[str, HostInfo] = {}
    at = ""
    while True:
        at, piece = yield from _READ.read(_piece, {"start": at})
        found |= {host.name: host for host in piece}
        if not at:
            return [found[name] for name in sorted(found)]


def look_after(term: str, patience_ms: int) -> Call[Reply]:
    """Keep hosts free for what waited for room that long, and drop what is reserved by nobody: ok (hosts that are
    kept, reservations that were dropped) or stale.
    """
    return _LOOK_AFTER(term=term, patience_ms=patience_ms)


def _piece(raw: Sequence[Any]) -> tuple[str, list[HostInfo]]:
    return str(raw[0]), [_host(_Row._make(row)) for row in raw[1:]]


def _host(row: _Row) -> HostInfo:
    _, _, kept = row.kept.partition(":")
    queue, _, demand = kept.partition("|")
    return HostInfo(
        name=row.name, total=_units(row.total), reserved=_units(row.used), executions=row.executions, workers=row.nodes,
        kept_for=_kept_for(queue, demand) if row.kept else None,
    )  # fmt: skip


def _kept_for(queue: str, demand: str) -> str:
    if demand in {"", "*"}:
        return f"tasks of {queue!r}"
    return f"tasks of {queue!r} that demand {for_people(from_words(demand))}"


def _units(words: str) -> dict[str, float]:
    return {name: milli / 1000 for name, milli in from_words(words).items()}
