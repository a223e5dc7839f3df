"""One stream of a server as cheaply as Python hears it: chunks of HTTP, with what they hold left as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

_HEAD = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"
_NOISE = (b": ping\n\n", b"retry: 1000\n\n")
#: Connections that are opened at once.
_AT_ONCE = 20


class Stream(asyncio.Protocol):
    """One connection; *hear* is told each piece that is no sign of life alone, and raises what is wrong with it."""

    def __init__(self, port: int, path: str, hear: Callable[[memoryview], None]) -> None:
        self._request, self._hear = _HEAD.format(path=path, port=port).encode(), hear
        self._left = bytearray()
        #: It was answered.
        self.is_answered = False
        #: Fails where it is sent away, or hears what is wrong.
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        """Ask."""
        self._transport = transport
        transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody may be sent away."""
        self._fail(RuntimeError(f"sent away: {exc}"))

    def data_received(self, data: bytes) -> None:
        """Take whole chunks, and leave the rest for later."""
        self._left += data
        try:
            if not self.is_answered:
                self._read_head()
            with memoryview(bytes(self._left)) as view:
                used = self._take(view)
            del self._left[:used]
        except (ValueError, RuntimeError) as exc:
            self._fail(exc)
            self._transport.abort()

    def close(self) -> None:
        """Hear no more."""
        self.over.cancel()
        self._transport.abort()

    def _fail(self, exc: Exception) -> None:
        if not self.over.done():
            self.over.set_exception(exc)

    def _read_head(self) -> None:
        head, found, rest = bytes(self._left).partition(b"\r\n\r\n")
        if not found:
            return
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode())
        self.is_answered, self._left = True, bytearray(rest)

    def _take(self, view: memoryview) -> int:
        begin = 0
        while self.is_answered and (end := self._left.find(b"\r\n", begin)) >= 0:
            size = int(view[begin:end].tobytes(), 16)
            if size == 0:
                raise RuntimeError("the stream ended")
            if len(view) < end + 2 + size + 2:
                break
            piece = view[end + 2 : end + 2 + size]
            if piece not in _NOISE:
                self._hear(piece)
            begin = end + 2 + size + 2
        return begin


async def opened(port: int, path: str, hearing: list[Callable[[memoryview], None]]) -> list[Stream]:
    """Return a stream for each of these, twenty at once."""
    loop, found = asyncio.get_running_loop(), list[Stream]()

    def connect(hear: Callable[[memoryview], None]) -> Awaitable[tuple[Any, Stream]]:
        return loop.create_connection(lambda: Stream(port, path, hear), "127.0.0.1", port)

    for at in range(0, len(hearing), _AT_ONCE):
        found += [stream for _, stream in await asyncio.gather(*map(connect, hearing[at : at + _AT_ONCE]))]
    return found


async def until_all(streams: list[Stream], fact: Callable[[], bool]) -> None:
    """Wait until something is so; raise what ended a stream before."""
    while not fact():
        await asyncio.sleep(0.02)
        for each in streams:
            if each.over.done():
                each.over.result()
