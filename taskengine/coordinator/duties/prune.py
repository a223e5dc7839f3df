"""Lets finished runs go when their retention is over, so that Redis does not fill.

Interval: a twentieth of ``retention_seconds``, between one sweep and a minute. Where a pass stands is kept in
memory alone: a new leader starts it again and finds nothing of what is gone. Its weakness: it reads every
task that it erases (the list filters to unmark are a function of its fields), so a run of 100 000 takes some
ten seconds of small turns.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
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

    def run_once(self, context: DutyContext) -> float:
        self._finish_deletions(context)
        while not context.over:
            self._pass = self._pass or self._next(context)
            if self._pass is None:
                return _interval(context.settings)
            self._pass = self._go_on(context, self._pass)
        return 0.0

    def _finish_deletions(self, context: DutyContext) -> None:
        """Go on with those whose client died in between."""
        while not context.over and (begun := context.read(coordination.erasing(context.keys))):
            for task in begun:
                while not context.over and context.write(coordination.continue_delete(context.term, task)).number():
                    pass

    def blame(self, exc: Exception) -> None:
        if self._pass is not None:
            _log.error("skipped run=%s error=%s", self._pass.run_id, exc)
            self._broken.add(self._pass.run_id)
            self._pass = None

    def _next(self, context: DutyContext) -> Pass | None:
        seconds = context.settings.retention_seconds
        found = context.read(retention.expired(context.keys, seconds, 16 + len(self._broken)))
        return next((one for one in found if one.run_id not in self._broken), None)

    def _go_on(self, context: DutyContext, now: Pass) -> Pass | None:
        word, now = context.read(retention.prune_range(context.term, now))
        context.note(word)
        if word != "ok":
            return None
        if not now.over:
            return now
        _log.info("pruned run=%s tasks=%d kept=%d", now.run_id, now.erased, now.kept)
        return None


def _interval(settings: Settings) -> float:
    return min(60.0, max(settings.sweep_seconds, settings.retention_seconds / 20))
