"""Lets nothing starve: a READY task stands one priority class higher for each ``aging_seconds`` that it waited.

Interval: when the first that the last pass saw is due, between a twentieth and a quarter of ``aging_seconds``. So a
lift comes at most 5 % late, 25 % for a task that came back from a park meanwhile, and 100 000 tasks that became READY
together are gone through a few times for each class. Only scores change, the tasks keep their priorities; a turn
looks at four pieces of 256 and then pauses, for the others. (Rejected: an index by next aging time. It would make a
pass shorter, and every task that becomes READY pay two commands for it.)

Its weakness: what became CRITICAL by waiting stands among the CRITICAL ones by deadline and remaining path, so an
overload of CRITICAL tasks with deadlines still goes first. And a lift is one class a pass, whatever was missed while
nobody coordinated.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.store import coordination

_log = logging.getLogger(__name__)

#: Scripts in one turn, and seconds before the next one while a pass goes on.
_PIECES = 4
_PAUSE = 0.01
#: Shares of ``aging_seconds`` between two passes, at least and at most.
_OFTEN, _SELDOM = 1 / 20, 1 / 4
#: Seconds between two looks at a setting that is off.
_OFF = 3600.0


class Aging(Duty):
    """Lifts READY tasks that waited ``aging_seconds`` by one priority class."""

    name: ClassVar[str] = "aging"

    def __init__(self) -> None:
        #: Queues, and parks of those that wait for room, that this pass has yet to go through, the current one last.
        self._queues: list[str] = []
        self._from = 0
        #: Seconds until the first is due that this pass saw.
        self._due_in = float("inf")

    def run_once(self, context: DutyContext) -> float:
        seconds = context.settings.aging_seconds
        if not seconds:
            return _OFF
        if not self._queues:
            queues, parks = coordination.queues(context.keys), coordination.room_parks(context.keys)
            self._queues, self._due_in = [*context.read(queues), *context.read(parks)], seconds * _SELDOM
        for _ in range(_PIECES):
            if not self._queues or context.over:
                break
            self._lift(context, round(seconds * 1000))
        if self._queues:
            return _PAUSE
        return max(context.settings.sweep_seconds / 4, seconds * _OFTEN, self._due_in)

    def blame(self, exc: Exception) -> None:  # noqa: ARG002  # whatever it was, the pass begins anew
        self._queues, self._from = [], 0

    def _lift(self, context: DutyContext, aging_ms: int) -> None:
        queue = self._queues[-1]
        answer = context.write(coordination.lift_aged(context.term, queue, self._from, aging_ms))
        if answer.ok and answer.number():
            _log.debug("lifted queue=%s tasks=%d", queue, answer.number())
        self._from = answer.number(1) if answer.ok else -1
        self._due_in = min(self._due_in, answer.number(2) / 1000) if answer.ok else 0.0
        if self._from < 0:
            self._queues.pop()
            self._from = 0
