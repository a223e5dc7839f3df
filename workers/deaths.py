"""Pool children that died with a message in hand: how and when, for whoever tells of the execution that was lost.

The heartbeat looks for them a few times a second; Celery's parent learns of one within five seconds, waits two more
for a result that may still come, and would log it as an error of the message with a traceback of its own
(:mod:`workers.request`). Whoever is first leaves a note here, and the next beat ends the execution as LOST with that
reason. A child that this node ended itself leaves a note too; its execution is over by then, so nobody reads it.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from celery.worker import state

from workers.child_processes import dead_messages
from workers.slot_table import SlotTable

_STATUS = re.compile(r"(?:signal (\d+)|exitcode (-?\d+))")
_MIB = 1024 * 1024
#: Seconds for which a dead child whose exit status is on its way is told as alive: whoever took the status may be about
#: to say so, and the first reason of a loss is the one that stays.
_PATIENCE = 2.0
#: Notes kept; more than die between two beats.
_MOST = 1000


def told(status: str, peak: int) -> str:
    """Return how a process ended, by Celery's words for its exit *status*; *peak* is the most memory seen, 0 is
    unknown.
    """
    used = f"; it used {peak / _MIB:.0f} MiB at most, as far as was seen" if peak else ""
    found = _STATUS.search(status)
    if found is None:
        return f"its process ended{used}"
    if found[1] is None:
        return f"its process ended with exit code {found[2]}{used}"
    number = int(found[1])
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    if number == signal.SIGKILL:
        return f"its process was killed by SIGKILL{used}; out of memory may be the reason: see the system's log"
    return f"its process was ended by {name}{used}"


@dataclass(slots=True)
class Deaths:
    """What the parent of a pool saw since the last beat."""

    #: 'message|pid' -> (monotonic seconds, how).
    _seen: dict[str, tuple[float, str]] = field(default_factory=dict)
    #: Keys of what a beat told, while Celery has not noticed it.
    _told: set[str] = field(default_factory=set)
    #: 'message|pid' of the dead of whom nobody knows how -> monotonic seconds of the look that found them.
    _unclear: dict[str, float] = field(default_factory=dict)

    def note(self, message: str, pid: int, how: str) -> None:
        """A child died that had *message* in hand; of two notes the first one counts."""
        key = f"{message}|{pid}"
        if key not in self._told and len(self._seen) < _MOST:
            self._seen.setdefault(key, (time.monotonic(), how))

    def look(
        self, slot_table: SlotTable, held: Iterable[tuple[str, int]],
        exit_code_of: Callable[[int], int | None] = lambda _: None,
    ) -> None:  # fmt: skip
        """Note who died since the last look; *held*: (message, process id) that the last beat named. *exit_code_of*
        says what the pool took of a child's end.
        """
        dead = dead_messages(held, exit_code_of)
        self._told &= {f"{message}|{pid}" for message, pid, _ in dead}
        unclear = {f"{message}|{pid}" for message, pid, status in dead if not status} - self._seen.keys() - self._told
        self._unclear = {key: self._unclear.get(key, time.monotonic()) for key in unclear}
        for message, pid, status in dead:
            if status:
                self.note(message, pid, told(status, slot_table.peak_of(pid)))

    def unclear(self) -> set[str]:
        """``message|pid`` of those that died a moment ago, nobody knows how yet."""
        now = time.monotonic()
        return {key for key, since in self._unclear.items() if now - since < _PATIENCE}

    def words(self) -> list[str]:
        """As a beat tells them: ``message|pid|milliseconds ago|how``; kept until :meth:`forget`."""
        now = time.monotonic()
        return [f"{what}|{1000 * (now - at):.0f}|{how}" for what, (at, how) in list(self._seen.items())]

    def forget(self, words: list[str]) -> None:
        """Forget what a beat told."""
        for word in words:
            key = "|".join(word.split("|", 2)[:2])
            self._seen.pop(key, None)
            self._told.add(key)

    def end_message(self, request: object) -> None:
        """Have Celery forget the message of a dead child."""
        state.task_ready(request)


deaths = Deaths()
