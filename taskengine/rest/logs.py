"""Lines of logs as they are said: asked for once for all who have heard the same, whoever they are and however many.

Nothing is kept for a listener: it hears what is behind the last line that it took, so one that is slow asks for what is
older and is told what is not kept any more; and all who took the latest line wait for the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from pydantic_core import to_json

from taskengine.api.operations.logs import MAX_LINES
from taskengine.errors import NotFoundError
from taskengine.models import LogPage
from taskengine.rest.auth import Door
from taskengine.rest.background import Background
from taskengine.rest.feeds import GONE, last_word, sse
from taskengine.store import executions

#: Seconds between two looks, for lines come every quarter of a second at most; and logs that one second is for, where
#: there are many.
_LOOK, _A_SECOND = 0.4, 250
#: Seconds between two signs to a worker that somebody listens: a third of the time for which it believes one.
_SIGN = executions.WATCH_MS / 3000
#: Looks at the same moment: each takes a connection to the store.
_AT_ONCE = 4


class Place(NamedTuple):
    """Where listeners stand in a log."""

    task: UUID
    #: None: each that there is, one behind the other.
    execution: UUID | int | None
    #: What they have heard; None: nothing.
    after: str | None


class Said(NamedTuple):
    """What is behind a place."""

    #: Of a stream.
    pieces: bytes
    #: What whoever takes them has heard.
    cursor: str
    is_over: bool


@dataclass(slots=True)
class _Asking:
    """Who waits for what is said behind a place."""

    work: asyncio.Task[Said]
    listeners: int = field(default=0)


class Logs:
    """All logs of one event loop; nobody looks at one to which nobody listens."""

    def __init__(self, door: Door, background: Background) -> None:
        self._door = door
        self._background = background
        self._asking: dict[Place, _Asking] = {}
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def listen(self, place: Place) -> AsyncGenerator[bytes]:
        """Yield the lines behind a place and those that come, as pieces of a stream, until the task is over."""
        try:
            while True:
                said = await self._behind(place)
                yield said.pieces
                if said.is_over:
                    return
                place = place._replace(after=said.cursor)
        except NotFoundError:
            yield last_word(GONE)

    async def _behind(self, place: Place) -> Said:
        asking = self._asking.get(place)
        if asking is None:
            asking = self._asking[place] = _Asking(self._background.begin(self._ask(place)))
        asking.listeners += 1
        try:
            return await asyncio.shield(asking.work)  # one who goes away does not take it from the others
        finally:
            asking.listeners -= 1
            if not asking.listeners:
                asking.work.cancel()
                if self._asking.get(place) is asking:
                    del self._asking[place]

    async def _ask(self, place: Place) -> Said:
        """Look until there is something to say."""
        loop = asyncio.get_running_loop()
        sign = loop.time()
        while True:
            async with self._at_once:
                page = await self._look(place)
                if loop.time() >= sign and not page.is_over:
                    await self._door.ask(executions.watch_logs(str(place.task), _attempt(place, page)))
                    sign += _SIGN
            if page or page.missed or page.is_over:
                return Said(_pieces(page), str(page.cursor), page.is_over)
            place = place._replace(after=page.cursor)
            await asyncio.sleep(max(_LOOK, len(self._asking) / _A_SECOND))

    async def _look(self, place: Place) -> LogPage:
        return await self._door.get_logs(
            place.task, execution=place.execution, after=place.after, limit=MAX_LINES
        )


def _attempt(place: Place, page: LogPage) -> int:
    return 0 if place.execution is None else page.attempt


def _pieces(page: LogPage) -> bytes:
    """Return a page as a stream tells it."""
    missed = sse(to_json({"lines": page.missed}), "missed") if page.missed else b""
    lines = b"".join(sse(to_json(line), id=f"{page.attempt}.{line.number}") for line in page)
    return missed + lines + (sse(to_json({"cursor": page.cursor}), "end") if page.is_over else b"")
