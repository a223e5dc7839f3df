"""One asyncio loop in a thread, shared by all coroutine agents of a process: Celery has no asyncio pool."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _shared_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="taskengine-agents", daemon=True).start()
    return loop


def submit(coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
    """Run *coroutine* on the shared loop; cancelling the future cancels it."""
    return asyncio.run_coroutine_threadsafe(coroutine, _shared_loop())
