"""What stands around a task: its place in its queue, who could run it, whether anybody coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from taskengine.core.explain import Server, Situation
from taskengine.core.order import priority_of
from taskengine.models.enums import TaskPriority
from taskengine.store.call import Call
from taskengine.store.codec import moment, note, pairs, pause_from
from taskengine.store.fields import TaskField
from taskengine.store.keys import RULED
from taskengine.store.nodes import MOST_UNTAKEN
from taskengine.store.verb import Verb


class _Row(NamedTuple):
    """The same, as ``situation`` says it."""

    server_ms: int
    #: Of the task's record, a flat list.
    fields: Sequence[str]
    #: -1 where it does not stand in its lane.
    position: int
    ready: int
    granted: int
    servers: Sequence[Sequence[Any]]
    lanes: Sequence[str]
    #: '' for nobody.
    leader: str
    #: Scope and record of a pause that it feels, or nothing.
    pause: tuple[str, str] | tuple[()]


class _Server(NamedTuple):
    """The same of a node that offers its lane."""

    node: str
    slots: str
    held: int
    draining: str
    untaken: str
    info: str


def _situation(raw: Sequence[Any]) -> Situation | None:
    if not raw:
        return None
    row = _Row._make(raw)
    f = pairs(row.fields)
    return Situation(
        now=_at(row.server_ms),
        lane=f[TaskField.queue],
        waiting=int(f.get(TaskField.waiting, 0)) + (RULED if TaskField.rule in f else 0) - (TaskField.batch in f),
        failed=int(f.get(TaskField.failed, 0)),
        skipped=int(f.get(TaskField.skipped, 0)),
        due=moment(f.get(TaskField.due)),
        held=TaskField.held in f,
        settling=TaskField.batch in f,
        park=f.get(TaskField.parked, ""),
        cancel=f.get(TaskField.cancel),
        claim_by=moment(f.get("claim by")),
        position=row.position,
        ready=row.ready,
        granted=row.granted,
        servers=tuple(_server(_Server._make(server)) for server in row.servers),
        lanes=tuple(sorted(row.lanes)),
        leader=row.leader,
        aged_to=TaskPriority(priority_of(float(f[TaskField.score]))) if TaskField.aged in f else None,
        pause=pause_from(*row.pause) if row.pause else None,
    )


def _server(raw: _Server) -> Server:
    untaken = int(raw.untaken)
    stuck = note(raw.info).get("stuck") or 0
    return Server(
        raw.node, int(raw.slots), raw.held, raw.draining, untaken, untaken >= MOST_UNTAKEN, stuck
    )


_SITUATION = Verb("situation", _situation, situation=_Row, server=_Server)


def situation(id: str) -> Call[Situation | None]:
    """The situation of a task as of one moment; None when there is none."""
    return _SITUATION(task=id)


def _at(ms: Any) -> datetime:
    found = moment(ms)
    assert found is not None
    return found
