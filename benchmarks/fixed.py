"""A script that does always the same, run beside others: how long it takes tells what the machine does to all.

Virtual machines are slowed from outside without being told: on one of ours a loop within the processor's own cache
took 11 to 20 times as long for 40 ms, about every two seconds, with nothing else running, no time counted as stolen
and all of it counted as the loop's own processor time. In a cancel of 100 000 tasks there, 6 and 21 of 3 125 scripts
with usually 2 ms passed 10 ms, and so did 11 and 22 of as many runs of this one.
"""

from __future__ import annotations

from threading import Event, Thread
from types import TracebackType
from typing import Self

import redis

#: One to two milliseconds, as the longer scripts have; strings and a table, of which scripts consist, and no command.
_BODY = """
local t = {}
for i = 1, 1500 do t[i % 100] = string.format('%012d:%s', i, 'abcdef') .. (i % 7) end
return #t
"""
#: Seconds between two runs beside something else: some hundredths of the server's time.
_EVERY = 0.05


class Fixed:
    """The script on one server; while entered it runs now and then."""

    def __init__(self, raw: redis.Redis) -> None:
        self._raw = raw
        self.sha = str(raw.script_load(_BODY))
        self._stop = Event()
        self._thread = Thread(target=self._go_on, daemon=True)

    def run(self) -> None:
        """Run it once."""
        self._raw.evalsha(self.sha, 0)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._stop.wait(_EVERY):
            self.run()
