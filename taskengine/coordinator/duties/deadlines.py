"""Says of a task that it will miss its deadline while there is time to do something about it.

Interval: half of ``sweep_seconds``, one look at a sorted set when nothing is due. Each task with a deadline is looked
at again when half of its slack is gone, so whoever has an hour is looked at a dozen times. A look walks through what
the task waits for, 256 tasks and 32 levels at most, and adds up what such tasks took before; a task is flagged once
for each deadline. Its weakness: what lies behind that walk, and what nobody has ever run, counts as nothing, so such a
task is flagged later; and the wait for a slot takes every slot of a queue to serve it alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.core.deadlines import DeadlineWeight, next_look, remaining
from taskengine.core.estimates import expected_seconds, kind_of
from taskengine.store import deadlines, nodes
from taskengine.store.deadlines import Finding
from taskengine.store.estimates import read_estimates

_log = logging.getLogger(__name__)

#: Bounds of one walk.
_MOST, _LEVELS = 256, 32


class Deadlines(Duty):
    """Flags tasks that cannot meet their deadlines any more."""

    name: ClassVar[str] = "deadlines"

    def run_once(self, context: DutyContext) -> float:
        while not context.over:
            now_ms, ids = context.read(deadlines.due(context.keys))
            if not ids:
                return context.settings.sweep_seconds / 2
            answer = context.write(deadlines.note(context.term, self._look(context, now_ms, ids)))
            if answer.ok and answer.number():
                _log.warning("deadlines at risk tasks=%d", answer.number())
        return 0.0

    def _look(self, context: DutyContext, now_ms: int, ids: list[str]) -> list[Finding]:
        weights = _walk(context, ids)
        forecast = _Forecast(context, now_ms / 1000, weights)
        return [forecast.finding(id) for id in ids]


def _walk(context: DutyContext, ids: Iterable[str]) -> dict[str, DeadlineWeight]:
    """Return the tasks and what they wait for, level by level."""
    found: dict[str, DeadlineWeight] = {}
    level = list(ids)
    for _ in range(_LEVELS):
        seen = context.read(deadlines.read_weights(level[: _MOST - len(found)]))
        found |= {one.id: one for one in seen if one}
        above = (d for one in seen if one and not one.is_over for d in one.depends_on)
        level = [d for d in dict.fromkeys(above) if d not in found]
        if not level or len(found) >= _MOST:
            break
    return found


class _Forecast:
    """What becomes of each task of one look."""

    def __init__(self, context: DutyContext, now: float, weights: Mapping[str, DeadlineWeight]) -> None:
        self._now, self._weights = now, weights
        waiting = [one for one in weights.values() if not one.is_over]
        kinds = {kind for one in waiting for kind in (one.queue, kind_of(one.queue, one.name))}
        self._known = context.read(read_estimates(context.keys, sorted(kinds)))
        queued = any(one.position for one in waiting)
        self._slots = _slots(context) if queued else {}

    def finding(self, id: str) -> Finding:
        task = self._weights.get(id)
        if task is None or task.deadline is None or task.is_over:
            return Finding(id, 0, "over")
        left = remaining(id, self._weights, self._now, takes=self._takes, waits=self._waits)
        slack = task.deadline - self._now - left
        if slack <= 0:
            return Finding(id, task.deadline, "risk", round(-slack * 1000))
        return Finding(id, task.deadline, str(round((self._now + next_look(slack)) * 1000)))

    def _takes(self, task: DeadlineWeight) -> float:
        if task.given is not None:
            return task.given
        return expected_seconds(self._known, task.queue, task.name) or 0.0

    def _waits(self, task: DeadlineWeight) -> float:
        slots = self._slots.get(task.queue, 0)
        return (task.position or 0) * self._known.get(task.queue, 0.0) / slots if slots else 0.0


def _slots(context: DutyContext) -> dict[str, int]:
    """Slots by queue, of living workers that take something new."""
    found: dict[str, int] = {}
    for node in context.read(nodes.every_node()):
        if node.alive and not node.draining:
            for queue in node.queues:
                found[queue] = found.get(queue, 0) + node.slots
    return found
