"""Answers that go on: events as a browser's ``EventSource`` hears them, until one side ends it.

A stream is no request that is being answered: it costs nothing while nothing happens, so it has a bound of its own. One
whose listener takes nothing for half a minute is cut off, and so is one whose key was revoked or whose session is over.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from taskengine.api.operations.keys import Caller, Shown
from taskengine.errors import TaskEngineError
from taskengine.rest.background import Background
from taskengine.rest.feeds import BYE, CUT, LEAVE, last_word
from taskengine.rest.problems import HttpError

#: Streams of one process, and of one key.
MOST_STREAMS, MOST_OF_A_KEY = 1000, 100
#: Seconds between two signs of life (and two looks at who listens), and for which a listener may take nothing.
_PING, _PATIENCE = 15.0, 30.0
#: Seconds after which to come back where there are too many.
_LATER = {"Retry-After": "5"}
_HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}


class Streams:
    """All streams of one event loop."""

    def __init__(self, lets_in: Callable[[Shown], Awaitable[bool]], background: Background) -> None:
        self._lets_in = lets_in
        self._background = background
        self._of_key: Counter[str] = Counter()
        self._open: dict[EventStream, Shown | None] = {}
        self._pinging: asyncio.Task[None] | None = None
        self._is_ending = False

    def stream(self, caller: Caller, pieces: AsyncGenerator[bytes]) -> EventStream:
        """Return an answer of these pieces; HttpError where there are too many streams already.

        Where nobody needs a key they are bounded together alone.
        """
        key = caller.shown.key_id if caller.shown else ""
        if len(self._open) >= MOST_STREAMS or (key and self._of_key[key] >= MOST_OF_A_KEY):
            whose = "the server" if len(self._open) >= MOST_STREAMS else "this key"
            raise HttpError(429, f"{whose} has as many open streams as it may; close some", _LATER)
        found = EventStream(pieces, lambda: self._forget(found))
        if self._is_ending:  # a refusal would keep a browser from coming back
            found.end()
        self._open[found] = caller.shown
        self._of_key[key] += 1
        if self._pinging is None:
            self._pinging = self._background.begin(self._ping())
        return found

    def _forget(self, stream: EventStream) -> None:
        shown = self._open.pop(stream)
        self._of_key[shown.key_id if shown else ""] -= 1

    def say_bye(self) -> None:
        """End all streams, and each that begins from now on: their listeners come back, here or elsewhere."""
        self._is_ending = True
        for each in list(self._open):
            each.end()

    async def _ping(self) -> None:
        while self._open:
            await asyncio.sleep(_PING)
            now = asyncio.get_running_loop().time()
            for each in self._open:
                each.ping(now)
            await self._end_foreign()
        self._pinging = None

    async def _end_foreign(self) -> None:
        """End the streams of whom nobody would let in any more; a store that gives no answer, or a broken one, ends
        none.
        """
        with suppress(TaskEngineError):
            for shown in set(filter(None, self._open.values())):
                if not await self._lets_in(shown):
                    for each in [each for each, whose in self._open.items() if whose == shown]:
                        each.end()


class EventStream(Response):
    """One stream."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes], on_end: Callable[[], None]) -> None:
        super().__init__(None, headers=_HEADERS)
        del self.headers["content-length"]
        self._pieces = pieces
        self._on_end = on_end
        self._pouring: asyncio.Task[None] | None = None
        self._sign: asyncio.Task[None] | None = None
        self._send: Send | None = None
        self._cut: Callable[[], None] = _nothing
        #: Moment of the loop since when the listener has taken nothing; None while it takes.
        self._stuck: float | None = None
        self._is_ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer until the pieces end, the listener goes away, or somebody ends it."""
        scope.get(LEAVE, _nothing)()
        self._send, self._cut = send, scope.get(CUT, _nothing)
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._until_over(receive)
        finally:
            self._on_end()

    async def _until_over(self, receive: Receive) -> None:
        self._pouring = asyncio.ensure_future(self._pour())
        if self._is_ended:
            self._pouring.cancel()
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({self._pouring, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not gone.done():
                await self._finish()
        finally:
            for each in filter(None, (gone, self._pouring, self._sign)):
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

    async def _put(self, piece: bytes, *, is_last: bool = False) -> None:
        assert self._send is not None
        self._stuck = asyncio.get_running_loop().time()
        await self._send({"type": "http.response.body", "body": piece, "more_body": not is_last})
        self._stuck = None

    def ping(self, now: float) -> None:
        """Give a sign of life, and wait for nobody to take it; cut off who takes nothing."""
        if self._send is None:
            return
        if self._stuck is None:
            self._sign = asyncio.ensure_future(self._put(b": ping\n\n"))
        elif now > self._stuck + _PATIENCE:
            self._cut()

    def end(self) -> None:
        """End it, whatever it does."""
        self._is_ended = True
        if self._pouring is not None:
            self._pouring.cancel()

    async def _finish(self) -> None:
        if self._is_ended and self._stuck is not None:  # it would not take a last word either
            self._cut()
            return
        if self._sign is not None:
            self._sign.cancel()
        await self._put(last_word(BYE) if self._is_ended else b"", is_last=True)


def _nothing() -> None:
    """A request without a server of ours is none of many, and has no connection to cut."""


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
