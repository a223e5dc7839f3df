"""Tells the dependents of an ended (or reopened) task that had too many of them for one script.

Interval: a quarter of ``sweep_seconds``, and with every decision; later reports take pieces too, so a busy
fleet hardly needs it. Its weakness: the oldest cursor is worked off first, so a fan of a million delays the
fans behind it.
"""

from __future__ import annotations

from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.store import coordination


class Releases(Duty):
    """Moves release cursors to their end."""

    name: ClassVar[str] = "releases"

    def run_once(self, context: DutyContext) -> float:
        while not context.over:
            answer = context.write(coordination.continue_releases(context.term))
            if answer.ok and not answer.number():
                return context.settings.sweep_seconds / 4
        return 0.0
