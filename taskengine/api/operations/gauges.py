"""How full the fleet is, in numbers: what a monitor asks again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taskengine.api.context import OperationContext
from taskengine.store import nodes, pauses, quarantine
from taskengine.store.call import Operation
from taskengine.store.nodes import Fleet


@dataclass(frozen=True, slots=True)
class Gauges:
    """Parts as of moments that are some trips apart."""

    fleet: Fleet
    #: Queue -> executions that run.
    running: Mapping[str, int]
    #: Messages that nobody could read.
    quarantined: int


def read_gauges(context: OperationContext) -> Operation[Gauges]:
    """Ask for all of it; a trip for each 32 executions that run."""
    return Gauges(
        fleet=(yield from nodes.fleet()),
        running=(yield from pauses.running_by_queue()),
        quarantined=(yield from quarantine.count(context.keys)),
    )
