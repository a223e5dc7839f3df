"""What goes on beside the requests of a server, and ends with it: before the connections to the store are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """All such work of one event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do it beside everything else."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def end(self) -> None:
        """Cancel all of it, and wait until it has put away what it had; safe to repeat."""
        while left := list(self._tasks):
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
