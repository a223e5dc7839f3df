"""The server, to be awaited by coroutine agents: a few connections for all runs on a loop.

A thousand runs of one process write seldom and briefly; a connection for each would be a thousand of the server's, and
of the machine's descriptors.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Protocol, TypeVar
from weakref import WeakKeyDictionary

from taskengine.errors import StoreFullError, StoreUnavailableError
from taskengine.store.call import Call, Operation
from workers.outage_retry import FIRST_WAIT, LONGEST_WAIT

T = TypeVar("T")
logger = logging.getLogger(__name__)

#: Trips at once of one loop, each on a connection.
CONNECTIONS = 8


class Awaits(Protocol):
    """An async driver."""

    async def run(self, work: Call[T] | Operation[T]) -> T: ...  # as AsyncStore's


class SharedStore:
    """The async drivers of one process, one for each loop: they belong to the loop that used them first."""

    def __init__(self, make: Callable[[], Awaits]) -> None:
        self._make = make
        self._of: WeakKeyDictionary[AbstractEventLoop, tuple[Awaits, asyncio.Semaphore]] = WeakKeyDictionary()

    async def run(self, ask: Callable[[], Call[T] | Operation[T]], name: str) -> T:
        """Return the answer of *ask*, which is safe to repeat, asked again while the server is away."""
        loop = asyncio.get_running_loop()
        if loop not in self._of:
            self._of[loop] = self._make(), asyncio.Semaphore(CONNECTIONS)
        store, free = self._of[loop]
        wait = FIRST_WAIT
        while True:
            try:
                async with free:
                    return await store.run(ask())
            except (StoreUnavailableError, StoreFullError) as exc:
                if wait == FIRST_WAIT:
                    logger.warning("waiting %s: %s", name, exc)
            await asyncio.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 2)
