"""Servers that really listen, and listeners as a browser's ``EventSource`` is one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

import httpx2
import uvicorn

from taskengine.rest.app import application, live_of
from taskengine.rest.bind import Bind, listen
from taskengine.rest.protocol import PatientProtocol
from taskengine.rest.serve import Server
from taskengine.settings import Settings

#: Seconds after which a fact that does not come is one that never will.
DEADLINE = 60.0


@asynccontextmanager
async def listening(settings: Settings, *, needs_key: bool = False, **more: Any) -> AsyncIterator[str]:
    """The address of a server in this process."""
    socket = listen(Bind(port=0))
    socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096)  # so that who does not listen is soon known
    app = application(settings, hosts=None, needs_key=needs_key)
    config = uvicorn.Config(
        app, http=PatientProtocol, ws="none", log_level="warning", timeout_graceful_shutdown=5, **more
    )
    server = Server(config, live_of(app).say_bye)
    running = asyncio.ensure_future(server.serve(sockets=[socket]))
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}/api/v1"
    finally:
        server.should_exit = True
        await running
        socket.close()


@dataclass
class Said:
    """One event of a stream."""

    event: str
    data: Any
    id: str | None


@dataclass
class Listener:
    """Hears a stream, and comes back where it was cut, as browsers do."""

    url: str
    #: Of the last event that had one.
    id: str | None = None
    heard: list[Said] = field(default_factory=list)
    comes_back: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    times: int = 0

    async def run(self) -> None:
        """Listen until it is cancelled, or for one answer."""
        async with httpx2.AsyncClient(timeout=httpx2.Timeout(DEADLINE), trust_env=False) as client:
            while True:
                try:
                    await self._once(client)
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)
                self.times += 1
                if not self.comes_back:
                    return
                await asyncio.sleep(0.02)

    async def _once(self, client: httpx2.AsyncClient) -> None:
        headers = {"Accept": "text/event-stream", **self.headers}
        if self.id is not None:
            headers["Last-Event-ID"] = self.id
        async with client.stream("GET", self.url, headers=headers) as answer:
            self.answers.append(answer.status_code)
            if answer.status_code != 200:
                await answer.aread()
                self.comes_back = False
                return
            event, data, id = "message", None, self.id
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    id = value
                elif name == "event":
                    event = value
                elif name == "data":
                    data = json.loads(value)
                elif not line and data is not None:
                    self.id = id
                    self.heard.append(Said(event, data, id))
                    event, data = "message", None

    def words(self) -> list[str]:
        """Return what it heard, by name."""
        return [said.event for said in self.heard]


@asynccontextmanager
async def hearing(*listeners: Listener) -> AsyncIterator[None]:
    """While the block lasts, they listen."""
    running = [asyncio.ensure_future(each.run()) for each in listeners]
    try:
        yield
    finally:
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def until(holds: Callable[[], object], why: Callable[[], object] = lambda: "") -> None:
    """Wait for a fact."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not holds():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"it never came: {why()}") from None
