"""Lets finished runs go when their retention is over, so that Redis does not fill.

Interval: a twentieth of ``retention_seconds``, between one sweep and a minute. Where a pass stands is kept in
memory alone: a new leader starts it again and finds nothing of what is gone. Its weakness: it reads every
task that it erases (the list filters to unmark are a function of its fields), so a run of 100 000 takes some
ten seconds of small turns.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.turn import Duty, Turn
from taskengine.settings import Settings
from taskengine.store import coordination, retention
from taskengine.store.retention import Pass

_log = logging.getLogger(__name__)


class Prune(Duty):
    """Erases finished runs, oldest first."""

    name: ClassVar[str] = "prune"

    def __init__(self) -> None:
        self._pass: Pass | None = None
        #: Runs whose pass raised: left to the next leader, so that they hold up nobody.
        self._broken: set[str] = set()

    def run_once(self, turn: Turn) -> float:
        self._finish_deletions(turn)
        while not turn.over:
            self._pass = self._pass or self._next(turn)
            if self._pass is None:
                return _interval(turn.settings)
            self._pass = self._go_on(turn, self._pass)
        return 0.0

    def _finish_deletions(self, turn: Turn) -> None:
        """Go on with those whose client died in between."""
        while not turn.over and (begun := turn.read(coordination.erasing(turn.keys))):
            for task in begun:
                while not turn.over and turn.tell(coordination.leave_lists(turn.term, task)).number():
                    pass

    def blame(self, exc: Exception) -> None:
        if self._pass is not None:
            _log.error("skipped run=%s error=%s", self._pass.run_id, exc)
            self._broken.add(self._pass.run_id)
            self._pass = None

    def _next(self, turn: Turn) -> Pass | None:
        seconds = turn.settings.retention_seconds
        found = turn.read(retention.expired(turn.keys, seconds, 16 + len(self._broken)))
        return next((one for one in found if one.run_id not in self._broken), None)

    def _go_on(self, turn: Turn, now: Pass) -> Pass | None:
        word, now = turn.read(retention.prune_range(turn.term, now))
        turn.note(word)
        if word != "ok":
            return None
        if not now.over:
            return now
        _log.info("pruned run=%s tasks=%d kept=%d", now.run_id, now.erased, now.kept)
        return None


def _interval(settings: Settings) -> float:
    return min(60.0, max(settings.sweep_seconds, settings.retention_seconds / 20))
