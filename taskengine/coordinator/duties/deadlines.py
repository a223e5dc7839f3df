"""Says of a task that it will miss its deadline while there is time to do something about it.

Interval: half of ``sweep_seconds``, one look at a sorted set when nothing is due. Each task with a deadline is looked
at again when half of its slack is gone, so whoever has an hour is looked at a dozen times. A look walks through what
the task waits for, 256 tasks and 32 levels at most, and adds up what such tasks took before; a task is flagged once
for each deadline. Its weakness: what lies behind that walk, and what nobody has ever run, counts as nothing, so such a
task is flagged later; and the wait for a slot takes every slot of a lane to serve it alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import ClassVar

from taskengine.coordinator.turn import Duty, Turn
from taskengine.core.deadlines import Weight, next_look, remaining
from taskengine.core.estimates import expected_seconds, kind_of
from taskengine.store import deadlines, nodes
from taskengine.store.deadlines import Finding
from taskengine.store.estimates import learned

_log = logging.getLogger(__name__)

#: Bounds of one walk.
_MOST, _LEVELS = 256, 32


class Deadlines(Duty):
    """Flags tasks that can not meet their deadlines any more."""

    name: ClassVar[str] = "deadlines"

    def run_once(self, turn: Turn) -> float:
        while not turn.over:
            now_ms, ids = turn.read(deadlines.due(turn.keys))
            if not ids:
                return turn.settings.sweep_seconds / 2
            answer = turn.tell(deadlines.note(turn.term, self._look(turn, now_ms, ids)))
            if answer.ok and answer.number():
                _log.warning("deadlines at risk tasks=%d", answer.number())
        return 0.0

    def _look(self, turn: Turn, now_ms: int, ids: list[str]) -> list[Finding]:
        weights = _walk(turn, ids)
        judge = _Judge(turn, now_ms / 1000, weights)
        return [judge.finding(id) for id in ids]


def _walk(turn: Turn, ids: Iterable[str]) -> dict[str, Weight]:
    """The tasks and what they wait for, level by level."""
    found: dict[str, Weight] = {}
    level = list(ids)
    for _ in range(_LEVELS):
        seen = turn.read(deadlines.weigh(level[: _MOST - len(found)]))
        found |= {one.id: one for one in seen if one}
        above = (d for one in seen if one and not one.is_over for d in one.depends_on)
        level = [d for d in dict.fromkeys(above) if d not in found]
        if not level or len(found) >= _MOST:
            break
    return found


class _Judge:
    """What becomes of each task of one look."""

    def __init__(self, turn: Turn, now: float, weights: Mapping[str, Weight]) -> None:
        self._now, self._weights = now, weights
        waiting = [one for one in weights.values() if not one.is_over]
        kinds = {kind for one in waiting for kind in (one.lane, kind_of(one.lane, one.name))}
        self._known = turn.read(learned(turn.keys, sorted(kinds)))
        queued = any(one.position for one in waiting)
        self._slots = _slots(turn) if queued else {}

    def finding(self, id: str) -> Finding:
        task = self._weights.get(id)
        if task is None or task.deadline is None or task.is_over:
            return Finding(id, 0, "over")
        left = remaining(id, self._weights, self._now, takes=self._takes, waits=self._waits)
        slack = task.deadline - self._now - left
        if slack <= 0:
            return Finding(id, task.deadline, "risk", round(-slack * 1000))
        return Finding(id, task.deadline, str(round((self._now + next_look(slack)) * 1000)))

    def _takes(self, task: Weight) -> float:
        if task.given is not None:
            return task.given
        return expected_seconds(self._known, task.lane, task.name) or 0.0

    def _waits(self, task: Weight) -> float:
        slots = self._slots.get(task.lane, 0)
        return (task.position or 0) * self._known.get(task.lane, 0.0) / slots if slots else 0.0


def _slots(turn: Turn) -> dict[str, int]:
    """Slots by lane, of living workers that take something new."""
    found: dict[str, int] = {}
    for node in turn.read(nodes.every_node()):
        if node.alive and not node.draining:
            for lane in node.lanes:
                found[lane] = found.get(lane, 0) + node.slots
    return found
