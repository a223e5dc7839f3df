"""Removes graphs that were staged and never committed: their submitter died, and nobody ever saw them.

Interval: a twentieth of ``batch_seconds``. Age counts from the first trip, on the server's clock. Its
weakness: a submit that takes longer than ``batch_seconds`` is taken for abandoned; its commit then answers
``conflict``, never a false yes.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.turn import Duty, Turn
from taskengine.store import coordination

_log = logging.getLogger(__name__)


class Batches(Duty):
    """Sweeps abandoned graphs."""

    name: ClassVar[str] = "batches"

    def run_once(self, turn: Turn) -> float:
        while not turn.over:
            abandoned = turn.read(coordination.abandoned(turn.keys, turn.settings.batch_seconds))
            if not abandoned:
                return turn.settings.batch_seconds / 20
            for batch in abandoned:
                self._sweep(turn, batch)
        return 0.0

    def _sweep(self, turn: Turn, batch: str) -> None:
        while not turn.over:
            answer = turn.tell(coordination.sweep_batch(batch, turn.term))
            if answer.ok and not answer.number():
                _log.warning("swept batch=%s", batch)
            if not answer.number():
                return
