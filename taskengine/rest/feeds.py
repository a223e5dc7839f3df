"""What a listener has not heard yet, bounded: who is slow is sent away and comes back, and nobody waits for it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

from pydantic_core import to_json

T = TypeVar("T")
#: Items that may wait for one listener.
MOST_WAITING = 256
#: Words that a stream says of itself.
LAGGED, GONE, RESET, BYE = "lagged", "gone", "reset", "bye"
#: In the scope of a request: what a stream calls to count no longer among the requests that are answered, and to cut
#: its connection.
LEAVE, CUT = "taskengine.leave", "taskengine.cut"


class Feed(Generic[T]):
    """From one teller to one listener."""

    __slots__ = ("_came", "_items", "word")

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._came = asyncio.Event()
        #: Why it is over; None while it is not.
        self.word: str | None = None

    def put(self, item: T) -> None:
        """Tell something; too much at once ends it, and what was not heard is dropped."""
        if self.word is not None:
            return
        if len(self._items) >= MOST_WAITING:
            self._items.clear()
            self.end(LAGGED)
            return
        self._items.append(item)
        self._came.set()

    def end(self, word: str) -> None:
        """Tell nothing more behind what was told."""
        self.word = self.word or word
        self._came.set()

    async def take(self) -> list[T]:
        """Return all that was told since, as soon as there is anything; [] once it is over."""
        while not self._items and self.word is None:
            self._came.clear()
            await self._came.wait()
        taken = list(self._items)
        self._items.clear()
        return taken


def sse(data: bytes, event: str | None = None, id: int | str | None = None) -> bytes:
    """Return one event of a stream; *data*: JSON in one line."""
    head = b"" if id is None else b"id: %s\n" % str(id).encode()
    if event is not None:
        head += b"event: %s\n" % event.encode()
    return b"%sdata: %s\n\n" % (head, data)


def last_word(word: str) -> bytes:
    """Return the event that ends a stream. After a reset a listener begins anew: its id is that of the beginning."""
    return sse(to_json({"why": _WHY[word]}), word, 0 if word == RESET else None)


_WHY = {
    LAGGED: "the listener was too slow; it comes back and misses nothing",
    GONE: "it is deleted",
    RESET: "what happened since is not known any more; read it anew",
    BYE: "this server tells no more; come back and it goes on, here or at another",
}
