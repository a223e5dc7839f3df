"""How long scripts hold the server, from its SLOWLOG, beside a script that does always the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self

from benchmarks.client import Client
from benchmarks.figure import Figure, Must
from benchmarks.fixed import Fixed
from taskengine.store.scripts import Scripts, names

#: Microseconds; faster ones are of no interest, and the log itself would cost.
_LOGGED_FROM = 500
_ENTRIES = 50_000


@dataclass(frozen=True, slots=True)
class Slow:
    """What the log held since the last look."""

    #: Milliseconds of the longest run of each script, longest first.
    longest_ms: dict[str, float]
    #: Runs over 10 ms, of all scripts.
    over_10_ms: int
    #: The script that does always the same: its runs, its median and its longest, and its runs over 10 ms.
    fixed_runs: int
    fixed_usual_ms: float | None
    fixed_longest_ms: float | None
    fixed_over_10_ms: int
    #: Share of its time in which the server was ready to run and had no processor; None where nobody counts it.
    starved: float | None


class ScriptTimes:
    """Watches the server while it is entered.

    The log's time is the wall clock's: where processes outnumber processors it holds the moments in which the
    server was not running, too. ``starved`` says how much of that to expect. What the machine does to scripts beyond
    that shows in ``fixed``, which its user runs beside what is measured.
    """

    def __init__(self, client: Client, server_pid: int) -> None:
        self._raw = client.raw
        self.fixed = Fixed(client.raw)
        self._schedule = Path(f"/proc/{server_pid}/schedstat")
        scripts = Scripts(client.settings)
        self._names = {scripts[name].sha: name for name in names()}

    def __enter__(self) -> Self:
        self._before = {str(k): str(v) for k, v in self._raw.config_get("slowlog-*").items()}
        self._raw.config_set("slowlog-log-slower-than", _LOGGED_FROM)
        self._raw.config_set("slowlog-max-len", _ENTRIES)
        self._raw.slowlog_reset()
        self._ran, self._waited = self._scheduled()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        for name, value in self._before.items():
            self._raw.config_set(name, value)
        self._raw.slowlog_reset()

    def take(self) -> Slow:
        """What was logged since the last call."""
        ran, waited = self._scheduled()
        entries: list[dict[str, Any]] = self._raw.slowlog_get(_ENTRIES)
        self._raw.slowlog_reset()
        named = [(self._name(entry["command"]), entry["duration"] / 1000) for entry in entries]
        runs = [(name, ms) for name, ms in named if name and name != self.fixed.sha]
        fixed = [ms for name, ms in named if name == self.fixed.sha]
        worst: dict[str, float] = {}
        for name, ms in runs:
            worst[name] = max(worst.get(name, 0.0), ms)
        spent = ran - self._ran + waited - self._waited
        starved = round((waited - self._waited) / spent, 3) if spent else None
        self._ran, self._waited = ran, waited
        longest = dict(sorted(worst.items(), key=lambda pair: -pair[1]))
        return Slow(
            longest,
            sum(ms > 10 for _, ms in runs),
            fixed_runs=len(fixed),
            fixed_usual_ms=median(fixed) if fixed else None,
            fixed_longest_ms=max(fixed, default=None),
            fixed_over_10_ms=sum(ms > 10 for ms in fixed),
            starved=starved,
        )

    def figure(self, name: str, slow: Slow, about: Mapping[str, Any]) -> Figure:
        """Return the longest run of a script beside the one that does always the same."""
        script, longest = next(iter(slow.longest_ms.items()), ("", 0.0))
        config = dict(about) | {"script": script, "over_10_ms": slow.over_10_ms, "fixed": slow.fixed_over_10_ms}
        config |= {"starved": slow.starved, "peer": "the script that does always the same"}
        return Figure(name, longest, "ms", slow.fixed_longest_ms, Must("value", "<=", 10), config)

    def _scheduled(self) -> tuple[int, int]:
        """Nanoseconds that the server's main thread ran, and waited for a processor; Linux counts them."""
        if not self._schedule.exists():
            return 0, 0
        ran, waited, _ = self._schedule.read_text().split()
        return int(ran), int(waited)

    def _name(self, command: bytes | str) -> str | None:
        words = (command.decode(errors="replace") if isinstance(command, bytes) else command).split(" ", 2)
        return self._names.get(words[1], words[1]) if words[0] == "EVALSHA" else None
