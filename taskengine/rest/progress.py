"""Verbs for many tasks that tell how far they are: a line of JSON a piece, and a last one with the result.

``{"progress": …}`` lines, then ``{"result": …}``; or ``{"problem": …}``, where it stopped. Whoever goes away stops it
between two pieces, and the same request again goes on: what was done is skipped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict

from taskengine.api.problems import problem
from taskengine.errors import TaskEngineError
from taskengine.models import BulkResult

NDJSON = "application/x-ndjson"
#: How far the verb is, or itself once it is over.
_Said: TypeAlias = "BulkResult | asyncio.Future[BulkResult]"


class Line(BaseModel):
    """One line; one of its fields is there."""

    model_config = ConfigDict(frozen=True)

    progress: BulkResult | None = None
    result: BulkResult | None = None
    problem: dict[str, Any] | None = None

    def written(self) -> bytes:
        """As JSON, with its line end."""
        return self.model_dump_json(exclude_none=True).encode() + b"\n"


def is_wanted(request: Request) -> bool:
    """Whether the client asks for lines."""
    return NDJSON in request.headers.get("accept", "")


async def told(method: Callable[..., Awaitable[BulkResult]], given: Mapping[str, Any]) -> Response:
    """Run a verb and answer with its lines; what fails before the first piece is an answer of its own."""
    said: asyncio.Queue[_Said] = asyncio.Queue()
    running = asyncio.ensure_future(method(**given, progress=said.put_nowait))
    running.add_done_callback(said.put_nowait)
    try:
        first = await said.get()
        if first is running:
            await running
    except BaseException:
        await _end(running)
        raise
    return StreamingResponse(_lines(running, first, said), media_type=NDJSON)


async def _lines(running: asyncio.Future[BulkResult], first: _Said, said: asyncio.Queue[_Said]) -> AsyncIterator[bytes]:
    try:
        now = first
        while isinstance(now, BulkResult):
            yield Line(progress=now).written()
            now = await said.get()
        yield _last(now).written()
    finally:
        await _end(running)


def _last(running: asyncio.Future[BulkResult]) -> Line:
    try:
        return Line(result=running.result())
    except TaskEngineError as exc:
        return Line(problem=problem(exc))


async def _end(running: asyncio.Future[BulkResult]) -> None:
    """End what still runs, and wait for it."""
    running.cancel()
    with suppress(asyncio.CancelledError, TaskEngineError):
        await running
