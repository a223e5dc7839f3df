"""What is told to many, kept once for all of them: a listener is a place in it.

Whoever is slow only stands further back, as far as there is room; then it is sent away and comes back, and nobody waits
for it. What all have heard is forgotten.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from taskengine.rest.feeds import LAGGED

#: Bytes kept for those who are behind, and bytes that one of them is given at once: its connection copies what the
#: other side does not take at once.
MOST_BYTES, AT_ONCE = 4 * 2**20, 2**16
#: Pieces a second that all listeners of a process are given together; each costs a call of the system.
_A_SECOND = 2500


def pause(listeners: int, least: float) -> float:
    """Return the seconds in which what happens is told at once: *least*, and longer where so many listen."""
    return max(least, listeners / _A_SECOND)


class Ring:
    """The latest pieces of one stream."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        #: Place of the oldest piece that is kept.
        self.begin = 0
        self._size = 0
        #: Of each place where somebody stood since the last piece: what is behind it, and the place behind that.
        self._joined: dict[int, tuple[bytes, int]] = {}
        self._turned = asyncio.Event()
        self.seats: set[Seat] = set()
        #: Why it is over; None while it is not.
        self.word: str | None = None

    @property
    def end(self) -> int:
        """The place behind the latest piece."""
        return self.begin + len(self._pieces)

    def join(self) -> Seat:
        """Return a place behind all that was told; somebody must leave it again."""
        seat = Seat(self)
        self.seats.add(seat)
        return seat

    def tell(self, pieces: Sequence[bytes]) -> None:
        """Tell all; what was told now is always kept, however much it is."""
        heard = min((seat.place for seat in self.seats), default=self.end)
        latest = self.end
        self._pieces.extend(pieces)
        self._size += sum(map(len, pieces))
        while self.begin < latest and (self.begin < heard or self._size > MOST_BYTES):
            self._size -= len(self._pieces.popleft())
            self.begin += 1
        self._turn()

    def end_with(self, word: str) -> None:
        """Tell nothing more behind what was told."""
        self.word = self.word or word
        self._turn()

    def _turn(self) -> None:
        self._joined.clear()
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

    async def turn(self) -> None:
        """Wait until something is told, or it is over."""
        await self._turned.wait()

    def behind(self, place: int) -> tuple[bytes, int]:
        """Return what was told behind a place, as much as one is given at once, and the place behind that.

        It is put together once for all who stand there.
        """
        found = self._joined.get(place)
        if found is None:
            size, until = 0, place
            while until < self.end and (until == place or size + len(self._pieces[until - self.begin]) <= AT_ONCE):
                size += len(self._pieces[until - self.begin])
                until += 1
            pieces = [self._pieces[at - self.begin] for at in range(place, until)]
            found = self._joined[place] = (pieces[0] if len(pieces) == 1 else b"".join(pieces), until)
        return found


class Seat:
    """Where one listener stands."""

    __slots__ = ("_ring", "place", "word")

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        #: Of the next piece that it has not heard.
        self.place = ring.end
        #: Why it is told nothing more; None while it is.
        self.word: str | None = None

    def leave(self) -> None:
        """Listen no more; safe to repeat."""
        self._ring.seats.discard(self)

    def skip(self) -> None:
        """Count as heard what was told until now."""
        self.place = self._ring.end

    async def next(self) -> bytes | None:
        """Return what was told since, as soon as there is anything; None once it is over, and then there is a word."""
        if not await self._comes():
            return None
        piece, self.place = self._ring.behind(self.place)
        return piece

    async def latest(self) -> bytes | None:
        """Return the latest piece alone, as soon as there is one that it has not heard; None as of ``next``."""
        if not await self._comes():
            return None
        piece, self.place = self._ring.behind(self._ring.end - 1)
        return piece

    async def _comes(self) -> bool:
        ring = self._ring
        while ring.begin <= self.place == ring.end and ring.word is None:
            await ring.turn()
        if self.place < ring.begin:
            self.word = LAGGED
        elif self.place == ring.end:
            self.word = ring.word
        return self.word is None
