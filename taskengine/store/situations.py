"""What stands around a task: its place in its queue, who could run it, whether anybody coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from taskengine.core.explain import Server, Situation
from taskengine.core.order import priority_of
from taskengine.models.enums import TaskPriority
from taskengine.store.call import Call
from taskengine.store.codec import moment, note, pairs, pause_from
from taskengine.store.keys import RULED
from taskengine.store.nodes import MOST_UNTAKEN


def situation(id: str) -> Call[Situation | None]:
    """The situation of a task as of one moment; None when there is none."""
    return Call("situation", (id,), _situation)


def _situation(raw: Sequence[Any]) -> Situation | None:
    if not raw:
        return None
    now, fields, position, ready, granted, servers, lanes, leader, pause = raw
    f = pairs(fields)
    return Situation(
        now=_at(now),
        lane=f["lane"],
        waiting=int(f.get("w", 0)) + (RULED if "rule" in f else 0) - ("batch" in f),
        failed=int(f.get("f", 0)),
        skipped=int(f.get("c", 0)),
        due=moment(f.get("due")),
        held="hold" in f,
        settling="batch" in f,
        park=f.get("park", ""),
        cancel=f.get("cq"),
        claim_by=moment(f.get("claim by")),
        position=int(position),
        ready=int(ready),
        granted=int(granted),
        servers=tuple(map(_server, servers)),
        lanes=tuple(sorted(lanes)),
        leader=leader,
        aged_to=TaskPriority(priority_of(float(f["sc"]))) if "ag" in f else None,
        pause=pause_from(*pause) if pause else None,
    )


def _server(raw: Sequence[Any]) -> Server:
    node, slots, held, drain, untaken, info = raw
    return Server(
        node, int(slots), int(held), drain, int(untaken), int(untaken) >= MOST_UNTAKEN, note(info).get("stuck") or 0
    )


def _at(ms: Any) -> datetime:
    found = moment(ms)
    assert found is not None
    return found
