"""A TCP proxy in front of a Valkey that loses what a test tells it to lose.

It understands just enough of RESP (2 and 3) to pair replies with requests: bytes pass through unchanged, one whole
reply at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Request = list[bytes]
_NIL = (b"*-1\r\n", b"$-1\r\n", b"_\r\n")
_COUNTED = {b"*": 1, b"~": 1, b">": 1, b"%": 2, b"|": 2}
_CHUNK = 1 << 16


def end_of(data: bytes, at: int = 0) -> int | None:
    """Where the RESP value that begins at *at* ends; None when it is not complete."""
    line = data.find(b"\r\n", at)
    if line < 0:
        return None
    kind, rest = data[at : at + 1], data[at + 1 : line]
    after = line + 2
    if kind in (b"$", b"=", b"!"):
        size = int(rest)
        if size < 0:
            return after
        return after + size + 2 if len(data) >= after + size + 2 else None
    place: int | None = after
    for _ in range(max(0, int(rest)) * _COUNTED[kind] if kind in _COUNTED else 0):
        place = end_of(data, place)
        if place is None:
            return None
    return place


def words_of(request: bytes) -> Request:
    """The command and its arguments."""
    words, at = [], request.find(b"\r\n") + 2
    while at < len(request):
        line = request.find(b"\r\n", at)
        size = int(request[at + 1 : line])
        words.append(request[line + 2 : line + 2 + size])
        at = line + size + 4
    return words


class Lost:
    """A reply that is to be lost; *found* is set when it was."""

    def __init__(self, matches: Callable[[Request], bool], by: str) -> None:
        self.matches = matches
        #: ``cut``: the connection breaks instead. ``silence``: nothing more comes on it.
        self.by = by
        self.found = threading.Event()
        self.request: Request = []


class _Link:
    """One client's connection and its own to the server."""

    def __init__(self, proxy: Proxy, client: asyncio.StreamWriter) -> None:
        self.proxy = proxy
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.asked: deque[Request] = deque()
        self.is_raw = False
        self.flows = asyncio.Event()
        self.flows.set()

    async def serve(self, reader: asyncio.StreamReader) -> None:
        from_server, self.server = await asyncio.open_unix_connection(str(self.proxy.socket))
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            tasks = [asyncio.ensure_future(self.up(reader)), asyncio.ensure_future(self.down(from_server))]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
        self.close()

    def close(self) -> None:
        for end in (self.client, self.server):
            if end is not None:
                end.transport.abort()

    async def up(self, reader: asyncio.StreamReader) -> None:
        held = b""
        while data := await reader.read(_CHUNK):
            await self.flows.wait()
            held += data
            while held and (end := end_of(held)) is not None:
                request = words_of(held[:end])
                held = held[end:]
                self.is_raw = self.is_raw or request[0].upper().endswith(b"SUBSCRIBE")
                self.asked.append(request)
            assert self.server is not None
            self.server.write(data)
            await self.server.drain()

    async def down(self, reader: asyncio.StreamReader) -> None:
        held = b""
        while data := await reader.read(_CHUNK):
            await asyncio.sleep(self.proxy.delay)
            held += data
            while held and (end := end_of(held)) is not None:
                reply, held = held[:end], held[end:]
                await self.flows.wait()
                lost = None if self.is_raw else self.proxy.loss_of(self.asked.popleft(), reply)
                if lost is not None and lost.by == "cut":
                    return
                if lost is not None:
                    self.flows.clear()
                    await self.flows.wait()
                self.client.write(reply)
            await self.client.drain()


class Proxy:
    """Listens on the loopback interface and speaks to the server at *socket*."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        #: Seconds that every answer comes late.
        self.delay = 0.0
        self._links: set[_Link] = set()
        self._losses: list[Lost] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._accept, "127.0.0.1", 0))
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"redis://127.0.0.1:{port}/0"

    def lose(self, matches: Callable[[Request], bool], by: str = "cut") -> Lost:
        """Lose the next reply with content to a request that matches."""
        lost = Lost(matches, by)
        self._losses.append(lost)
        return lost

    def stall(self) -> int:
        """Let nothing pass any more on the connections that are open now; how many that are."""

        async def stall() -> int:
            for link in self._links:
                link.flows.clear()
            return len(self._links)

        return self._run(stall())

    def cut(self) -> None:
        """Break every connection."""

        async def cut() -> None:
            for link in list(self._links):
                link.close()

        self._run(cut())

    def close(self) -> None:
        """Break every connection and listen no more."""

        async def close() -> None:
            self._server.close()
            for link in list(self._links):
                link.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self._run(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def loss_of(self, request: Request, reply: bytes) -> Lost | None:
        """The order to lose this reply, if there is one; it is fulfilled by that."""
        for lost in self._losses:
            if reply not in _NIL and lost.matches(request):
                self._losses.remove(lost)
                lost.request = request
                lost.found.set()
                return lost
        return None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(self, writer)
        self._links.add(link)
        try:
            await link.serve(reader)
        except (OSError, asyncio.CancelledError):
            link.close()
        finally:
            self._links.discard(link)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
