"""When a part of the stack that ended by itself is started again.

At once would be too soon for one that cannot live now, never is too late for a fleet that nobody watches: after a
second, then after twice as long each time, up to a minute. A part that stayed for a minute is well again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from taskengine.cli.child import Child

#: Seconds from the end of a part to its first new start.
FIRST_SECONDS = 1.0
#: The longest delay, and the life after which the next delay is the first one again.
LONGEST_SECONDS = 60.0


@dataclass(slots=True)
class Restarts:
    """Delays of each part, by name."""

    clock: Callable[[], float] = time.monotonic
    _delays: dict[str, float] = field(default_factory=dict)
    #: Name -> when it is to be started again.
    _due: dict[str, float] = field(default_factory=dict)
    #: Name -> when it was started the last time.
    _began: dict[str, float] = field(default_factory=dict)

    def knows(self, child: Child) -> bool:
        """Whether the end of this part was noted and it is to be started again."""
        return child.name in self._due

    def note_end(self, child: Child) -> float:
        """Seconds until this part is started again."""
        lived = self.clock() - self._began.get(child.name, self.clock())
        before = self._delays.get(child.name, 0.0) if lived < LONGEST_SECONDS else 0.0
        delay = min(LONGEST_SECONDS, 2 * before) or FIRST_SECONDS
        self._delays[child.name], self._due[child.name] = delay, self.clock() + delay
        return delay

    def take_due(self, children: Iterable[Child]) -> list[Child]:
        """Return those of *children* whose time has come; they count as started now."""
        due = [child for child in children if self._due.get(child.name, float("inf")) <= self.clock()]
        for child in due:
            del self._due[child.name]
            self._began[child.name] = self.clock()
        return due
