"""Removes graphs that were staged and never committed: their submitter died, and nobody ever saw them.

Interval: a twentieth of ``batch_seconds``. Age counts from the first trip, on the server's clock. Its
weakness: a submit that takes longer than ``batch_seconds`` is taken for abandoned; its commit then answers
``conflict``, never a false yes.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.store import coordination

_log = logging.getLogger(__name__)


class Batches(Duty):
    """Removes graphs that were staged and not committed within ``batch_seconds``."""

    name: ClassVar[str] = "batches"

    def run_once(self, context: DutyContext) -> float:
        while not context.over:
            abandoned = context.read(coordination.abandoned(context.keys, context.settings.batch_seconds))
            if not abandoned:
                return context.settings.batch_seconds / 20
            for batch in abandoned:
                self._sweep(context, batch)
        return 0.0

    def _sweep(self, context: DutyContext, batch: str) -> None:
        while not context.over:
            answer = context.write(coordination.sweep_batch(batch, context.term))
            if answer.ok and not answer.number():
                _log.warning("swept batch=%s", batch)
            if not answer.number():
                return
