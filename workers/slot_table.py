"""A page of shared memory between a worker's parent and its pool children.

One entry a child: which execution runs there, which was asked to cancel or ended, the most memory seen. Reading it
costs no trip and no system call. An order names its execution, so one that comes late never meets the next one.
"""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Iterator
from uuid import UUID

#: Children that fit; more than any pool has.
ENTRIES = 1024
_ENTRY = struct.Struct("=QQQQQQQ")
_RUNNING, _CANCEL, _ENDED, _PEAK, _WATCHED, _PAID = 8, 16, 24, 32, 40, 48
#: Of what is paid for: it runs, or was stopped because this node was cut off.
_IS_PAID, _IS_CUT_OFF = 1, 2
_WORD = struct.Struct("=Q")


def key_of(execution: str | UUID) -> int:
    """Eight bytes that stand for an execution on the slot table; never 0, which stands for none."""
    return int(str(execution).replace("-", "")[:16], 16) or 1


class SlotTable:
    """The page; made before the fork, inherited by every child."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, ENTRIES * _ENTRY.size)
        self._claim = mmap.mmap(-1, _WORD.size)

    def claim(self) -> None:
        """Note that a slot of this node claimed."""
        _WORD.pack_into(self._claim, 0, time.monotonic_ns())

    @property
    def claimed(self) -> int:
        """When a slot of this node claimed last, in nanoseconds of the monotonic clock; 0: never."""
        return int(_WORD.unpack_from(self._claim, 0)[0])

    def enter(self, index: int, pid: int, execution: str) -> None:
        """Note that child *index* starts *execution*; its orders and samples begin anew."""
        entry = _ENTRY.pack(pid, key_of(execution), 0, 0, 0, 0, 0)
        self._page[index * _ENTRY.size : (index + 1) * _ENTRY.size] = entry

    def leave(self, index: int) -> None:
        """Note that child *index* runs nothing."""
        self._write(index, _RUNNING, 0)

    def cancelled(self, index: int, execution: str) -> bool:
        """Return whether the parent asked child *index* to cancel this execution, or ends it."""
        return key_of(execution) in (self._read(index, _CANCEL), self._read(index, _ENDED))

    def mark_paid(self, index: int) -> None:
        """Note that what child *index* runs is to stop when this node is cut off."""
        self._write(index, _PAID, _IS_PAID)

    def cut_off(self) -> int:
        """Ask every child that runs such a thing to cancel it; how many."""
        stopped = 0
        for index, _, key in self.running():
            if self._read(index, _PAID) == _IS_PAID:
                self._write(index, _PAID, _IS_CUT_OFF)
                self._write(index, _CANCEL, key)
                stopped += 1
        return stopped

    def is_cut_off(self, index: int) -> bool:
        """Return whether what child *index* runs was asked to stop for that."""
        return self._read(index, _PAID) == _IS_CUT_OFF

    def end(self, pid: int, key: int) -> None:
        """Note that the parent ends the child that runs the execution of that key, before it signals."""
        index = self._find(pid, key)
        if index is not None:
            self._write(index, _ENDED, key)

    def is_protected(self, index: int) -> bool:
        """Return whether child *index* runs something that its parent did not end."""
        running = self._read(index, _RUNNING)
        return running != 0 and self._read(index, _ENDED) != running

    def peak(self, index: int) -> int:
        """Bytes of memory, the highest sample of the running execution; 0 when none was taken."""
        return self._read(index, _PEAK)

    def peak_of(self, pid: int) -> int:
        """Return the same of the child whose process is, or was, *pid*."""
        return next((peak for owner, *_, peak, _, _ in _ENTRY.iter_unpack(self._page) if owner == pid), 0)

    def ask_to_cancel(self, pid: int, execution: str) -> None:
        """Ask the child that runs *execution* to cancel it."""
        key = key_of(execution)
        index = self._find(pid, key)
        if index is not None:
            self._write(index, _CANCEL, key)

    def watch(self, pid: int, execution: str, until_ns: int) -> None:
        """Note until when, in nanoseconds of the monotonic clock, somebody follows what *execution* says."""
        index = self._find(pid, key_of(execution))
        if index is not None:
            self._write(index, _WATCHED, until_ns)

    def watched_until(self, index: int) -> int:
        """Return the same of what child *index* runs; 0 when nobody did."""
        return self._read(index, _WATCHED)

    def running(self) -> Iterator[tuple[int, int, int]]:
        """(index, pid, key of the execution) of every child that runs something."""
        for index, (pid, running, *_) in enumerate(_ENTRY.iter_unpack(self._page)):
            if running:
                yield index, pid, running

    def sample(self, index: int, memory: int) -> None:
        """Note *memory* bytes in use by child *index*."""
        self._write(index, _PEAK, max(memory, self._read(index, _PEAK)))

    def _find(self, pid: int, key: int) -> int | None:
        return next((index for index, owner, runs in self.running() if (owner, runs) == (pid, key)), None)

    def _read(self, index: int, at: int) -> int:
        return int(_WORD.unpack_from(self._page, index * _ENTRY.size + at)[0])

    def _write(self, index: int, at: int, value: int) -> None:
        _WORD.pack_into(self._page, index * _ENTRY.size + at, value)
