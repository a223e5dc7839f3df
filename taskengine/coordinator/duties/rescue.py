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

from taskengine.coordinator.leader import Leader
from taskengine.coordinator.turn import Duty, Turn
from taskengine.store import coordination

_log = logging.getLogger(__name__)


class Rescue(Duty):
    """Finds dead workers."""

    name: ClassVar[str] = "rescue"

    def __init__(self, leader: Leader) -> None:
        self._leader = leader

    def run_once(self, turn: Turn) -> float:
        while not turn.over:
            waits = self._leader.distrusts_for(turn.clock())
            if waits > 0:
                return waits
            answer = turn.tell(coordination.rescue(turn.term))
            if answer.ok and (answer.number() or answer.number(1)):
                _log.warning("rescued executions=%d nodes_gone=%d", answer.number(), answer.number(1))
            if answer.number() < coordination.PIECE:
                return turn.settings.sweep_seconds / 2
        return 0.0
