"""Answers that go on: events as a browser's ``EventSource`` hears them, until one side ends it.

A stream is no request that is being answered: it costs nothing while nothing happens, so it has a bound of its own. One
whose listener takes nothing for half a minute is cut off.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from taskengine.errors import TaskEngineError
from taskengine.rest.feeds import BYE, CUT, LEAVE, last_word
from taskengine.rest.problems import HttpError

#: Streams of one process, and of one key.
MOST_STREAMS, MOST_OF_A_KEY = 1000, 100
#: Seconds between two signs of life, and for which a listener may take nothing.
_PING, _PATIENCE = 15.0, 30.0
#: Seconds after which to come back where there are too many.
_LATER = {"Retry-After": "5"}
_HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}


class Streams:
    """All streams of one event loop."""

    def __init__(self) -> None:
        self._of_key: Counter[str] = Counter()
        self._open: set[EventStream] = set()
        self._pinging: asyncio.Task[None] | None = None
        self._is_ending = False

    def stream(self, key: str | None, pieces: AsyncGenerator[bytes]) -> EventStream:
        """Return an answer of these pieces; HttpError where there are too many streams already.

        *key*: whose it is; None where nobody needs one, and then they are bounded together alone.
        """
        name = key or ""
        if len(self._open) >= MOST_STREAMS or (key is not None and self._of_key[name] >= MOST_OF_A_KEY):
            whose = "the server" if len(self._open) >= MOST_STREAMS else "this key"
            raise HttpError(429, f"{whose} has as many open streams as it may; close some", _LATER)
        found = EventStream(pieces, lambda: self._forget(found, name))
        if self._is_ending:  # a refusal would keep a browser from coming back
            found.end()
        self._open.add(found)
        self._of_key[name] += 1
        if self._pinging is None:
            self._pinging = asyncio.ensure_future(self._ping())
        return found

    def _forget(self, stream: EventStream, name: str) -> None:
        if stream in self._open:
            self._open.discard(stream)
            self._of_key[name] -= 1

    def say_bye(self) -> None:
        """End all streams, and each that begins from now on: their listeners come back, here or elsewhere."""
        self._is_ending = True
        for each in list(self._open):
            each.end()

    async def _ping(self) -> None:
        while self._open:
            await asyncio.sleep(_PING)
            now = asyncio.get_running_loop().time()
            for each in list(self._open):
                await each.ping(now)
        self._pinging = None


class EventStream(Response):
    """One stream."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes], on_end: Callable[[], None]) -> None:
        super().__init__(None, headers=_HEADERS)
        del self.headers["content-length"]
        self._pieces = pieces
        self._on_end = on_end
        self._pouring: asyncio.Task[None] | None = None
        self._send: Send | None = None
        #: Moment of the loop since when the listener has taken nothing; None while it takes.
        self._stuck: float | None = None
        self._is_ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until the pieces end, the listener goes away, or somebody ends it."""
        scope.get(LEAVE, lambda: None)()
        self._send = send
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        self._pouring = asyncio.ensure_future(self._pour())
        if self._is_ended:
            self._pouring.cancel()
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({self._pouring, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not gone.done():
                await self._finish(scope)
        finally:
            self._on_end()
            for each in (gone, self._pouring):
                each.cancel()
                with suppress(asyncio.CancelledError):
                    await each

    async def _pour(self) -> None:
        await self._put(b"retry: 1000\n\n")
        with suppress(TaskEngineError):  # the store does not answer: the listener comes back
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    await self._put(piece)
                    del piece

    async def _put(self, piece: bytes) -> None:
        assert self._send is not None
        self._stuck = asyncio.get_running_loop().time()
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        self._stuck = None

    async def ping(self, now: float) -> None:
        """Give a sign of life; cut off who takes nothing."""
        if self._stuck is None:
            await self._put(b": ping\n\n")
        elif now > self._stuck + _PATIENCE:
            self.end()

    def end(self) -> None:
        """End it, whatever it does."""
        self._is_ended = True
        if self._pouring is not None:
            self._pouring.cancel()

    async def _finish(self, scope: Scope) -> None:
        if self._stuck is not None:
            scope.get(CUT, lambda: None)()
            return
        assert self._send is not None
        last: Message = {"type": "http.response.body", "body": last_word(BYE) if self._is_ended else b""}
        await self._send(last)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
