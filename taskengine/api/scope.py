"""What every story is told besides its arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from taskengine.settings import Settings
from taskengine.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Scope:
    """One namespace on one server, and the clock by which its client waits."""

    keys: Keys
    settings: Settings
    #: Seconds that only go forward.
    clock: Callable[[], float]
