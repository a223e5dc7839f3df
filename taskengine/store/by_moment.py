"""Pages of a sorted set of moments, newest first.

A page is found by moment and id, not by position: what comes or goes between two pages shifts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from taskengine.store.call import Call, Operation


@dataclass(frozen=True, slots=True)
class Entry:
    """One member, and where it stands."""

    id: str
    #: Milliseconds since 1970.
    at_ms: int


def page(key: str, after: Entry | None, since_ms: int, most: int) -> Operation[list[Entry]]:
    """Return the next *most* entries behind *after* (None: from the newest), none from before *since_ms*."""
    if after is None:
        return (yield from _older(key, "+inf", since_ms, most))
    # Those of one moment are given by their ids, the last first; one script makes 64 of a moment.
    same: int = yield from Call("ZCOUNT", (key, after.at_ms, after.at_ms), int, command=True)
    found = yield from _older(key, after.at_ms, since_ms, same + most)
    return [one for one in found if (one.at_ms, one.id) < (after.at_ms, after.id)][:most]


def _older(key: str, newest: str | int, since_ms: int, most: int) -> Call[list[Entry]]:
    args = (key, newest, since_ms, "WITHSCORES", "LIMIT", 0, most)
    return Call("ZREVRANGEBYSCORE", args, _entries, command=True)


def _entries(raw: Sequence[Any]) -> list[Entry]:
    # Pairs in RESP 3 and from redis-py's own reading of this command, a flat list otherwise.
    pairs = raw if raw and isinstance(raw[0], tuple | list) else list(zip(raw[::2], raw[1::2], strict=True))
    return [Entry(str(id), int(float(ms))) for id, ms in pairs]
