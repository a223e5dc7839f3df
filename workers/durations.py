"""How long what ran here took, told in one small update a second: no report pays for it.

The estimates serve the order of tasks and what people are told, so a few lost samples are no loss: what the server
does not take at once is dropped, and a burst of more kinds than fit counts for its queues alone.
"""

from __future__ import annotations

import logging
import threading
import time

from taskengine.core.estimates import blend
from taskengine.errors import StoreError
from taskengine.store import estimates
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore

logger = logging.getLogger(__name__)

#: Seconds between two updates of one process.
_EVERY = 1.0
#: Kinds that one update tells.
_MOST = 200


class Durations:
    """The runs of one process since its last update; any thread may add."""

    def __init__(self) -> None:
        #: Kind -> runs and seconds of all of them.
        self._samples: dict[str, tuple[int, float]] = {}
        self._due = 0.0
        self._lock = threading.Lock()

    def add(self, queue: str, kind: str, seconds: float) -> None:
        """Note a run of *kind* that completed."""
        with self._lock:
            self._count(queue, seconds)
            if kind in self._samples or len(self._samples) < _MOST:
                self._count(kind, seconds)

    def tell(self, store: SyncStore) -> None:
        """Update the estimates, at most once a second; what comes in between waits for the next call."""
        now = time.monotonic()
        with self._lock:
            if now < self._due or not self._samples:
                return
            self._due = now + _EVERY
            samples, self._samples = self._samples, {}
        try:
            before = store.run(estimates.read_estimates(Keys(store.settings.namespace), list(samples)))
            store.run(estimates.update_estimates({k: blend(before.get(k), n, s / n) for k, (n, s) in samples.items()}))
        except StoreError as exc:
            logger.info("dropped the durations of %d kinds: %s", len(samples), exc)

    def _count(self, kind: str, seconds: float) -> None:
        runs, total = self._samples.get(kind, (0, 0.0))
        self._samples[kind] = runs + 1, total + seconds
