"""What the executions of a process are news of and nobody was told yet, in memory that outlives the process.

A child sends its news in pieces, and can die between two of them. So it keeps them on a page that it shares with its
parent, who takes over what a dead child left. A page has two halves: one is written while the other is being sent. A
new child may get the number of one that just died before the parent looked, so there are two pages a number.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Iterator

#: Bytes of one half: more than a child notes between two messages. What nobody writes costs no memory.
_HALF = 1024 * 1024
#: Bytes on a half from which on it should be sent.
_MUCH = _HALF // 2
_PAGES_A_CHILD = 2
_WORD = struct.Struct("=Q")
_LENGTH = struct.Struct("=I")
#: Places in a page's head: its owner's pid, which half is written, and bytes in use of each.
_OWNER, _WRITTEN, _USED = 0, 8, 16
_HEAD = 32
_SIZE = _HEAD + 2 * _HALF


class Unsent:
    """The pages of one pool; made before the fork."""

    def __init__(self, children: int) -> None:
        self._pages = children * _PAGES_A_CHILD
        self._memory = mmap.mmap(-1, max(1, self._pages) * _SIZE)

    def page(self, index: int) -> Page:
        """Return a clean page for the child with this index, in the child; one that dies with it when there is none."""
        first = index * _PAGES_A_CHILD
        for number in range(first, min(first + _PAGES_A_CHILD, self._pages)):
            page = Page(self._memory, number * _SIZE)
            if page.is_clean:
                page.own(os.getpid())
                return page
        return Page.private()

    def left(self, is_alive: Callable[[int], bool]) -> Iterator[bytes]:
        """Take the notes that dead owners left, oldest first."""
        for number in range(self._pages):
            page = Page(self._memory, number * _SIZE)
            if not page.is_clean and not is_alive(page.owner):
                yield from page.take()


class Page:
    """The notes of one process; the process that owns it writes, and its parent only when that is dead."""

    __slots__ = ("_at", "_count", "_memory", "_start", "_used", "_used_at")

    def __init__(self, memory: mmap.mmap, at: int) -> None:
        self._memory = memory
        self._at = at
        #: Notes on the written half, and its bytes in use.
        self._count = self._used = 0
        self._write_half(self._read(_WRITTEN))

    @classmethod
    def private(cls) -> Page:
        """One that nobody else sees."""
        return cls(mmap.mmap(-1, _SIZE), 0)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is on it."""
        return not (self._read(_USED) or self._read(_USED + 8))

    @property
    def holds_much(self) -> bool:
        """Whether it should be sent soon."""
        return self._used > _MUCH

    @property
    def owner(self) -> int:
        """The process that writes it."""
        return self._read(_OWNER)

    def own(self, pid: int) -> None:
        """Make it that of *pid*."""
        self._write(_OWNER, pid)

    def add(self, note: bytes) -> int:
        """Keep *note*, and drop those before it when there is no room; how many were dropped."""
        length, dropped = len(note), 0
        if self._used + _LENGTH.size + length > _HALF:
            if _LENGTH.size + length > _HALF:
                return 1
            dropped, self._count, self._used = self._count, 0, 0
        start = self._start + self._used
        self._used += _LENGTH.size + length
        self._memory[start : self._start + self._used] = _LENGTH.pack(length) + note
        _WORD.pack_into(self._memory, self._used_at, self._used)  # last: what is half written does not count
        self._count += 1
        return dropped

    def turn(self) -> list[bytes]:
        """Return what is on the written half, which is to be sent; the other one is written from now on."""
        half = self._read(_WRITTEN)
        notes = self._notes(half)
        self._write(_WRITTEN, 1 - half)
        self._count = 0
        self._write_half(1 - half)
        return notes

    def forget(self) -> None:
        """The half that is not written was sent."""
        self._write(_USED + 8 * (1 - self._read(_WRITTEN)), 0)

    def take(self) -> list[bytes]:
        """Return all notes, oldest first, and leave none."""
        written = self._read(_WRITTEN)
        notes = [*self._notes(1 - written), *self._notes(written)]
        self._write(_USED, 0)
        self._write(_USED + 8, 0)
        self._count = 0
        self._write_half(written)
        return notes

    def _notes(self, half: int) -> list[bytes]:
        found: list[bytes] = []
        at = self._at + _HEAD + half * _HALF
        end = at + min(_HALF, self._read(_USED + 8 * half))
        while at + _LENGTH.size <= end:
            (length,) = _LENGTH.unpack_from(self._memory, at)
            at += _LENGTH.size + length
            found.append(self._memory[at - length : min(at, end)])
        return found

    def _write_half(self, half: int) -> None:
        self._start = self._at + _HEAD + half * _HALF
        self._used_at = self._at + _USED + 8 * half
        self._used = self._read(_USED + 8 * half)

    def _read(self, place: int) -> int:
        return int(_WORD.unpack_from(self._memory, self._at + place)[0])

    def _write(self, place: int, value: int) -> None:
        _WORD.pack_into(self._memory, self._at + place, value)
