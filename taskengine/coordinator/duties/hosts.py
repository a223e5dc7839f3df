"""Keeps hosts free for tasks that waited for room too long, and drops what is reserved by nobody.

Interval: ``sweep_seconds`` while a task waits or a host is there, through two queues and two hosts a time, not always
the same. What executions reserve needs no counter, so the second part finds nothing unless somebody changed stored data
by hand. Its weakness: with many demands in many queues one that waited too long is met some sweeps late.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.store import hosts

_log = logging.getLogger(__name__)


class Hosts(Duty):
    """Looks after what hosts have room for."""

    name: ClassVar[str] = "hosts"

    def run_once(self, context: DutyContext) -> float:
        patience = round(context.settings.resource_patience_seconds * 1000)
        answer = context.write(hosts.look_after(context.term, patience))
        if answer.ok and answer.number(1):
            _log.warning("dropped reservations of executions that do not run: %d", answer.number(1))
        return context.settings.sweep_seconds
