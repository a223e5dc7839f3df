"""A request that brings a whole graph is read, done and answered by a thread.

To read 5 000 tasks takes 70 ms and to write them 30, in which an event loop would do nothing for anybody else. And a
thread has the blocking driver, which makes the next chunk of a graph while the server stages the one before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import from_json

from taskengine.api import BlockingTaskAPI
from taskengine.api.surface import Row, Sends
from taskengine.errors import TaskEngineError
from taskengine.rest.arguments import BODY, body_model
from taskengine.settings import Settings

T = TypeVar("T")
#: Bytes of a body from which on it is one: some hundred tasks.
LARGE_BYTES = 16 * 1024
#: Graphs at once; those behind them wait, which is in the time of their requests.
_THREADS = 4


class Large:
    """The threads of a server, and their client of its store."""

    def __init__(self, settings: Settings) -> None:
        self._client = BlockingTaskAPI(settings=settings)
        self._threads = ThreadPoolExecutor(_THREADS, "graph")

    async def run(self, work: Callable[[BlockingTaskAPI], T]) -> T:
        """Return what *work* comes to in a thread; whoever stops waiting for it does not stop it."""
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, work, self._client)

    def close(self) -> None:
        """Close the connections; the next graph opens them again."""
        self._client.close()


def is_large(row: Row, body: bytes) -> bool:
    """Whether a request is for a thread."""
    return len(body) >= LARGE_BYTES and row.is_large and row.sends is Sends.BODY and not row.waits


def read(row: Row, body: bytes) -> Mapping[str, Any] | None:
    """Return what an endpoint would be brought by a body; None when something is wrong with it."""
    try:
        # Not both at once: pydantic takes NaN for JSON when it reads that itself.
        return {BODY: _adapter(row).validate_python(from_json(body))}
    except (ValueError, RecursionError, TaskEngineError):  # pydantic's are ValueErrors
        return None


@cache
def _adapter(row: Row) -> TypeAdapter[Any]:
    return TypeAdapter(body_model(row))
