"""What one execution says, on its way to the store: lines and progress, buffered and bounded.

An agent's own thread only appends. The process's log sender sends a piece at once when something was said after a
silence, then a piece each quarter of a second; what is left goes before the report, so that whoever sees the end sees
all. A piece keeps its numbers until the server has it, so sending it again adds nothing twice.

Bounds: 1000 lines a burst and 200 a second beyond, 64 KiB a line, 1 MiB that waits (a server that is away must not
fill a worker's memory). What is dropped is counted, and a line says so.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from taskengine.errors import StoreError
from taskengine.models import LogLevel
from taskengine.store import executions
from taskengine.store.call import Call
from taskengine.store.codec import canonical, readable
from taskengine.store.replies import Assignment, Reply
from workers.outage_retry import retry_outage
from workers.pipes import Pipe, give_back, take
from workers.redaction import cleaned, redacted

#: Bytes kept of one line.
LINE_BYTES = 64 * 1024
#: Lines that may come at once, and a second from then on.
BURST, RATE = 1000, 200
#: Bytes and lines that wait for the server.
WAITING_BYTES = 1024 * 1024
#: Bytes and lines of one trip.
PIECE_BYTES, PIECE_LINES = 512 * 1024, 256

logger = logging.getLogger(__name__)


class Sends(Protocol):
    """Who sends what a log buffer holds, soon."""

    #: Id of the process that it works in: after a fork nobody sends.
    pid: int

    def wake(self, log_buffer: LogBuffer) -> None:
        """Note that something was said and is to be sent soon."""


class LogStream:
    """What an execution speaks with; its log buffer is made when it first does, since most never do."""

    __slots__ = ("_assignment", "_log_buffer", "_log_sender", "_pipes")
    _making = threading.RLock()  # reentrant for the same reason as in a log buffer

    def __init__(self, assignment: Assignment, log_sender: Sends) -> None:
        self._assignment = assignment
        self._log_sender = log_sender
        self._log_buffer: LogBuffer | None = None
        #: Stream -> its pipe.
        self._pipes: dict[str, Pipe] = {}

    @property
    def log_buffer(self) -> LogBuffer:
        """The log buffer of this execution."""
        if self._log_buffer is None:
            with self._making:
                self._log_buffer = self._log_buffer or LogBuffer(self._assignment, self._log_sender)
        return self._log_buffer

    def descriptor(self, stream: str, level: LogLevel, pass_on: Callable[[str], object]) -> int:
        """Return a descriptor to write to as *stream*, until the end of the execution; *pass_on* hears it too."""
        log_buffer = self.log_buffer

        def hear(text: str) -> None:
            log_buffer.write(stream, level, text)
            pass_on(text)

        with self._making:
            if stream not in self._pipes:
                self._pipes[stream] = take(stream, hear)
            return self._pipes[stream].writes

    def finish(self, run: Callable[[Call[Reply]], Reply], levels: Mapping[str, LogLevel]) -> None:
        """Send all that was said and is not sent, before the report."""
        while self._pipes:
            give_back(self._pipes.popitem()[1])
        if self._log_buffer is not None:
            self._log_buffer.finish(run, levels)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one trip carries."""

    number: int
    lines: tuple[str, ...]
    progress: float | None
    note: str


