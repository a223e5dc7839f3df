"""The client for scripts and threads: no event loop anywhere; threads may share one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Self, TypeVar

from taskengine.api.base_client import BaseClient
from taskengine.settings import Settings
from taskengine.store.call import Operation
from taskengine.store.forks import PerProcess
from taskengine.store.sync import SyncStore

T = TypeVar("T")


@dataclass(slots=True)
class _Opened:
    """What one process has of a client."""

    opening: threading.Lock = field(default_factory=threading.Lock)
    store: SyncStore | None = None


class BlockingBaseClient(BaseClient):
    """Runs operations; its verbs are added by the classes beside it."""

    def __init__(
        self, url: str | None = None, settings: Settings | None = None, *, api_key: str | None = None
    ) -> None:
        super().__init__(url, settings, api_key=api_key)
        # The store would notice a fork by itself; the lock, and being a user of the embedded server, would not.
        self._opened = PerProcess(_Opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        opened = self._opened.get()
        store, opened.store = opened.store, None
        if store is not None:
            store.close()

    def _run(self, operation: Operation[T]) -> T:
        return self._store().run(operation)

    def _store(self) -> SyncStore:
        opened = self._opened.get()
        with opened.opening:
            if opened.store is None:
                opened.store = self._connect()
        return opened.store

    def _connect(self) -> SyncStore:
        store = SyncStore(self._address(), self.settings, self._envelope)
        store.check()
        return store
