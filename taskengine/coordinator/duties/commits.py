"""Sets committed graphs free whose submitter died between its commit and its last trip.

Interval: ``sweep_seconds``. The cursor moves in the same script as the commit waits fall, so it may help a
submitter that lives: both get done sooner. Its weakness: for up to an interval a graph of a dead submitter
stands still.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.store import coordination

_log = logging.getLogger(__name__)


class Commits(Duty):
    """Drops the commit waits of committed graphs."""

    name: ClassVar[str] = "commits"

    def run_once(self, context: DutyContext) -> float:
        while not context.over:
            batches = context.read(coordination.committed(context.keys))
            if not batches:
                return context.settings.sweep_seconds
            for batch in batches:
                self._settle(context, batch)
        return 0.0

    def _settle(self, context: DutyContext, batch: str) -> None:
        while not context.over:
            if not context.write(coordination.settle_batch(batch)).number():
                _log.info("settled batch=%s", batch)
                return
