"""Tells when the machine itself was slow: the same small work, timed again and again on every processor.

Virtual machines are slowed from outside without being told: on one of ours a loop within the processor's own cache
took 11 to 20 times as long for 40 ms, about every two seconds, with nothing else running, no time counted as stolen
and all of it counted as the loop's own processor time. A longest script measured there says nothing about scripts.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from benchmarks.processes import Process, prefer, until

#: Between two beats, seconds: 2 to 5 % of a processor.
_PAUSE = 0.002
#: Steps of a beat: about a tenth of a millisecond.
_STEPS = 10_000
#: Beats after which the fastest of them is what a beat takes.
_LEARNED = 50
#: Times of that from which a moment counts as slow; quiet machines stay below 2.
_SLOW = 3.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of ``time.monotonic()``."""

    begin: float
    end: float

    def overlaps(self, other: Moment) -> bool:
        """Whether both share an instant."""
        return self.begin <= other.end and other.begin <= self.end


class Metronome:
    """Beats while it is entered, one process a processor."""

    def __enter__(self) -> Self:
        self._beaters = [
            Process.python("benchmarks.metronome", str(processor), variables={}) for processor in _processors()
        ]
        until(lambda: all("beats" in beater.said() for beater in self._beaters), 30, "the metronome beats")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        for beater in self._beaters:
            beater.stop()

    def slow(self, since: float) -> list[Moment]:
        """The slow moments of any processor after *since*, joined where they touch, in order."""
        lines = [line.split() for beater in self._beaters for line in beater.said().splitlines()]
        moments = (Moment(float(words[0]), float(words[1])) for words in lines if len(words) == 2)
        return join(sorted((m for m in moments if m.end > since), key=lambda moment: moment.begin))


def join(moments: Sequence[Moment]) -> list[Moment]:
    """*moments*, ordered by their begin, with those that touch made one."""
    joined: list[Moment] = []
    for moment in moments:
        if joined and joined[-1].overlaps(moment):
            joined[-1] = Moment(joined[-1].begin, max(joined[-1].end, moment.end))
        else:
            joined.append(moment)
    return joined


def _processors() -> list[int]:
    """Those that we may run on; one that is nobody's where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [-1]


def _beat() -> float:
    """Processor seconds of one beat: what others take of the processor meanwhile is not in it."""
    begin = time.thread_time()
    deque(range(_STEPS), maxlen=0)
    return time.thread_time() - begin


def main(processor: int) -> None:
    """Print begin and end of every slow beat, from the pause before it to the pause after it."""
    if processor >= 0:
        os.sched_setaffinity(0, {processor})
    prefer(0)
    usual = min(_beat() for _ in range(_LEARNED))
    print("beats", flush=True)
    while True:
        begin = time.monotonic()
        time.sleep(_PAUSE)
        if _beat() > _SLOW * usual:
            print(f"{begin:.6f} {time.monotonic() + _PAUSE:.6f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
