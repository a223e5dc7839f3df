"""How long what ran here took, told in one small update a second: no report pays for it.

The estimates serve the order of tasks and what people are told, so a few lost samples are no loss: what the server
does not take at once is dropped, and a burst of more kinds than fit counts for its queues alone.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from taskengine.core.estimates import blend
from taskengine.core.peaks import Peak, agent_kind, names_of, peak_from
from taskengine.errors import StoreError
from taskengine.models import Usage
from taskengine.store import estimates
from taskengine.store.keys import Keys
from taskengine.store.sync import SyncStore

logger = logging.getLogger(__name__)

#: Seconds between two updates of one process.
_EVERY = 1.0
#: Kinds that one update tells.
_MOST = 200
#: The same of those whose peak it tells; each takes three.
_MOST_PEAKS = 80


class Durations:
    """The runs of one process since its last update; any thread may add."""

    def __init__(self) -> None:
        #: Kind -> runs and seconds of all of them.
        self._samples: dict[str, tuple[int, float]] = {}
        #: Kind -> the most that its runs used which reserved something.
        self._peaks: dict[str, Peak] = {}
        self._due = 0.0
        self._lock = threading.Lock()

    def add(self, queue: str, kind: str, seconds: float) -> None:
        """Note a run of *kind* that completed."""
        with self._lock:
            self._count(queue, seconds)
            if kind in self._samples or len(self._samples) < _MOST:
                self._count(kind, seconds)

    def add_peak(self, agent: str, kind: str, used: Usage) -> None:
        """Note what a run used that had reserved something of its host."""
        peak = Peak(1, (used.memory_mb or 0.0) / 1024, (used.cpu_percent or 0.0) / 100)
        with self._lock:
            for each in (agent_kind(agent), kind):
                before = self._peaks.get(each)
                if before is not None or len(self._peaks) < _MOST_PEAKS:
                    self._peaks[each] = before.and_then(peak) if before else peak

    def tell(self, store: SyncStore) -> None:
        """Update the estimates, at most once a second; what comes in between waits for the next call."""
        now = time.monotonic()
        with self._lock:
            if now < self._due or not (self._samples or self._peaks):
                return
            self._due = now + _EVERY
            samples, self._samples = self._samples, {}
            peaks, self._peaks = self._peaks, {}
        try:
            names = [name for kind in peaks for name in names_of(kind)]
            before = store.run(estimates.read_estimates(Keys(store.settings.namespace), [*samples, *names]))
            for news in ({k: blend(before.get(k), n, s / n) for k, (n, s) in samples.items()}, _peaks(before, peaks)):
                if news:
                    store.run(estimates.update_estimates(news))
        except StoreError as exc:
            logger.info("dropped the durations of %d kinds: %s", len(samples), exc)

    def _count(self, kind: str, seconds: float) -> None:
        runs, total = self._samples.get(kind, (0, 0.0))
        self._samples[kind] = runs + 1, total + seconds


def _peaks(before: Mapping[str, float], peaks: Mapping[str, Peak]) -> dict[str, float]:
    """Return the estimates in which peaks stand, with what was known before."""
    found: dict[str, float] = {}
    for kind, peak in peaks.items():
        known = peak_from(before, kind)
        found |= (known.and_then(peak) if known else peak).as_estimates(kind)
    return found
