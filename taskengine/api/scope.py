"""What every story is told besides its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from taskengine.api.expectations import Expectations
from taskengine.settings import Settings
from taskengine.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Scope:
    """One namespace on one server, and the clock by which its client waits."""

    keys: Keys
    settings: Settings
    #: Seconds that only go forward.
    clock: Callable[[], float]
    #: What it learned of how long tasks take.
    expectations: Expectations = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "expectations", Expectations(self.keys, self.clock))
