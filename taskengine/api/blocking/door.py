"""The door for scripts and threads: no event loop anywhere; threads may share one."""

from __future__ import annotations

import threading
from typing import Self, TypeVar

from taskengine.api.aio.door import AsyncDoor
from taskengine.api.door import Door, documented_like
from taskengine.settings import Settings
from taskengine.store.call import Story
from taskengine.store.sync import SyncStore

T = TypeVar("T")


@documented_like(AsyncDoor)
class BlockingDoor(Door):
    """Runs stories of calls; its verbs are added by the classes beside it."""

    def __init__(self, url: str | None = None, settings: Settings | None = None) -> None:
        super().__init__(url, settings)
        self._opening = threading.Lock()
        self._open: SyncStore | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        store, self._open = self._open, None
        if store is not None:
            store.close()

    def _run(self, story: Story[T]) -> T:
        return self._store().run(story)

    def _store(self) -> SyncStore:
        with self._opening:
            if self._open is None:
                url, envelope = self._address()
                store = SyncStore(url, self.settings, envelope)
                store.check()
                self._open = store
        return self._open
