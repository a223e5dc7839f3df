"""The door for callers on an event loop: connections of their loop, opened by the first call."""

from __future__ import annotations

import asyncio
from typing import Self, TypeVar

from taskengine.api.door import Door
from taskengine.settings import Settings
from taskengine.store.aio import AsyncStore
from taskengine.store.call import Story

T = TypeVar("T")


class AsyncDoor(Door):
    """Runs stories of calls; its verbs are added by the classes beside it."""

    def __init__(self, url: str | None = None, settings: Settings | None = None) -> None:
        super().__init__(url, settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening = asyncio.Lock()
        self._open: AsyncStore | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the next call opens them again."""
        store, self._open = self._open, None
        if store is not None and self._loop is asyncio.get_running_loop():
            await store.close()

    async def _run(self, story: Story[T]) -> T:
        return await (await self._store()).run(story)

    async def _store(self) -> AsyncStore:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # connections belong to the loop that opened them
            self._loop, self._opening, self._open = loop, asyncio.Lock(), None
        async with self._opening:
            if self._open is None:
                url, envelope = await asyncio.to_thread(self._address)
                store = AsyncStore(url, self.settings, envelope)
                await store.check()
                self._open = store
        return self._open
