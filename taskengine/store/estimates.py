"""What kinds of tasks took before: a hash of milliseconds, bounded by forgetting those that nobody ran for longest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taskengine.store.call import Call, Operation
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Row, Verb

#: Kinds that are kept.
MOST_KINDS = 10_000
#: Kinds read in one trip.
PIECE = 1000

_UPDATE_ESTIMATES = Verb("update_estimates", reply)


def update_estimates(seconds: Mapping[str, float]) -> Call[Reply]:
    """Keep the estimates of kinds, 256 at most: ok. A late copy sets what was right when it was sent."""
    kinds: list[Row] = [{"kind": kind, "ms": max(0, round(value * 1000))} for kind, value in seconds.items()]
    return _UPDATE_ESTIMATES(most=MOST_KINDS, kinds=kinds)


def read_estimates(keys: Keys, kinds: Sequence[str]) -> Operation[dict[str, float]]:
    """Seconds by kind; those that nobody ran are left out."""
    found: dict[str, float] = {}
    for at in range(0, len(kinds), PIECE):
        piece = kinds[at : at + PIECE]
        raw: list[Any] = yield from Call("HMGET", (keys.fixed("estimates"), *piece), list, command=True)
        found |= {kind: int(ms) / 1000 for kind, ms in zip(piece, raw, strict=True) if ms is not None}
    return found
