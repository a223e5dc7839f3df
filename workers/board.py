"""A page of shared memory between a worker's parent and its pool children.

One entry a child: which execution runs there, which one was asked to cancel, the most memory seen. Reading it costs
no trip and no system call. An order names its execution, so one that comes late never meets the next execution.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from uuid import UUID

#: Children that fit; more than any pool has.
ENTRIES = 4096
_ENTRY = struct.Struct("=QQQQ")
_PID, _RUNNING, _CANCEL, _PEAK = 0, 8, 16, 24
_WORD = struct.Struct("=Q")


def key_of(execution: str | UUID) -> int:
    """Eight bytes that stand for an execution on the board; never 0, which stands for none."""
    return UUID(str(execution)).int >> 64 or 1


class Board:
    """The page; made before the fork, inherited by every child."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, ENTRIES * _ENTRY.size)

    def enter(self, index: int, pid: int, execution: str) -> None:
        """Note that child *index* starts *execution*; its orders and samples begin anew."""
        self._page[index * _ENTRY.size : (index + 1) * _ENTRY.size] = _ENTRY.pack(pid, key_of(execution), 0, 0)

    def leave(self, index: int) -> None:
        """Note that child *index* runs nothing."""
        self._write(index, _RUNNING, 0)

    def cancelled(self, index: int, execution: str) -> bool:
        """Whether the parent asked child *index* to cancel this execution."""
        return self._read(index, _CANCEL) == key_of(execution)

    def peak(self, index: int) -> int:
        """Bytes of memory, the highest sample of the running execution; 0 when none was taken."""
        return self._read(index, _PEAK)

    def ask_to_cancel(self, pid: int, execution: str) -> bool:
        """Ask the child that runs *execution* to cancel it; False when none does."""
        index = self._find(pid, execution)
        if index is not None:
            self._write(index, _CANCEL, key_of(execution))
        return index is not None

    def runs(self, pid: int, execution: str) -> bool:
        """Whether process *pid* runs this execution now."""
        return self._find(pid, execution) is not None

    def running(self) -> Iterator[tuple[int, int]]:
        """(index, pid) of every child that runs something."""
        for index in range(ENTRIES):
            pid, running, _, _ = self._entry(index)
            if not pid:
                return
            if running:
                yield index, pid

    def sample(self, index: int, memory: int) -> None:
        """Note *memory* bytes in use by child *index*."""
        self._write(index, _PEAK, max(memory, self._read(index, _PEAK)))

    def _find(self, pid: int, execution: str) -> int | None:
        key = key_of(execution)
        for index in range(ENTRIES):
            owner, running, _, _ = self._entry(index)
            if owner == pid and running == key:
                return index
            if not owner:
                return None
        return None

    def _entry(self, index: int) -> tuple[int, int, int, int]:
        return _ENTRY.unpack_from(self._page, index * _ENTRY.size)

    def _read(self, index: int, at: int) -> int:
        return int(_WORD.unpack_from(self._page, index * _ENTRY.size + at)[0])

    def _write(self, index: int, at: int, value: int) -> None:
        _WORD.pack_into(self._page, index * _ENTRY.size + at, value)
