"""One thread of a process that carries what its executions say to the store; started by the first word.

A process whose agents say nothing has no such thread. What the thread cannot send stays with its log buffer, and is
tried again: an agent never hears of it.
"""

from __future__ import annotations

import logging
import os
import threading

from taskengine.errors import StoreError
from taskengine.store.sync import SyncStore
from workers.log_buffer import LogBuffer

#: Seconds between two pieces of one execution, and after a server did not take one.
_PAUSE, _LONG_PAUSE = 0.25, 1.0

logger = logging.getLogger(__name__)


class LogSender:
    """Sends what log buffers hold; one of each process, made after a fork."""

    def __init__(self, store: SyncStore) -> None:
        self.pid = os.getpid()
        self._store = store
        self._lock = threading.Lock()
        self._due: dict[LogBuffer, None] = {}
        self._news = threading.Event()
        self._is_started = False

    def wake(self, log_buffer: LogBuffer) -> None:
        """Something was said; safe from any thread."""
        with self._lock:
            self._due[log_buffer] = None
            starts, self._is_started = not self._is_started, True
        if starts:
            threading.Thread(target=self._send_forever, name="taskengine-logs", daemon=True).start()
        self._news.set()

    def _send_forever(self) -> None:
        while True:
            self._news.wait()
            self._news.clear()
            with self._lock:
                due, self._due = self._due, {}
            failed = [log_buffer for log_buffer in due if not self._send(log_buffer)]
            threading.Event().wait(_LONG_PAUSE if failed else _PAUSE)
            for log_buffer in failed:
                self.wake(log_buffer)

    def _send(self, log_buffer: LogBuffer) -> bool:
        try:
            while log_buffer.send(self._store.run):
                pass
        except StoreError as exc:
            logger.info("log lines wait: %s", exc)
            return False
        return True
