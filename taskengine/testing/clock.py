"""Time that passes only when somebody says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isfinite

from taskengine.errors import InvalidInputError

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """The clock of one engine: its server, its coordinator and whoever waits at its clients go by it.

    It begins at *start* (None: now) and stands still between two calls of :meth:`advance`. Code of yours that asks
    ``datetime.now`` is not deceived: give it this clock instead.
    """

    def __init__(self, start: datetime | None = None) -> None:
        if start is not None and start.tzinfo is None:
            raise InvalidInputError(f"start is {start}, which has no zone; say the zone", field="start")
        begin = datetime.now(UTC) if start is None else start
        # Whole microseconds: sums of floats would drift away from the milliseconds of the server.
        self._micros = (begin - _EPOCH) // _MICROSECOND
        self._turned: list[Callable[[], None]] = []

    @property
    def now(self) -> datetime:
        """The moment at which it stands, in UTC."""
        return _EPOCH + self._micros * _MICROSECOND

    @property
    def micros(self) -> int:
        """The clock in whole microseconds since 1970, as the server's TIME gives it."""
        return self._micros

    def seconds(self) -> float:
        """Return the clock in seconds since 1970."""
        return self._micros / 1_000_000

    def advance(self, by: float | timedelta) -> datetime:
        """Turn it on by so many seconds, or by a timedelta; the moment then.

        What falls due meanwhile happens when the engine runs next, all of it at this one moment; to see everything
        at its own time let the engine pass it (``engine.run_for``). An agent may turn it too, to have taken long:
        its worker beats at once, so that its timeout and a cancel reach it.
        """
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        if not isinstance(seconds, int | float) or not isfinite(seconds) or seconds < 0:
            raise InvalidInputError(f"a clock is turned by seconds, forward, not by {by!r}", field="by")
        self._micros += round(seconds * 1_000_000)
        for hear in self._turned:
            hear()
        return self.now

    def on_advance(self, hear: Callable[[], None]) -> None:
        """Call *hear* after each turn."""
        self._turned.append(hear)
