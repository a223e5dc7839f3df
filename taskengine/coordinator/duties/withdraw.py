"""Takes grants back that no worker claimed in time: their wake-up was lost, or their worker is gone or stuck.

Interval: half of ``sweep_seconds``, so a lost wake-up is repeated within the claim deadline and that. An
execution that never ran is deleted; its task keeps its place, and a new grant follows in the same script. Its
weakness: a worker that beats but does not consume gets a new message for each one that it left lying.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.store import coordination

_log = logging.getLogger(__name__)


class Withdraw(Duty):
    """Deletes grants over their claim deadline."""

    name: ClassVar[str] = "withdraw"

    def run_once(self, context: DutyContext) -> float:
        while not context.over:
            answer = context.write(coordination.withdraw(context.term))
            if answer.number():
                _log.info("withdrew grants=%d", answer.number())
            if answer.number() < coordination.PIECE:
                return context.settings.sweep_seconds / 2
        return 0.0
