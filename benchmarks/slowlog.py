"""Follows the server's SLOWLOG, so that each entry's moment is known better than to its second."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self

import redis

from benchmarks.metronome import Moment

#: Seconds between two looks, and so about how exact a moment is.
_EVERY = 0.02
_AT_ONCE = 128
_ENTRIES = 50_000
#: Microseconds; faster commands are of no interest, and the log itself would cost.
_LOGGED_FROM = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """One slow command."""

    words: str
    ms: float
    #: A stretch that holds all of it.
    moment: Moment


class SlowLog:
    """Reads along while it is entered; the server's own settings of the log come back after it."""

    def __init__(self, raw: redis.Redis) -> None:
        self._raw = raw
        self._entries: list[Entry] = []
        self._stop, self._lock = Event(), Lock()
        self._thread = Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._before = {str(k): str(v) for k, v in self._raw.config_get("slowlog-*").items()}
        self._raw.config_set("slowlog-log-slower-than", _LOGGED_FROM)
        self._raw.config_set("slowlog-max-len", _ENTRIES)
        self._raw.slowlog_reset()
        self._last, self._looked = -1, time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        for name, value in self._before.items():
            self._raw.config_set(name, value)
        self._raw.slowlog_reset()

    def take(self) -> list[Entry]:
        """What was logged since the last call."""
        with self._lock:
            self._look()
            taken, self._entries = self._entries, []
        return taken

    def _follow(self) -> None:
        while not self._stop.wait(_EVERY):
            with self._lock:
                self._look()

    def _look(self) -> None:
        before, self._looked = self._looked, time.monotonic()
        entries, now = self._news(), time.monotonic()
        self._entries += [
            Entry(_text(one["command"]), ms := one["duration"] / 1000, Moment(before - ms / 1000, now))
            for one in entries
        ]

    def _news(self) -> list[dict[str, Any]]:
        """Entries that were not seen before; an asked-for number may not reach back to the last one seen."""
        count = _AT_ONCE
        while True:
            found: list[dict[str, Any]] = self._raw.slowlog_get(count)
            fresh = [entry for entry in found if entry["id"] > self._last]
            if len(fresh) < count or count >= _ENTRIES:
                break
            count *= 4
        self._last = max((entry["id"] for entry in fresh), default=self._last)
        return fresh


def _text(command: bytes | str) -> str:
    return command.decode(errors="replace") if isinstance(command, bytes) else command
