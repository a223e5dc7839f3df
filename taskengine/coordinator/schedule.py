"""Which duty is due when."""

from __future__ import annotations

from collections.abc import Iterable

from taskengine.coordinator.duty import Duty


class Schedule:
    """Duties by the moment they are due, in seconds on the loop's clock."""

    def __init__(self, duties: Iterable[Duty], now: float) -> None:
        self._due = dict.fromkeys(duties, now)

    def next(self) -> tuple[Duty, float]:
        """Return the duty that is due first, and when; equals in the order of their last turns."""
        duty = min(self._due, key=self._due.__getitem__)
        return duty, self._due[duty]

    def put(self, duty: Duty, at: float) -> None:
        """Plan the next turn of a duty that just had one."""
        del self._due[duty]  # moves it behind its equals, so that none starves
        self._due[duty] = at

    def hurry_all(self, at: float) -> None:
        """Let every duty run at *at* unless it is due earlier."""
        for duty in self._due:
            self.hurry(duty, at)

    def hurry(self, duty: Duty, at: float) -> None:
        """Let a duty run at *at* unless it is due earlier."""
        self._due[duty] = min(self._due[duty], at)
