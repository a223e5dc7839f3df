"""Fires what is due: the next attempt of a RETRYING task, the start of a scheduled one.

Interval: until the next timer, a quarter of ``sweep_seconds`` at most, because a timer may be set meanwhile
that is due earlier. Due is what the server's clock says. Its weakness: that quarter is how late a very short
delay may fire.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.store import coordination

_log = logging.getLogger(__name__)


class Timers(Duty):
    """Acts on due timers."""

    name: ClassVar[str] = "timers"

    def run_once(self, context: DutyContext) -> float:
        while not context.over:
            answer = context.write(coordination.fire_timers(context.term))
            if not answer.ok:
                break
            if answer.number():
                _log.debug("fired timers=%d", answer.number())
            if answer.number() < coordination.PIECE:
                return _until(answer.number(1), context.settings.sweep_seconds / 4)
        return 0.0


def _until(next_ms: int, at_most: float) -> float:
    # A millisecond behind: asking in the very one in which it is due would find it not due yet.
    return at_most if next_ms < 0 else min(at_most, (next_ms + 1) / 1000)
