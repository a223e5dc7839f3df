"""Keeps the requests of one client under what its service allows, by waiting."""

from __future__ import annotations

import asyncio
import time


class Pace:
    """Requests at even distances, *most* in any *seconds*; on one loop.

    Evenly, and not as many as there are at once: of two clients that follow each other, as pollers do when one is
    killed, neither knows what the other one used.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._gap = seconds / most
        self._turn = asyncio.Lock()
        #: Monotonic time of the next request.
        self._next = 0.0

    async def wait(self) -> None:
        """Return when another request may begin; whoever came first goes first."""
        async with self._turn:
            while (wait := self._next - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            self._next = time.monotonic() + self._gap

    def hold(self, seconds: float) -> None:
        """Let nobody ask for so long: the service counts more than we do."""
        self._next = max(self._next, time.monotonic() + seconds)
