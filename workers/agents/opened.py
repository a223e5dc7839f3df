"""What a process has of an executor: opened once, before its first use, and closed when nothing runs any more."""

from __future__ import annotations

import asyncio
import logging
from typing import Generic, TypeVar

from taskengine.agents import Executor, RemoteExecutor
from workers.loop import Run

E = TypeVar("E", bound=Executor | RemoteExecutor)
logger = logging.getLogger(__name__)


class Opened(Generic[E]):
    """An executor of this process; all but :meth:`close` on the loop."""

    def __init__(self, executor: E) -> None:
        self.executor = executor
        self._opening = asyncio.Lock()
        self._is_open = False

    async def ready(self) -> E:
        """Return the executor, opened. Safe to repeat, also at once."""
        async with self._opening:
            if not self._is_open:
                await self.executor.open()
                self._is_open = True
        return self.executor

    def close(self, name: str, seconds: float) -> None:
        """Close what was opened; nothing runs any more. It waits *seconds* at most, and never raises."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            Run(self.executor.close()).result(seconds)
        except Exception as exc:
            logger.warning("%s was not closed: %r", name, exc)
