"""Puts parked tasks back whose reason is gone: pinned ones whose agent a live node offers again.

Interval: ``sweep_seconds``. The verb that removes a reason puts the first 256 back itself; this duty brings
the rest, and what a crash in between left. Its weakness: it looks at every reason in use each time, some in one script.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.store import coordination

_log = logging.getLogger(__name__)


class Unpark(Duty):
    """Brings back what is set aside under scopes that are free."""

    name: ClassVar[str] = "unpark"

    def __init__(self) -> None:
        #: Where the walk over the scopes stands.
        self._at = "0"

    def run_once(self, context: DutyContext) -> float:
        while not context.over:
            answer = context.write(coordination.unpark(context.term, self._at))
            if answer.number():
                _log.debug("unparked tasks=%d", answer.number())
            self._at = answer.text(1) or "0"
            if answer.number() < coordination.UNPARKED and self._at == "0":
                return context.settings.sweep_seconds
        return 0.0