class LogBuffer:
    """The words of one execution; any thread may add to it."""

    def __init__(self, assignment: Assignment, log_sender: Sends) -> None:
        self._assignment = assignment
        self._log_sender = log_sender
        # Reentrant: a signal handler of the agent's may print while the agent prints.
        self._adding = threading.RLock()
        self._sending = threading.Lock()
        self._lines: deque[str] = deque()
        self._bytes = 0
        self._number = 1
        self._piece: Piece | None = None
        self._progress: float | None = None
        self._note = ""
        self._rests: dict[str, str] = {}
        self._allowance, self._counted_at = float(BURST), time.monotonic()
        self._too_fast = self._too_many = 0
        self._is_due = self._is_fenced = False

    def add(
        self, level: LogLevel, message: str, *, logger: str | None = None, metadata: Mapping[str, Any] | None = None,
        at: float | None = None,
    ) -> None:  # fmt: skip
        """Add a line, cut where it is long and :mod:`redacted <workers.redaction>`; *at* is seconds since 1970."""
        if self._is_fenced or os.getpid() != self._log_sender.pid:  # in a fork nobody would send it
            return
        with self._adding:
            if not self._may_add():
                self._too_fast += 1
            else:
                when = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
                self._append(_line(level, message, logger, metadata, when))
            self._tell()

    def write(self, stream: str, level: LogLevel, text: str) -> None:
        """Add what was printed: whole lines now, the rest when its line ends."""
        if self._is_fenced or os.getpid() != self._log_sender.pid:
            return
        with self._adding:
            *whole, rest = (self._rests.get(stream, "") + text).split("\n")
            if len(rest) > LINE_BYTES:
                whole, rest = [*whole, rest], ""
            self._rests[stream] = _drawn(rest)
            for line in whole:
                if shown := _drawn(line).rstrip("\r"):
                    self.add(level, shown, logger=stream)

    def progress(self, fraction: float, note: str) -> None:
        """Note how far it is; only the latest is sent."""
        if self._is_fenced or os.getpid() != self._log_sender.pid:
            return
        with self._adding:
            self._progress, self._note = fraction, redacted(note)
            self._tell()

    def send(self, run: Callable[[Call[Reply]], Reply]) -> bool:
        """Send a piece; whether there is more. StoreError when the server does not take it: it is kept."""
        with self._sending:
            piece = self._take()
            if piece is None:
                return False
            assignment = self._assignment
            verb = executions.append_logs(
                assignment.execution_id, assignment.attempt, number=piece.number, lines=piece.lines,
                progress=piece.progress,
                note=piece.note,
            )  # fmt: skip
            answer = run(verb)
            with self._adding:
                self._piece = None
                self._is_fenced = not answer.ok
                return answer.ok and self._waits

    def finish(self, run: Callable[[Call[Reply]], Reply], levels: Mapping[str, LogLevel]) -> None:
        """Send all that is left, unfinished lines too (at the *levels* of their streams).

        A server that is away is waited for, as the report behind it will have to.
        """
        if self._rests:
            for stream in list(self._rests):
                self.write(stream, levels.get(stream, LogLevel.INFO), "\n")
        try:
            while self._waits:
                retry_outage(lambda: self.send(run), "append_logs")
        except StoreError as exc:
            logger.warning("dropped log lines of execution=%s: %s", self._assignment.execution_id, exc)
        self._is_fenced = True

    @property
    def _waits(self) -> bool:
        return bool(
            not self._is_fenced
            and (self._piece or self._lines or self._too_fast or self._too_many or self._progress is not None)
        )

    def _tell(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._log_sender.wake(self)

    def _may_add(self) -> bool:
        now = time.monotonic()
        self._allowance = min(BURST, self._allowance + (now - self._counted_at) * RATE)
        self._counted_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def _append(self, line: str) -> None:
        self._lines.append(line)
        self._bytes += len(line)
        while self._bytes > WAITING_BYTES and len(self._lines) > 1:
            self._bytes -= len(self._lines.popleft())
            self._too_many += 1

    def _take(self) -> Piece | None:
        with self._adding:
            self._is_due = False
            if self._is_fenced:
                return None
            if self._piece is None:
                self._say_dropped()
                self._piece = self._next_piece()
            return self._piece

    def _say_dropped(self) -> None:
        for count, why in (
            (self._too_many, "came while the server was away, and more than 1 MiB waited"),
            (self._too_fast, f"came faster than {RATE} a second"),
        ):
            if count:
                line = _line(LogLevel.WARNING, f"{count} lines dropped: they {why}", __name__, None, datetime.now(UTC))
                self._lines.append(line)
                self._bytes += len(line)
        self._too_many = self._too_fast = 0

    def _next_piece(self) -> Piece | None:
        lines: list[str] = []
        size = 0
        while self._lines and len(lines) < PIECE_LINES and (not lines or size + len(self._lines[0]) <= PIECE_BYTES):
            lines.append(self._lines.popleft())
            size += len(lines[-1])
        self._bytes -= size
        progress, self._progress = self._progress, None
        if not lines and progress is None:
            return None
        number, self._number = self._number, self._number + len(lines)
        return Piece(number, tuple(lines), progress, self._note)


def _drawn(line: str) -> str:
    """Return what *line* shows in the end: a progress bar draws over itself."""
    body = line.rstrip("\r")
    return body.rpartition("\r")[2] + line[len(body) :][:1]


def _line(
    level: LogLevel, message: str, logger: str | None, metadata: Mapping[str, Any] | None, at: datetime
) -> str:
    line: dict[str, Any] = {"timestamp": at.isoformat(), "level": level.value, "message": _shown(message)}
    if logger is not None:
        line["logger"] = redacted(readable(logger[:200]))
    if metadata:
        line["metadata"] = cleaned(dict(metadata))
    return canonical(line, "log: metadata")  # its depth was looked at where it came in


def _shown(message: str) -> str:
    text = redacted(readable(message[:LINE_BYTES]))
    if len(message) * 4 <= LINE_BYTES:
        return text
    kept = text.encode()[:LINE_BYTES].decode(errors="ignore")
    return kept if len(kept) >= len(message) else f"{kept}… (a line of {len(message)} characters)"
