"""What a client knows of how long tasks take; it asks for each kind once a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from taskengine.store.call import Operation
from taskengine.store.estimates import read_estimates
from taskengine.store.keys import Keys

#: Seconds after which a kind is asked for again.
_FRESH_SECONDS = 60.0
#: Kinds remembered at most.
_MOST = 10_000


@dataclass(slots=True)
class EstimateCache:
    """Seconds by kind, read when they are first needed. Threads may share one: the worst is a trip too many."""

    keys: Keys
    clock: Callable[[], float]
    _seconds: dict[str, float] = field(default_factory=dict)
    #: When each kind was asked for, known or not.
    _asked: dict[str, float] = field(default_factory=dict)

    def of(self, kinds: Iterable[str]) -> Operation[dict[str, float]]:
        """Return what is known of *kinds*; no trip when all of them were asked for a moment ago."""
        wanted, now = frozenset(kinds), self.clock()
        stale = sorted(kind for kind in wanted if now - self._asked.get(kind, float("-inf")) > _FRESH_SECONDS)
        found = (yield from read_estimates(self.keys, stale)) if stale else {}
        known = {kind: self._seconds[kind] for kind in wanted if kind in self._seconds} | found
        if len(self._asked) + len(stale) > _MOST:
            self._asked, self._seconds = {}, {}
        self._asked.update(dict.fromkeys(stale, now))
        self._seconds.update(found)
        return known
