"""The client for callers on an event loop: connections of their loop, opened by the first call."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Self, TypeVar

from taskengine.api.base_client import BaseClient
from taskengine.settings import Settings
from taskengine.store.aio import AsyncStore
from taskengine.store.call import Operation
from taskengine.store.forks import PerProcess

T = TypeVar("T")


@dataclass(slots=True)
class _Opened:
    """What one process has of a client."""

    #: The loop that its connections belong to.
    loop: asyncio.AbstractEventLoop | None = None
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    store: AsyncStore | None = None


class AsyncBaseClient(BaseClient):
    """Runs operations; its verbs are added by the classes beside it."""

    def __init__(
        self, url: str | None = None, settings: Settings | None = None, *, api_key: str | None = None
    ) -> None:
        super().__init__(url, settings, api_key=api_key)
        self._opened = PerProcess(_Opened)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the next call opens them again."""
        opened = self._opened.get()
        store, opened.store = opened.store, None
        if store is not None and opened.loop is asyncio.get_running_loop():
            await store.close()

    async def _run(self, operation: Operation[T]) -> T:
        return await (await self._store()).run(operation)

    async def _store(self) -> AsyncStore:
        opened, loop = self._opened.get(), asyncio.get_running_loop()
        if opened.loop is not loop:  # connections belong to the loop that opened them
            opened.loop, opened.opening, opened.store = loop, asyncio.Lock(), None
        async with opened.opening:
            if opened.store is None:
                opened.store = await self._connect()
        return opened.store

    async def _connect(self) -> AsyncStore:
        url, envelope = await self._reach()
        store = AsyncStore(url, self.settings, envelope)
        await store.check()
        return store

    async def _reach(self) -> tuple[str, str]:
        """Return the server's URL and the message that wakes a worker; nothing else of the loop waits for them."""
        return await asyncio.to_thread(lambda: (self._address(), self._envelope()))
