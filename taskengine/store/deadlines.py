"""Open tasks with a deadline: which to look at, what their time depends on, and what was found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from taskengine.core.deadlines import DeadlineWeight
from taskengine.core.order import unpack
from taskengine.models.enums import TaskStatus
from taskengine.store.call import Call, Operation
from taskengine.store.coordination import server_ms
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Row, Verb

#: Tasks looked at together.
PIECE = 16
#: Tasks whose weights one script tells.
WEIGHTS = 128


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at one task came to."""

    task_id: str
    #: Seconds since the epoch.
    deadline: int
    #: ``risk``, ``over``, or the ms of the next look.
    outcome: str
    #: Milliseconds by which it will be late, as far as known.
    late_ms: int = 0


def due(keys: Keys) -> Operation[tuple[int, list[str]]]:
    """Return the server's ms, and tasks whose deadline is to be looked at by now."""
    now = yield from server_ms()
    args = (keys.fixed("deadlines"), "-inf", now, "LIMIT", 0, PIECE)
    ids: list[str] = yield from Call("ZRANGEBYSCORE", args, list, command=True)
    return now, ids


class _Row(NamedTuple):
    """What ``read_weights`` says of a task: '' where there is nothing."""

    status: str
    queue: str
    name: str
    given_ms: str
    started_ms: str
    due_ms: str
    score: str
    #: -1 where it does not stand in its queue.
    position: int
    depends_on: str


def _rows(raw: Sequence[Any]) -> list[_Row | None]:
    return [_Row._make(row) if row else None for row in raw]


_READ_DEADLINE_WEIGHTS = Verb("read_deadline_weights", _rows, weight=_Row)
_NOTE_DEADLINES = Verb("note_deadlines", reply)


def read_weights(ids: Sequence[str]) -> Operation[list[DeadlineWeight | None]]:
    """Weights in the order asked; None where there is no such task."""
    found: list[DeadlineWeight | None] = []
    for at in range(0, len(ids), WEIGHTS):
        piece = ids[at : at + WEIGHTS]
        rows = yield from _READ_DEADLINE_WEIGHTS(tasks=piece)
        found += [row and _decode_weight(id, row) for id, row in zip(piece, rows, strict=True)]
    return found


def _decode_weight(id: str, row: _Row) -> DeadlineWeight:
    return DeadlineWeight(
        id=id,
        status=TaskStatus(row.status),
        queue=row.queue,
        name=row.name,
        given=_seconds(row.given_ms),
        started=_seconds(row.started_ms),
        due=_seconds(row.due_ms),
        position=None if row.position < 0 else row.position,
        depends_on=tuple(row.depends_on.split()),
        deadline=unpack(float(row.score)).deadline_seconds,
    )


def _seconds(ms: str) -> float | None:
    return float(ms) / 1000 if ms else None


def note(term: str, findings: Sequence[Finding]) -> Call[Reply]:
    """Keep what was found out: ok (at risk) or stale."""
    rows: list[Row] = [
        {"task": one.task_id, "deadline": one.deadline, "outcome": one.outcome, "late_ms": one.late_ms}
        for one in findings
    ]
    return _NOTE_DEADLINES(term=term, findings=rows)
