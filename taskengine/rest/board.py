"""One run in columns, as a page draws it: of each task a digit for its status and three moments, by its index.

The index of a task is its place in the order of arrival, where what it waits for stands before it. So it is the same on
every server, and a task that comes later has a higher one; whatever else changes the order makes the board *stale*, and
it is read anew.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from taskengine.core.lifecycle import TERMINAL
from taskengine.core.replay import MOVES, STEP_MOVES
from taskengine.models import Event, TaskStatus
from taskengine.store.keys import CODES
from taskengine.store.runs import StoredRun
from taskengine.store.sketches import Sketch

#: Of each status its digit.
DIGITS: Mapping[str, str] = {status: str(code) for status, code in CODES.items() if code < 10}
_DIGIT_OF = {status: ord(digit) for status, digit in DIGITS.items()}
_DIGIT_AFTER = {word: ord(DIGITS[status.value]) for word, status in {**MOVES, **STEP_MOVES}.items()}
_OVER = frozenset(ord(DIGITS[status.value]) for status in TERMINAL)
_PENDING, _READY, _RUNNING = (
    _DIGIT_OF[status] for status in (TaskStatus.PENDING, TaskStatus.READY, TaskStatus.RUNNING)
)
#: Moments that a status shows: those of an attempt that is over are none of one that waits again.
_SHOWN = {_READY: 1, _RUNNING: 2, **dict.fromkeys(_OVER, 3)}
MADE = frozenset({"created", "step_created"})
#: After these the shape may be another.
RESHAPED = frozenset({"updated", "depends"})


class Board:
    """A run as of one event of its history."""

    def __init__(self, run: StoredRun, rows: Sequence[Sketch], seq: int) -> None:
        self.run = run.id
        self.name = run.name or None
        self.base_ms = run.created_ms
        #: Sequence of the latest event that is in it.
        self.seq = seq
        self.ids: list[str] = []
        self.names: list[str] = []
        self.queues: list[str] = []
        self._index: dict[str, int] = {}
        self._queue_index: dict[str, int] = {}
        self._queue = array("I")
        self._status = bytearray()
        # Milliseconds since 1970, 0 for none.
        self._ready, self._start, self._end = array("q"), array("q"), array("q")
        self._src, self._dst = array("I"), array("I")
        self._shape = array("q")
        self._made, self._changed = array("Q"), array("Q")
        self._last_number = -1
        self._add(in_order(rows), 0)
        self._unseen = run.total - len(self.ids)
        #: Of the event behind which it tells what changed: what came before, it read as it was.
        self.since = seq

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def total(self) -> int:
        """How many tasks its run has at least, as far as it knows: fewer are there when retention took some."""
        return len(self.ids) + self._unseen

    def index_of(self, task_id: str) -> int | None:
        """Return the index of a task; None where the run has none of this id."""
        return self._index.get(task_id)

    def needs(self, events: Iterable[Event]) -> list[str]:
        """Return the tasks that must be read to fold these events: new ones, and those whose shape may be another."""
        found: dict[str, None] = {}
        for event in events:
            id = str(event.task_id)
            if event.what in RESHAPED or (event.what in MADE and id not in self._index):
                found[id] = None
        return list(found)

    def fold(self, events: Iterable[Event], read: Sequence[Sketch]) -> set[int] | None:
        """Play what happened, with what it needed read; the indices that changed, or None when the order did."""
        new = [row for row in read if row.id not in self._index]
        if not self._is_behind(new) or any(row.id in self._index and self._is_other(row) for row in read):
            return None
        fresh = {row.id for row in new}
        self._add(new, self.seq + 1)
        changed: set[int] = set()
        for event in events:
            id = str(event.task_id)
            at = self._index.get(id)
            self.seq = event.sequence
            if at is None:
                continue
            if event.what == "deleted":
                return None
            if event.what in MADE and id in fresh:
                self._made[at] = event.sequence
            if (digit := _DIGIT_AFTER.get(event.what)) is not None:
                self._move(at, event, digit)
                changed.add(at)
        return changed

    def _move(self, at: int, event: Event, digit: int) -> None:
        ms = round(event.at.timestamp() * 1000)
        if digit in _OVER:
            self._end[at] = ms
        elif digit == _READY:
            self._ready[at] = ms
        elif digit == _RUNNING and self._status[at] not in _OVER:
            self._start[at] = ms
        if digit not in _OVER:
            self._end[at] = 0
        self._status[at] = digit
        self._changed[at] = event.sequence

    def _is_behind(self, new: Sequence[Sketch]) -> bool:
        """Whether new tasks stand behind all others, and behind what they wait for."""
        last = self._last_number
        later = {row.id for row in new}
        for row in new:
            later.discard(row.id)
            if int(row.number) <= last or not later.isdisjoint(row.depends_on.split()):
                return False
            last = int(row.number)
        return True

    def _is_other(self, row: Sketch) -> bool:
        return self._shape[self._index[row.id]] != _shape_of(row)

    def _add(self, rows: Sequence[Sketch], made: int) -> None:
        """Put tasks behind the others; new ones (*made*: an event) as they were when they were made."""
        if not rows:
            return
        first, n = len(self), len(rows)
        ids, numbers, statuses, *moments, queues, names, waits = zip(*rows, strict=True)
        self.ids += ids
        self.names += names
        self._index.update(zip(ids, range(first, first + n), strict=True))
        self._queue.extend(map(self._queue_of, queues))
        self._status += bytes([_PENDING]) * n if made else bytes(map(_DIGIT_OF.__getitem__, statuses))
        for column, words in zip((self._ready, self._start, self._end), moments, strict=True):
            column.extend([0] * n if made else [int(word or 0) for word in words])
        self._shape.extend(map(hash, zip(names, queues, waits, strict=True)))
        self._made.extend([made] * n)
        self._changed.extend([made] * n)
        self._last_number = max(self._last_number, *map(int, numbers))
        self._join(waits, first)

    def _join(self, waits: Sequence[str], first: int) -> None:
        """Note what each waits for: an edge to it from all of them that stand before it."""
        src, dst, index = self._src, self._dst, self._index
        for at, on in enumerate(waits, first):
            for id in on.split():
                if (source := index.get(id, at)) < at:
                    src.append(source)
                    dst.append(at)

    def _queue_of(self, name: str) -> int:
        at = self._queue_index.setdefault(name, len(self.queues))
        if at == len(self.queues):
            self.queues.append(name)
        return at

    def graph(self) -> bytes:
        """Return all of it, as JSON."""
        times = [self._times(at) for at in range(len(self))]
        ready, start, end = zip(*times, strict=True) if times else ((), (), ())
        return to_json(
            {
                "run": self.run, "name": self.name, "seq": self.seq, "base_ms": self.base_ms, "codes": DIGITS,
                "names": self.names, "queues": self.queues, "queue": self._queue.tolist(),
                "status": self._status.decode(), "src": self._src.tolist(), "dst": self._dst.tolist(),
                "ready": ready, "start": start, "end": end,
            }
        )  # fmt: skip

    def _times(self, at: int) -> tuple[int, int, int]:
        """When a task became ready, started and ended, in milliseconds since the run began; -1 for not yet.

        What started before it was ready again is an attempt of before: nothing of this one began.
        """
        shown = _SHOWN.get(self._status[at], 0)
        base = self.base_ms
        ready, start, end = self._ready[at], self._start[at], self._end[at]
        return (
            max(0, ready - base) if ready and shown > 0 else -1,
            max(0, start - base) if start and start >= ready and shown > 1 else -1,
            max(0, end - base) if end and shown > 2 else -1,
        )

    def changed_since(self, seq: int) -> list[int]:
        """Return what changed behind an event that is not older than the board itself."""
        return [at for at, changed in enumerate(self._changed) if changed > seq]

    def first_made_since(self, seq: int) -> int:
        """Return the index of the first task that was made behind an event; the number of tasks where none was."""
        at = len(self)
        while at > 0 and self._made[at - 1] > seq:
            at -= 1
        return at

    def has_last(self, ids: Iterable[str]) -> bool:
        """Whether these are exactly the last tasks of all."""
        found = {self._index.get(id, -1) for id in ids}
        return found == set(range(len(self) - len(found), len(self)))

    def delta(self, changed: Iterable[int], first_new: int) -> bytes:
        """Return some of it, as JSON: these tasks as they stand, and those from *first_new* on whole."""
        at = sorted({*changed, *range(first_new, len(self))})
        return to_json(
            {
                "q": self.seq, "i": at, "s": bytes(self._status[each] for each in at).decode(),
                "t": [self._times(each) for each in at],
                "new": self._described(first_new),
            }
        )  # fmt: skip

    def _described(self, first: int) -> list[dict[str, Any]]:
        deps: dict[int, list[int]] = {at: [] for at in range(first, len(self))}
        edge = len(self._dst)
        while deps and edge > 0 and self._dst[edge - 1] >= first:
            edge -= 1
            deps[self._dst[edge]].append(self._src[edge])
        return [
            {"i": at, "name": self.names[at], "queue": self.queues[self._queue[at]], "deps": on[::-1]}
            for at, on in deps.items()
        ]


def _shape_of(row: Sketch) -> int:
    return hash((row.name, row.queue, row.depends_on))


def in_order(rows: Sequence[Sketch]) -> Sequence[Sketch]:
    """Return tasks in the order of their arrival, but none before what it waits for.

    They arrive in such an order; only edges that were added later, and cross it, leave anything to do.
    """
    place = {row.id: at for at, row in enumerate(rows)}
    on = [[place[id] for id in row.depends_on.split() if id in place] for row in rows]
    if all(before < at for at, each in enumerate(on) for before in each):
        return rows
    dependents: list[list[int]] = [[] for _ in rows]
    for at, each in enumerate(on):
        for before in each:
            dependents[before].append(at)
    left = [len(each) for each in on]
    free = [at for at, n in enumerate(left) if n == 0]
    found = []
    while free:
        at = heapq.heappop(free)
        found.append(rows[at])
        for waiting in dependents[at]:
            left[waiting] -= 1
            if left[waiting] == 0:
                heapq.heappush(free, waiting)
    return found
