"""Histories of runs as pieces of a stream, read and written once for all who begin at the same place.

Whoever opens a page together, or comes back together after a restart, asks for the same: five hundred listeners of one
run would else read it from the store five hundred times.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import TypeAdapter

from taskengine.models import Event
from taskengine.rest.auth import Door
from taskengine.rest.background import Background
from taskengine.rest.feeds import sse
from taskengine.rest.rings import AT_ONCE
from taskengine.store import history
from taskengine.store.keys import Keys

#: Readings that are kept: each is of up to a thousand events, with some hundred bytes each.
_MOST_KEPT = 16
_write = TypeAdapter(Event).dump_json


class Past(NamedTuple):
    """Some events of a run, one behind the other, as pieces of a stream."""

    first: int
    last: int
    pieces: Sequence[bytes]


class Pasts:
    """What was read lately."""

    def __init__(self, door: Door, at_once: asyncio.Semaphore, background: Background) -> None:
        self._door = door
        self._background = background
        self._keys = Keys(door.settings.namespace)
        self._at_once = at_once
        self._read: OrderedDict[tuple[object, int, int], asyncio.Task[Past | None]] = OrderedDict()

    async def read(self, run: str, after: int, until: int, *, of: object) -> Past | None:
        """Return what happened behind an event, up to another or as much as one reads at once; None where nothing is.

        *of*: who vouches that the history is still the same; what was read for another one is not given.
        """
        key = (of, after, min(until, after + history.PIECE))
        reading = self._read.get(key)
        if reading is None:
            reading = self._read[key] = self._background.begin(self._ask(run, *key[1:]))
            reading.add_done_callback(lambda done: self._forget_failed(key, done))
            while len(self._read) > _MOST_KEPT:
                self._read.popitem(last=False)
        else:
            self._read.move_to_end(key)
        return await asyncio.shield(reading)  # one who goes away does not take it from the others

    def forget(self, of: object) -> None:
        """Keep nothing of what was read for somebody."""
        for key in [key for key in self._read if key[0] is of]:
            del self._read[key]

    async def _ask(self, run: str, after: int, until: int) -> Past | None:
        async with self._at_once:
            events = await self._door.ask(history.events(self._keys, run, after, history.PIECE, until))
        return Past(events[0].sequence, events[-1].sequence, pieces(events)) if events else None

    def _forget_failed(self, key: tuple[object, int, int], done: asyncio.Task[Past | None]) -> None:
        if (done.cancelled() or done.exception()) and self._read.get(key) is done:
            del self._read[key]


def pieces(events: Sequence[Event]) -> list[bytes]:
    """Return events as a stream tells them, some together, as many as a listener is given at once."""
    found, together, size = list[bytes](), list[bytes](), 0
    for each in events:
        written = sse(_write(each), each.what, each.sequence)
        if together and size + len(written) > AT_ONCE:
            found.append(b"".join(together))
            together, size = [], 0
        together.append(written)
        size += len(written)
    return [*found, b"".join(together)] if together else found
