"""Open tasks with a deadline: which to look at, what their time depends on, and what was found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from taskengine.core.deadlines import Weight
from taskengine.core.order import unpack
from taskengine.models.enums import TaskStatus
from taskengine.store.call import Call, Story
from taskengine.store.coordination import server_ms
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, reply

#: Tasks looked at together.
PIECE = 16
#: Tasks whose weights one script tells.
WEIGHED = 128


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at one task came to."""

    task_id: str
    #: Seconds since the epoch.
    deadline: int
    #: ``risk``, ``over``, or the ms of the next look.
    verdict: str
    #: Milliseconds by which it will be late, as far as known.
    late_ms: int = 0


def due(keys: Keys) -> Story[tuple[int, list[str]]]:
    """The server's ms, and tasks whose deadline is to be looked at by now."""
    now = yield from server_ms()
    args = (keys.fixed("deadlines"), "-inf", now, "LIMIT", 0, PIECE)
    ids: list[str] = yield from Call("ZRANGEBYSCORE", args, list, command=True)
    return now, ids


def weigh(ids: Sequence[str]) -> Story[list[Weight | None]]:
    """Weights in the order asked; None where there is no such task."""
    found: list[Weight | None] = []
    for at in range(0, len(ids), WEIGHED):
        piece = ids[at : at + WEIGHED]
        raw = yield from Call("weigh", tuple(piece), list)
        found += [_weight(id, row) for id, row in zip(piece, raw, strict=True)]
    return found


def _weight(id: str, raw: Sequence[Any]) -> Weight | None:
    if not raw:
        return None
    status, lane, name, given, started, due, score, position, on = raw
    return Weight(
        id=id,
        status=TaskStatus(status),
        lane=lane,
        name=name,
        given=_seconds(given),
        started=_seconds(started),
        due=_seconds(due),
        position=None if int(position) < 0 else int(position),
        depends_on=tuple(on.split()),
        deadline=unpack(float(score)).deadline_seconds,
    )


def _seconds(ms: str) -> float | None:
    return float(ms) / 1000 if ms else None


def note(term: str, findings: Sequence[Finding]) -> Call[Reply]:
    """Keep what was found out: ok (at risk) or stale."""
    flat = (word for f in findings for word in (f.task_id, f.deadline, f.verdict, f.late_ms))
    return Call("note_deadlines", (term, *flat), reply)
