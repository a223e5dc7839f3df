"""How long scripts hold the server, from its SLOWLOG, and what of that is the machine's own doing."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.client import Client
from benchmarks.metronome import Metronome
from benchmarks.processes import prefer
from benchmarks.slowlog import Entry, SlowLog
from taskengine.store.scripts import Scripts, names


@dataclass(frozen=True, slots=True)
class Slow:
    """What the log held since the last look."""

    #: Milliseconds of the longest run of each script, longest first, while the machine was not slow itself.
    longest_ms: dict[str, float]
    #: Runs over 10 ms, of all scripts, while it was not.
    over_10_ms: int
    #: Milliseconds of the longest run of all that fell into a moment in which the machine was slow.
    longest_in_slow_moments_ms: float
    #: Share of the time that those moments took.
    slow_moments: float
    #: Share of its time in which the server was ready to run and had no processor; None where nobody counts it.
    starved: float | None


class ScriptTimes:
    """Watches the server while it is entered.

    The log's time is the wall clock's: where processes outnumber processors it holds the moments in which the
    server was not running, too. So the server runs before others from now on, where we may say so; ``starved`` says
    how much of that is left. A script that ran while the
    ``Metronome`` found the machine itself slow is told apart: fixed work took three times as long then.
    """

    def __init__(self, client: Client, server_pid: int) -> None:
        self._exits = ExitStack()
        self._metronome, self._log = Metronome(), SlowLog(client.raw)
        self._server_pid = server_pid
        self._schedule = Path(f"/proc/{server_pid}/schedstat")
        scripts = Scripts(client.settings)
        self._names = {scripts[name].sha: name for name in names()}

    def __enter__(self) -> Self:
        self._exits.enter_context(self._metronome)
        self._exits.enter_context(self._log)
        prefer(self._server_pid)
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self._exits.close()

    def take(self) -> Slow:
        """What was logged since the last call."""
        entries, moments = self._log.take(), self._metronome.slow(self._since)
        hit = [any(entry.moment.overlaps(moment) for moment in moments) for entry in entries]
        ran, waited = (now - before for now, before in zip(self._scheduled(), self._was_scheduled, strict=True))
        steady = [entry for entry, is_hit in zip(entries, hit, strict=True) if not is_hit]
        slow = Slow(
            longest_ms=self._longest(steady),
            over_10_ms=sum(entry.ms > 10 and self._name(entry) is not None for entry in steady),
            longest_in_slow_moments_ms=max(
                self._longest(e for e, is_hit in zip(entries, hit, strict=True) if is_hit).values(), default=0.0
            ),
            slow_moments=round(sum(m.end - m.begin for m in moments) / (time.monotonic() - self._since), 3),
            starved=round(waited / (ran + waited), 3) if ran + waited else None,
        )
        self._begin()
        return slow

    def _begin(self) -> None:
        self._since, self._was_scheduled = time.monotonic(), self._scheduled()

    def _longest(self, entries: Iterable[Entry]) -> dict[str, float]:
        worst: dict[str, float] = {}
        for entry in entries:
            if name := self._name(entry):
                worst[name] = max(worst.get(name, 0.0), entry.ms)
        return dict(sorted(worst.items(), key=lambda pair: -pair[1]))

    def _scheduled(self) -> tuple[int, int]:
        """Nanoseconds that the server's main thread ran, and waited for a processor; Linux counts them."""
        if not self._schedule.exists():
            return 0, 0
        ran, waited, _ = self._schedule.read_text().split()
        return int(ran), int(waited)

    def _name(self, entry: Entry) -> str | None:
        words = entry.words.split(" ", 2)
        return self._names.get(words[1], words[1]) if words[0] == "EVALSHA" else None
