"""A small HTTP/1.1 server on a real socket, for doubles of services: it sees when its client hangs up.

In a thread of its own with :class:`Running`, or in a process of its own where it must not take the worker's time.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Request:
    """What a client sent, and how it is answered."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    #: Whether the connection may take another request.
    keep: bool = True

    def json(self) -> Any:
        return json.loads(self.body or b"null")

    async def answer(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        """Answer whole: bytes as they are, anything else as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/json" if not isinstance(body, bytes) else "text/plain"
        self._begin(status, {"content-type": kind, "content-length": str(len(raw)), **(headers or {})})
        self.writer.write(raw)
        await self.writer.drain()

    async def stream(self, headers: Mapping[str, str] | None = None) -> None:
        """Begin an answer in pieces."""
        self._begin(
            200, {"content-type": "text/event-stream", "transfer-encoding": "chunked", **(headers or {})}
        )
        await self.writer.drain()

    async def piece(self, text: str) -> None:
        raw = text.encode()
        self.writer.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
        await self.writer.drain()

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def drop(self) -> None:
        """Hang up, in the middle of whatever it is."""
        self.keep = False
        self.writer.transport.abort()

    async def until_gone(self, seconds: float) -> bool:
        """Wait that long at most; whether the client hung up meanwhile."""
        try:
            return not await asyncio.wait_for(self.reader.read(1), seconds)
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.writer.write("\r\n".join(lines).encode())


Handle = Callable[[Request], Awaitable[None]]


@dataclass
class Web:
    """The server; *handle* answers."""

    handle: Handle
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while (request := await _read(reader, writer)) is not None:
                await self.handle(request)
                if not request.keep:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    return Request(method, parts.path, dict(parse_qsl(parts.query)), headers, body, reader, writer)


class Running:
    """A server in a thread of its own, until it is closed."""

    def __init__(self, handle: Handle) -> None:
        self._web = Web(handle)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._turn, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._web.start(), self.loop).result(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._web.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self._end)
        self._thread.join(10)

    def _turn(self) -> None:
        self.loop.run_forever()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def _end(self) -> None:
        self._web.stop()
        self.loop.stop()
