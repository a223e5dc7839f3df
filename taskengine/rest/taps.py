"""Events of runs as they happen, for any number of listeners: one tap a run, one connection for all taps.

The store is asked for all runs at once, in a read that blocks until one of them has something. What came is written
once. A listener that comes late reads from the history until it has heard what the tap has, and then listens; so it
misses nothing, whichever server it asks and however often that was started.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress

from taskengine.errors import StoreError
from taskengine.models import Event
from taskengine.rest.auth import Door
from taskengine.rest.background import Background
from taskengine.rest.feeds import BYE, GONE, RESET, Feed, last_word
from taskengine.rest.pasts import Pasts, pieces
from taskengine.rest.rings import Ring, Seat, pause
from taskengine.store import history, runs
from taskengine.store.aio import AsyncStore
from taskengine.store.blocked import number_of_client, unblock
from taskengine.store.keys import Keys

_log = logging.getLogger(__name__)

#: Seconds that one read may block, and between two looks whether runs and server are still the same.
_BLOCK, _LOOK = 1.0, 2.0
#: Seconds in which what happens is told at once, and after which a store that did not answer is asked again.
_TOGETHER, _AGAIN = 0.05, 0.5
#: Listeners that read the history at once: each takes a connection to the store, and those stay open.
_AT_ONCE = 8


class Tap:
    """One run and who listens to it."""

    def __init__(self, sequence: int) -> None:
        #: Of the latest event that was told.
        self.sequence = sequence
        #: The same; None before any.
        self.latest: Event | None = None
        #: Of those who fold what happens, and of those who only pass it on.
        self.feeds: set[Feed[Sequence[Event]]] = set()
        self.ring = Ring()

    def tell(self, events: Sequence[Event]) -> None:
        """Tell all what came."""
        self.sequence, self.latest = events[-1].sequence, events[-1]
        for feed in self.feeds:
            feed.put(events)
        if self.ring.seats:
            self.ring.tell(pieces(events))

    def end(self, word: str) -> None:
        """Send everybody away."""
        for feed in self.feeds:
            feed.end(word)
        self.ring.end_with(word)


class Taps:
    """All taps of one event loop; they read while anybody listens."""

    def __init__(self, door: Door, background: Background) -> None:
        self._door = door
        self._background = background
        self._keys = Keys(door.settings.namespace)
        self._taps: dict[str, Tap] = {}
        self._reader: asyncio.Task[None] | None = None
        #: Of the connection that blocks, as the server calls it; None until it is asked.
        self._client: int | None = None
        self._waking: asyncio.Task[None] | None = None
        self._looked = 0.0
        self._catching_up = asyncio.Semaphore(_AT_ONCE)
        self._pasts = Pasts(door, self._catching_up, background)

    async def listen(self, run: str, sequence: int) -> AsyncGenerator[bytes]:
        """Yield what happened behind an event, and what happens from now on, as pieces of a stream.

        ``reset`` may come in between: not all that is asked for is kept, and the history follows as far as it is.
        """
        latest = await self._door.ask(history.last_sequence(self._keys, run))
        if sequence > latest:  # the store lost its latest part
            yield last_word(RESET)
            sequence = 0
        tap = self._open(run, latest)
        seat = tap.ring.join()
        try:
            while tap.sequence < sequence and tap.ring.word is None:  # another server told it before this one
                await tap.ring.turn()
            seat.skip()
            async for piece in self._past(tap, run, sequence, tap.sequence):
                yield piece
            while (next_piece := await seat.next()) is not None:
                yield next_piece
            yield last_word(seat.word or GONE)
        finally:
            self._leave(run, tap, seat)

    async def _past(self, tap: Tap, run: str, sequence: int, until: int) -> AsyncGenerator[bytes]:
        while sequence < until:
            past = await self._pasts.read(run, sequence, until, of=tap)
            if sequence and (past is None or past.first > sequence + 1):
                yield last_word(RESET)
                sequence = 0
                continue
            if past is None:
                return
            for piece in past.pieces:
                yield piece
            sequence = past.last

    async def since(self, run: str, sequence: int) -> AsyncGenerator[Sequence[Event] | str]:
        """Yield what happened behind an event, and what happens from now on; at last the word that ends it.

        ``reset`` may come in between, as for those who listen.
        """
        async for each in self._told(run, sequence):
            sequence = 0 if isinstance(each, str) else each[-1].sequence
            yield each
        tap = self._open(run, sequence)
        feed: Feed[Sequence[Event]] = Feed()
        tap.feeds.add(feed)
        try:
            if tap.sequence > sequence:  # it was told while we were reading
                async for each in self._told(run, sequence):
                    sequence = 0 if isinstance(each, str) else each[-1].sequence
                    yield each
            while taken := await feed.take():
                for events in taken:
                    if left := [event for event in events if event.sequence > sequence]:
                        sequence = left[-1].sequence
                        yield left
            yield feed.word or GONE
        finally:
            self._leave(run, tap, feed)

    async def _told(self, run: str, sequence: int) -> AsyncGenerator[Sequence[Event] | str]:
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
                yield events
            if len(events) < history.PIECE:
                return

    async def _is_unknown(self, run: str, sequence: int, behind: Sequence[Event]) -> bool:
        """Whether the history does not go on from there: it was trimmed, or the store lost its latest part."""
        if behind:
            return behind[0].sequence > sequence + 1
        return sequence > await self._door.ask(history.last_sequence(self._keys, run))

    def _open(self, run: str, sequence: int) -> Tap:
        """Return the tap of a run, one that tells what comes behind an event where there is none yet."""
        tap = self._taps.get(run)
        if tap is None:
            tap = self._taps[run] = Tap(sequence)
            self._wake()
        if self._reader is None:
            self._reader = self._background.begin(self._read())
        return tap

    def _leave(self, run: str, tap: Tap, who: Feed[Sequence[Event]] | Seat) -> None:
        if isinstance(who, Seat):
            who.leave()
        else:
            tap.feeds.discard(who)
        if not tap.feeds and not tap.ring.seats:
            self._close(run, tap)

    def _end_tap(self, run: str, word: str) -> None:
        """Send all listeners of a run away; whoever comes from now on finds another tap."""
        tap = self._taps[run]
        tap.end(word)
        self._close(run, tap)

    def _close(self, run: str, tap: Tap) -> None:
        self._pasts.forget(tap)
        if self._taps.get(run) is tap:
            del self._taps[run]

    def _wake(self) -> None:
        """End the read that blocks, for it does not know of a new tap."""
        if self._client is not None:
            self._waking = self._background.begin(self._unblock(self._client))

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
        except Exception:  # a fault of ours is not to leave listeners with a stream that stands still
            _log.exception("reading what happens in runs failed; those who listen come back and begin another reader")
            for run in list(self._taps):
                self._end_tap(run, BYE)
        finally:
            self._reader = None
            await self._end(line)

    async def _begin(self) -> AsyncStore:
        """Return a connection; who was told what the store does not know any more is sent away."""
        line = await self._door.line()
        for run, tap in list(self._taps.items()):
            if tap.latest is not None:
                there = await line.run(history.events(self._keys, run, tap.sequence - 1, 1))
                if there != [tap.latest] and self._taps.get(run) is tap:
                    self._end_tap(run, RESET)
        self._client = await line.run(number_of_client())
        return line

    async def _end(self, line: AsyncStore | None) -> None:
        self._client = None
        if line is not None:
            await line.close()

    async def _read_once(self, line: AsyncStore) -> None:
        after = {run: tap.sequence for run, tap in self._taps.items()}
        heard = await line.run(history.follow(self._keys, after, history.PIECE, _BLOCK))
        told = 0
        for run, events in heard.items():
            if (tap := self._taps.get(run)) is not None and tap.sequence == after[run]:
                told += len(tap.ring.seats)
                self._tell(run, tap, events)
        await self._look()
        if heard:
            await asyncio.sleep(pause(told, _TOGETHER))

    def _tell(self, run: str, tap: Tap, events: Sequence[Event]) -> None:
        """Tell what came; a gap means that the history was trimmed faster than it was read."""
        if tap.sequence and events[0].sequence > tap.sequence + 1:
            self._end_tap(run, RESET)
        else:
            tap.tell(events)

    async def _look(self) -> None:
        """Send those away whose run is gone: nothing happens to it any more, and that nobody tells."""
        now = asyncio.get_running_loop().time()
        if now < self._looked + _LOOK:
            return
        self._looked = now
        asked = list(self._taps)
        for run, found in zip(asked, await self._door.ask(runs.read(asked)), strict=True):
            if found is None and run in self._taps:
                self._end_tap(run, GONE)
