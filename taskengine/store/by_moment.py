"""Lists of members by their moments, newest first: runs, workflows, dead letters.

A place in one is a moment and an id, not a position: what comes or goes between two pages shifts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from taskengine.store.call import Arg, Call


@dataclass(frozen=True, slots=True)
class Entry:
    """One member, and where it stands."""

    id: str
    #: Milliseconds since 1970.
    at_ms: int


#: Where to go on (None: there are no more), and what was found before it.
Found: TypeAlias = tuple[Entry | None, list[Entry]]


def behind(after: Entry | None) -> dict[str, Arg]:
    """Return what a script that finds is told of the place to go on at; None is the beginning."""
    return {"after_ms": after.at_ms if after else "", "after_id": after.id if after else ""}


def found(raw: Sequence[Any]) -> Found:
    """Return what such a script says."""
    id, _, ms = str(raw[0]).partition(" ")
    entries = [Entry(str(id), int(ms)) for id, ms in zip(raw[1::2], raw[2::2], strict=True)]
    return Entry(id, int(ms)) if id else None, entries


def newest(key: str, most: int) -> Call[list[Entry]]:
    """Return the *most* newest members."""
    return Call("ZREVRANGE", (key, 0, most - 1, "WITHSCORES"), _entries, command=True)


def _entries(raw: Sequence[Any]) -> list[Entry]:
    # Pairs in RESP 3 and from redis-py's own reading of this command, a flat list otherwise.
    pairs = raw if raw and isinstance(raw[0], tuple | list) else list(zip(raw[::2], raw[1::2], strict=True))
    return [Entry(str(id), int(float(ms))) for id, ms in pairs]
