"""Grants what became possible without anybody near: a slot that fell free, a node that came, a task that was
lost.

Interval: ``sweep_seconds`` over all queues, and at once on taking the leadership; earlier for the queues of a
hint, at most a hundred times a second (a second's hints for one queue are one grant). The stream of hints is
trimmed and may lose some: the sweep is the promise. Which nodes have a free slot is a hint, too, right again at
each node's beat; a script looks at 16 of them at most. Its weakness: the other ones it takes to be like those, so a
fleet of very unequal nodes may be granted more at once than it has slots, which then wait for the next free one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.store import coordination

_log = logging.getLogger(__name__)

#: Queues granted in one script.
_QUEUES = 16


class Grant(Duty):
    """Gives READY tasks to free slots."""

    name: ClassVar[str] = "grant"
    #: Seconds between two turns, however many hints come.
    pause: ClassVar[float] = 0.01

    def __init__(self) -> None:
        self._queues: set[str] = set()
        self._sweeps_at = float("-inf")
        self.ran_at = float("-inf")

    def hear(self, queues: Iterable[str]) -> None:
        """Remember *queues* for the next turn."""
        self._queues.update(queues)

    def run_once(self, context: DutyContext) -> float:
        self.ran_at = context.clock()
        # One moment for the sweep and for its turn: two sums of floats may differ, and a turn before its time would
        # be asked for again at once, for ever by a clock that stands.
        if self.ran_at >= self._sweeps_at:
            self._sweeps_at = self.ran_at + context.settings.sweep_seconds
            queues = context.read(coordination.queues(context.keys))
            self._queues.update(queues)
        while self._queues and not context.over:
            self._grant(context, [self._queues.pop() for _ in range(min(_QUEUES, len(self._queues)))])
        return 0.0 if self._queues else self._sweeps_at - context.clock()

    def _grant(self, context: DutyContext, queues: list[str]) -> None:
        answer = context.write(coordination.grant(context.term, queues))
        if answer.ok and answer.number():
            _log.debug("granted count=%d queues=%s", answer.number(), ",".join(queues))
