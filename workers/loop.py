"""One asyncio loop in a thread, shared by all coroutine agents of a process: Celery has no asyncio pool."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _shared_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="taskengine-agents", daemon=True).start()
    return loop


class Run:
    """One coroutine on the shared loop.

    Cancelling reaches the coroutine, which may clean up; :meth:`result` waits for how it really ends. (The future of
    ``run_coroutine_threadsafe`` would be over at once, with the coroutine still at work.)
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._loop = _shared_loop()
        self._task: asyncio.Task[Any] | None = None
        self._is_cancelled = False
        #: What it raised that asyncio would not hand on as it is.
        self._raised: BaseException | None = None
        self._future = asyncio.run_coroutine_threadsafe(self._hold(coroutine), self._loop)

    def cancel(self) -> None:
        """Ask the coroutine to end; safe from any thread, and when it ended already."""
        self._loop.call_soon_threadsafe(self._cancel)

    def result(self, seconds: float | None) -> Any:
        """What it returned or raised; TimeoutError while :attr:`is_over` is False after *seconds*."""
        value = self._future.result(seconds)
        if self._raised is not None:
            raise self._raised
        return value

    def watch(self, cancelled: Callable[[], bool], look_seconds: float) -> Any:
        """What it comes to; it is cancelled when *cancelled* says so, which is asked every *look_seconds*."""
        while not cancelled():
            try:
                return self.result(look_seconds)
            except TimeoutError:
                if self.is_over:  # the error is its own, or it ended this very moment
                    return self.result(None)
        self.cancel()
        return self.result(None)

    @property
    def is_over(self) -> bool:
        """Whether it ended."""
        return self._future.done()

    async def _hold(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        self._task = asyncio.current_task()
        if self._is_cancelled:
            self._cancel()
        try:
            return await coroutine
        except (SystemExit, KeyboardInterrupt) as exc:  # asyncio would end the loop, and everybody on it
            self._raised = exc
            return None
        except (asyncio.CancelledError, CancelledError) as exc:
            if self._is_cancelled:
                raise
            self._raised = exc  # nobody cancelled it: an error such as any other, with its place
            return None

    def _cancel(self) -> None:
        self._is_cancelled = True  # also when it comes before the first step
        if self._task is not None:
            self._task.cancel()
