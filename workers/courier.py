"""One thread of a process that carries what its executions say to the store; started by the first word.

A process whose agents say nothing has no such thread. What the thread can not send stays with its journal, and is
tried again: an agent never hears of it.
"""

from __future__ import annotations

import logging
import os
import threading

from taskengine.errors import StoreError
from taskengine.store.sync import SyncStore
from workers.journal import Journal

#: Seconds between two pieces of one execution, and after a server did not take one.
_PAUSE, _LONG_PAUSE = 0.25, 1.0

logger = logging.getLogger(__name__)


class Courier:
    """Sends what journals hold; one of each process, made after a fork."""

    def __init__(self, store: SyncStore) -> None:
        self.pid = os.getpid()
        self._store = store
        self._lock = threading.Lock()
        self._due: dict[Journal, None] = {}
        self._news = threading.Event()
        self._is_started = False

    def wake(self, journal: Journal) -> None:
        """Something was said; safe from any thread."""
        with self._lock:
            self._due[journal] = None
            starts, self._is_started = not self._is_started, True
        if starts:
            threading.Thread(target=self._carry_forever, name="taskengine-logs", daemon=True).start()
        self._news.set()

    def _carry_forever(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            with self._lock:
                due, self._due = self._due, {}
            failed = [journal for journal in due if not self._carry(journal)]
            threading.Event().wait(_LONG_PAUSE if failed else _PAUSE)
            for journal in failed:
                self.wake(journal)

    def _carry(self, journal: Journal) -> bool:
        try:
            while journal.send(self._store.run):
                pass
        except StoreError as exc:
            logger.info("log lines wait: %s", exc)
            return False
        return True
