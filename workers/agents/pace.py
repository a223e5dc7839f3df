"""Keeps the requests of one client under what its service allows, by waiting."""

from __future__ import annotations

import asyncio
import time
from collections import deque


class Pace:
    """At most *most* requests begin in any *seconds*; on one loop."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._began: deque[float] = deque()
        self._turn = asyncio.Lock()
        #: Nobody asks before, for the service said so.
        self._not_before = 0.0

    async def wait(self) -> None:
        """Return when another request may begin; whoever came first goes first."""
        async with self._turn:
            while (wait := self._wait_seconds(time.monotonic())) > 0:
                await asyncio.sleep(wait)
            self._began.append(time.monotonic())

    def hold(self, seconds: float) -> None:
        """Let nobody ask for so long: the service counts more than we do."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    def _wait_seconds(self, now: float) -> float:
        while self._began and self._began[0] <= now - self._seconds:
            self._began.popleft()
        full = self._began[0] + self._seconds - now if len(self._began) >= self._most else 0.0
        return max(full, self._not_before - now)
