"""Ends executions whose lease lapsed as LOST, and takes nodes that stopped beating out of the fleet.

Interval: half of ``sweep_seconds``; with a lease of 10 s a dead worker's task runs again well within 15 s.
After an outage it waits one full lease first (see :mod:`taskengine.coordinator.leader`): leases that lapsed
while nobody could renew them say nothing. Its weakness: a node that is cut off but lives goes on until its
own report is fenced, so an effect outside may happen twice; and every outage delays the rescue of who really
died in it by one lease.
"""

from __future__ import annotations

import logging
from typing import ClassVar

from taskengine.coordinator.duty import Duty, DutyContext
from taskengine.coordinator.leader import Leader
from taskengine.store import coordination
from taskengine.store.replies import Reply

_log = logging.getLogger(__name__)


class Rescue(Duty):
    """Ends executions whose lease lapsed as LOST, and forgets nodes that are gone."""

    name: ClassVar[str] = "rescue"

    def __init__(self, leader: Leader) -> None:
        self._leader = leader

    def run_once(self, context: DutyContext) -> float:
        while not context.over:
            waits = self._leader.distrusts_for(context.clock())
            if waits > 0:
                return waits
            answer = context.write(coordination.rescue(context.term))
            _tell(answer)
            if answer.number() < coordination.LEASES:
                return context.settings.sweep_seconds / 2
        return 0.0


def _tell(answer: Reply) -> None:
    """Say whom it rescued from whom: an operator looks for both."""
    lost = answer.texts(2)
    for task, node in zip(lost[::2], lost[1::2], strict=True):
        _log.warning("rescued task=%s worker=%s: it stopped renewing its lease", task, node)
    for node in answer.texts(3):
        _log.warning("forgot worker=%s: it fell silent", node)
