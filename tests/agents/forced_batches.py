"""Batches of eight for every kind, however long and however few its tasks: ``FORCE_BATCHES=1 pytest -m chaos``.

Whoever must go alone still does: a second attempt, clocks of its own, ``@agent(batch=False)``.
"""

from __future__ import annotations

from taskengine.store import scripts
from taskengine.store.executions import BatchHint
from workers.batch_hints import MOST, BatchHints

#: What a pull says of costs and of a slot's share -> what it says here.
_FORCED = {
    "is_alone(m) and C.batch_us or cost_of(m, pace) or C.batch_us": "is_alone(m) and C.batch_us",
    "if pace.most == 1 or waiting < 4 or pace.kind:match('^%S+') ~= queue then return 1 end": (
        "if pace.most >= 1 then return math.max(1, math.min(pace.most, waiting)) end"
    ),
}
_read = scripts._read


def _forced(place: str) -> str:
    text = _read(place)
    for before, after in _FORCED.items() if place == "parts/pull.lua" else ():
        assert before in text, f"{place} says it in other words now: {before}"
        text = text.replace(before, after)
    return text


def _eight(paces: BatchHints, kind: str) -> BatchHint:  # as the method that it replaces
    return BatchHint(kind, 1, MOST)


scripts._read = _forced  # type: ignore[assignment]  # without its cache
for made in (scripts._parts, scripts._library, scripts.signature, scripts.link):
    made.cache_clear()
BatchHints.of = _eight  # type: ignore[method-assign]
