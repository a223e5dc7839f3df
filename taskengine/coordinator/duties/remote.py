"""Ends slotless executions that nobody else would: over their deadline, silent, or cancelled and past their grace.

A worker ends what its slots hold. These hold none: the token is fenced and the task goes on, and what runs at the
service goes to the orphans of its agent, which its poller ends there. Interval: until the next one may be due, at most
half of ``sweep_seconds``. Its weakness: that half is how late it hears of a deadline that came closer.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.store import coordination, executions, overdue, remote
from taskengine.store.remote import Overdue

_log = logging.getLogger(__name__)


class Remote(Duty):
    """Ends slotless executions whose time is over."""

    name: ClassVar[str] = "remote"

    def run_once(self, context: DutyContext) -> float:
        while not context.over:
            said = context.write(remote.take_overdue(context.term, coordination.PIECE))
            if not said.ok:
                break
            found = remote.overdue(said)
            for one in found:
                _end(context, one)
            if len(found) < coordination.PIECE:
                return _until(said.number(1), context.settings.sweep_seconds / 2)
        return 0.0


def _end(context: DutyContext, one: Overdue) -> None:
    if one.cancelled:
        if context.read(executions.end_cancelled(one.execution_id, one.token)).ok:
            _log.warning("ended cancelled execution=%s after its grace", one.execution_id)
        return
    ends = overdue.time_out(
        context.settings, one.execution_id, one.token, one.task_id, one.deadline_ms, silent=one.silent
    )
    if over := context.read(ends):
        _log.warning("timed out execution=%s task=%s: %s", one.execution_id, one.task_id, over.error)


def _until(next_ms: int, at_most: float) -> float:
    return at_most if next_ms < 0 else min(at_most, (next_ms + 1) / 1000)
