"""Grants what became possible without anybody near: a slot that fell free, a node that came, a task that was
lost.

Interval: ``sweep_seconds`` over all lanes, and at once on taking the leadership; earlier for the lanes of a
hint, at most a hundred times a second (a second's hints for one lane are one grant). The stream of hints is
trimmed and may lose some: the sweep is the promise. Which nodes have a free slot is a hint, too, right again at
each node's beat; a script looks at 16 of them at most. Its weakness: the other ones it takes to be like those, so a
fleet of very unequal nodes may be granted more at once than it has slots, which then wait for the next free one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import ClassVar

from taskengine.coordinator.turn import Duty, Turn
from taskengine.store import coordination

_log = logging.getLogger(__name__)

#: Lanes granted in one script.
_LANES = 16


class Grant(Duty):
    """Gives READY tasks to free slots."""

    name: ClassVar[str] = "grant"
    #: Seconds between two turns, however many hints come.
    pause: ClassVar[float] = 0.01

    def __init__(self) -> None:
        self._lanes: set[str] = set()
        self._sweeps_at = float("-inf")
        self.ran_at = float("-inf")

    def hear(self, lanes: Iterable[str]) -> None:
        """Remember *lanes* for the next turn."""
        self._lanes.update(lanes)

    def run_once(self, turn: Turn) -> float:
        self.ran_at = turn.clock()
        # One moment for the sweep and for its turn: two sums of floats may differ, and a turn before its time would
        # be asked for again at once, for ever by a clock that stands.
        if self.ran_at >= self._sweeps_at:
            self._sweeps_at = self.ran_at + turn.settings.sweep_seconds
            lanes = turn.read(coordination.lanes(turn.keys))
            self._lanes.update(lanes)
        while self._lanes and not turn.over:
            self._grant(turn, [self._lanes.pop() for _ in range(min(_LANES, len(self._lanes)))])
        return 0.0 if self._lanes else self._sweeps_at - turn.clock()

    def _grant(self, turn: Turn, lanes: list[str]) -> None:
        answer = turn.tell(coordination.grant(turn.term, lanes))
        if answer.ok and answer.number():
            _log.debug("granted count=%d lanes=%s", answer.number(), ",".join(lanes))
