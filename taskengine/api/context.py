"""What every operation is told besides its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from taskengine.api.estimate_cache import EstimateCache
from taskengine.settings import Settings
from taskengine.store.keys import Keys


@dataclass(frozen=True, slots=True)
class OperationContext:
    """One namespace on one server, and the clock by which its client waits."""

    keys: Keys
    settings: Settings
    #: Seconds that only go forward.
    clock: Callable[[], float]
    #: What it learned of how long tasks take.
    estimates: EstimateCache = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "estimates", EstimateCache(self.keys, self.clock))
