"""Events of runs as they happen, for any number of listeners: one tap a run, one connection for all taps.

The store is asked for all runs at once, in a read that blocks until one of them has something. What came is encoded
once. A listener that comes late reads from the history until it has heard what the tap has, and then listens; so it
misses nothing, whichever server it asks and however often that was started.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from functools import cached_property

from pydantic import TypeAdapter

from taskengine.errors import StoreError
from taskengine.models import Event
from taskengine.rest.auth import Door
from taskengine.rest.feeds import GONE, RESET, Feed, sse
from taskengine.store import history, runs
from taskengine.store.aio import AsyncStore
from taskengine.store.blocked import number_of_client, unblock
from taskengine.store.keys import Keys

#: Seconds that one read may block, and between two looks whether runs and server are still the same.
_BLOCK, _LOOK = 1.0, 2.0
#: Seconds in which what happens is told at once, and after which a store that did not answer is asked again.
_TOGETHER, _AGAIN = 0.05, 0.5
#: Listeners that read the history at once: each takes a connection to the store, and those stay open.
_AT_ONCE = 8
_write = TypeAdapter(Event).dump_json


class Chunk:
    """Some events of a run, one behind the other."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.first, self.last = events[0].sequence, events[-1].sequence

    @cached_property
    def written(self) -> bytes:
        """As a piece of a stream, made for all listeners once."""
        return b"".join(sse(_write(each), each.what, each.sequence) for each in self.events)

    def behind(self, sequence: int) -> Chunk | None:
        """Return what of it comes behind an event; None where nothing does."""
        if self.first > sequence:
            return self
        left = [each for each in self.events if each.sequence > sequence]
        return Chunk(left) if left else None


class Tap:
    """One run and who listens to it."""

    def __init__(self, sequence: int) -> None:
        #: Of the latest event that was told.
        self.sequence = sequence
        #: The same; None before any.
        self.latest: Event | None = None
        self.feeds: set[Feed[Chunk]] = set()

    def tell(self, events: Sequence[Event]) -> None:
        """Tell all what came; a gap means that the history was trimmed faster than it was read."""
        chunk = Chunk(events)
        if self.sequence and chunk.first > self.sequence + 1:
            self.end(RESET)
        self.sequence, self.latest = chunk.last, events[-1]
        for feed in self.feeds:
            feed.put(chunk)

    def end(self, word: str) -> None:
        """Send everybody away."""
        for feed in self.feeds:
            feed.end(word)


class Taps:
    """All taps of one event loop; they read while anybody listens."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._keys = Keys(door.settings.namespace)
        self._taps: dict[str, Tap] = {}
        self._reader: asyncio.Task[None] | None = None
        #: Of the connection that blocks, as the server calls it; None until it is asked.
        self._client: int | None = None
        self._waking: asyncio.Task[None] | None = None
        self._looked = 0.0
        self._catching_up = asyncio.Semaphore(_AT_ONCE)

    async def since(self, run: str, sequence: int) -> AsyncGenerator[Chunk | str]:
        """Yield what happened behind an event, and what happens from now on; at last the word that ends it.

        ``reset`` may come in between: not all that is asked for is kept, and the history follows as far as it is.
        Whoever waits holds nothing of what was told: of five hundred listeners each would hold a piece of the history.
        """
        async for each in self._told(run, sequence):
            sequence = each.last if isinstance(each, Chunk) else 0
            yield each
            del each
        feed = self._join(run, sequence)
        try:
            if self._taps[run].sequence > sequence:  # it was told while we were reading
                async for each in self._told(run, sequence):
                    sequence = each.last if isinstance(each, Chunk) else 0
                    yield each
                    del each
            while taken := await feed.take():
                for left in (each.behind(sequence) for each in taken):
                    if left is not None:
                        sequence = left.last
                        yield left
                        del left
                del taken
            yield feed.word or GONE
        finally:
            self._leave(run, feed)

    async def _told(self, run: str, sequence: int) -> AsyncGenerator[Chunk | str]:
        """Yield what the history has behind an event."""
        while True:
            async with self._catching_up:
                events = await self._door.ask(history.events(self._keys, run, sequence, history.PIECE))
            if sequence and await self._is_unknown(run, sequence, events):
                yield RESET
                sequence = 0
                continue
            if events:
                sequence = events[-1].sequence
                yield Chunk(events)
            if len(events) < history.PIECE:
                return

    async def _is_unknown(self, run: str, sequence: int, behind: Sequence[Event]) -> bool:
        """Whether the history does not go on from there: it was trimmed, or the store lost its latest part."""
        if behind:
            return behind[0].sequence > sequence + 1
        return sequence > await self._door.ask(history.last_sequence(self._keys, run))

    def _join(self, run: str, sequence: int) -> Feed[Chunk]:
        feed: Feed[Chunk] = Feed()
        if run not in self._taps:
            self._taps[run] = Tap(sequence)
            self._wake()
        self._taps[run].feeds.add(feed)
        if self._reader is None:
            self._reader = asyncio.ensure_future(self._read())
        return feed

    def _leave(self, run: str, feed: Feed[Chunk]) -> None:
        tap = self._taps[run]
        tap.feeds.discard(feed)
        if not tap.feeds:
            del self._taps[run]

    def _wake(self) -> None:
        """End the read that blocks, for it does not know of a new tap."""
        if self._client is not None:
            self._waking = asyncio.ensure_future(self._unblock(self._client))

    async def _unblock(self, client: int) -> None:
        with suppress(StoreError):
            await self._door.ask(unblock(client))

    async def _read(self) -> None:
        """Read until nobody listens any more."""
        line: AsyncStore | None = None
        try:
            while self._taps:
                try:
                    line = line or await self._begin()
                    await self._read_once(line)
                except StoreError:
                    await self._end(line)
                    line = None
                    await asyncio.sleep(_AGAIN)
            self._reader = None
        finally:
            await self._end(line)

    async def _begin(self) -> AsyncStore:
        """Return a connection; who was told what the store does not know any more is sent away."""
        line = await self._door.line()
        for run, tap in list(self._taps.items()):
            if tap.latest is not None:
                there = await line.run(history.events(self._keys, run, tap.sequence - 1, 1))
                if there != [tap.latest]:
                    tap.end(RESET)
        self._client = await line.run(number_of_client())
        return line

    async def _end(self, line: AsyncStore | None) -> None:
        self._client = None
        if line is not None:
            await line.close()

    async def _read_once(self, line: AsyncStore) -> None:
        after = {run: tap.sequence for run, tap in self._taps.items()}
        heard = await line.run(history.follow(self._keys, after, history.PIECE, _BLOCK))
        for run, events in heard.items():
            if (tap := self._taps.get(run)) is not None and tap.sequence == after[run]:
                tap.tell(events)
        await self._look()
        if heard:
            await asyncio.sleep(_TOGETHER)

    async def _look(self) -> None:
        """Send those away whose run is gone: nothing happens to it any more, and that nobody tells."""
        now = asyncio.get_running_loop().time()
        if now < self._looked + _LOOK:
            return
        self._looked = now
        asked = list(self._taps)
        for run, found in zip(asked, await self._door.ask(runs.read(asked)), strict=True):
            if found is None and run in self._taps:
                self._taps[run].end(GONE)
