"""Sets committed graphs free whose submitter died between its commit and its last trip.

Interval: ``sweep_seconds``. The cursor moves in the same script as the commit waits fall, so it may help a
submitter that lives: both get done sooner. Its weakness: for up to an interval a graph of a dead submitter
stands still.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.turn import Duty, Turn
from taskengine.store import coordination

_log = logging.getLogger(__name__)


class Commits(Duty):
    """Drops the commit waits of committed graphs."""

    name: ClassVar[str] = "commits"

    def run_once(self, turn: Turn) -> float:
        while not turn.over:
            batches = turn.read(coordination.committed(turn.keys))
            if not batches:
                return turn.settings.sweep_seconds
            for batch in batches:
                self._fall(turn, batch)
        return 0.0

    def _fall(self, turn: Turn, batch: str) -> None:
        while not turn.over:
            if not turn.tell(coordination.fall(batch)).number():
                _log.info("settled batch=%s", batch)
                return
