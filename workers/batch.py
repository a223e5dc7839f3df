"""The executions that a slot was told together: short ones, which it runs one after the other and reports in one trip.

Nothing that was told waits behind one that turns out long. A look every few milliseconds (:class:`BatchWatch`) finds a
batch whose execution has lasted too long: what has not begun is handed back, and what has ended is reported at once, so
nobody waits for it. Whether one begins or is handed back is decided under the batch's lock. Where an agent holds the
interpreter, the look comes too late: then the slot itself hands the rest back before it goes on, and in prefork the
parent has done it at its next look (:mod:`workers.enforcement`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from taskengine.agents import Reference
from taskengine.errors import StoreError
from taskengine.models import Outcome
from taskengine.store.executions import Report
from taskengine.store.replies import Assignment

#: Seconds an execution may last before those behind it are handed back.
LONG_SECONDS = 0.02
#: Seconds between two looks while a batch is open.
_LOOK = 0.01

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finished:
    """An execution that ended and is not reported yet."""

    assignment: Assignment
    #: Its name, or that of the queue where nobody serves it here.
    agent: str
    #: As :func:`taskengine.core.estimates.kind_of` names it.
    kind: str
    #: Whether a task of that agent goes alone, however short it is.
    is_alone: bool
    outcome: Outcome
    #: Until another attempt, if there is one.
    delay_ms: int | None
    report: Report


@dataclass(frozen=True, slots=True)
class Detached:
    """An execution whose work goes on at a service, in a slot that it needs no more."""

    assignment: Assignment
    agent: str
    reference: Reference
    #: Milliseconds until the service is asked.
    poll_ms: int
    #: Whether an earlier attempt began it.
    is_taken_up: bool


class Batch:
    """What one slot was told together."""

    def __init__(self, assignment: Sequence[Assignment], clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left = deque(assignment)
        self._ended: list[Finished] = []
        #: When the one that runs began; None before the first and between two.
        self._began: float | None = None
        #: Held while somebody hands back and reports, so that the slot does not report beside it.
        self.telling = threading.Lock()

    def take(self) -> Assignment | None:
        """Begin the next one; None when none is left, or when the one before lasted too long."""
        with self._lock:
            if not self._left or self._is_late():
                return None
            self._began = self._clock()
            return self._left.popleft()

    def end(self, ended: Finished) -> None:
        """Note how the one that was begun ended."""
        with self._lock:
            self._ended.append(ended)

    def stalled(self) -> tuple[list[Assignment], list[Finished]]:
        """Return what to hand back and what to report, of a batch whose execution lasts too long; it is the caller's
        now.
        """
        with self._lock:
            if not self._is_late() or not (self._left or self._ended):
                return [], []
            return self._give()

    def close(self) -> tuple[list[Assignment], list[Finished]]:
        """Return what was not begun, and all that ended and nobody reported."""
        with self._lock:
            return self._give()

    def _is_late(self) -> bool:
        return self._began is not None and self._clock() - self._began > LONG_SECONDS

    def _give(self) -> tuple[list[Assignment], list[Finished]]:
        left, ended = list(self._left), self._ended
        self._left.clear()
        self._ended = []
        return left, ended


#: Hands back what did not begin, and reports what ended.
Tell = Callable[[Sequence[Assignment], Sequence[Finished]], None]


class BatchWatch:
    """Looks after the open batches of a process; the first one starts its thread, so a process without pays nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Batch, Tell] = {}
        self._news = threading.Event()
        self._is_started = False

    @contextmanager
    def over(self, batch: Batch, tell: Tell) -> Iterator[None]:
        """Look after *batch* while the block lasts."""
        with self._lock:
            self._open[batch] = tell
            starts, self._is_started = not self._is_started, True
        if starts:
            threading.Thread(target=self._look_forever, name="taskengine-batches", daemon=True).start()
        if not self._news.is_set():
            self._news.set()
        try:
            yield
        finally:
            with self._lock:
                del self._open[batch]

    def _look_forever(self) -> None:
        pause = threading.Event()
        while True:
            self._news.wait()
            pause.wait(_LOOK)
            with self._lock:
                found = list(self._open.items())
                if not found:
                    self._news.clear()
            for batch, tell in found:
                self._look(batch, tell)

    def _look(self, batch: Batch, tell: Tell) -> None:
        with batch.telling:
            left, ended = batch.stalled()
            if not left and not ended:
                return
            try:
                tell(left, ended)
            except StoreError as exc:  # its slot loses them when its message ends, and they run again
                logger.warning("not handed back or reported: %s", exc)
