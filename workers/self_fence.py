"""Stops what is paid for where a worker is cut off: once its leases may have lapsed, somebody else may run its tasks.

A thread of its own, for the heartbeat may be waiting for the very answer that does not come; a worker that serves no
agent whose type says ``stops_when_cut_off`` has none. Such a run is cancelled, and its attempt ends as *not now*: no
retry is spent, what it checkpointed stays, and if its task was lost meanwhile nobody hears of it.

It goes by when the latest answered beat was *sent*: the lease on the server began no earlier.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from workers.process import Node

logger = logging.getLogger(__name__)

#: Seconds between two looks.
_LOOK_SECONDS = 0.25


class SelfFence:
    """Watches the beats of one node."""

    def __init__(self, node: Node, clock: Callable[[], float] = time.monotonic) -> None:
        self._node = node
        self._clock = clock
        self._heard_at = clock()
        self._is_cut_off = False
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def heard(self, sent_at: float) -> None:
        """A beat that was sent then was answered; starts to watch where something may run that is paid for."""
        self._heard_at, self._is_cut_off = sent_at, False
        if self._thread is None and self._node.any_stops_when_cut_off():
            self._thread = threading.Thread(target=self._watch, name="taskengine-self-fence", daemon=True)
            self._thread.start()

    def look(self) -> int:
        """Cancel what is paid for if the leases may have lapsed; how many runs."""
        silence = self._clock() - self._heard_at
        if silence < self._node.settings.lease_seconds:
            return 0
        stopped = self._node.cut_off()
        if stopped and not self._is_cut_off:
            logger.warning(
                "cut off for %.1f s: stopped %d runs that are paid for, before their tasks start elsewhere",
                silence, stopped,
            )  # fmt: skip
            self._is_cut_off = True
        return stopped

    def close(self) -> None:
        """Watch no more."""
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.look()
