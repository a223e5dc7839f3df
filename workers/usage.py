"""What one execution used, measured by the process that ran it."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from functools import lru_cache

import psutil

from taskengine.models import Usage

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Meter:
    """The clocks at the start of an execution."""

    wall: float
    cpu: float
    peak: int
    threaded: bool

    @classmethod
    def start(cls, *, threaded: bool) -> Meter:
        """Begin to measure; with *threaded* only the calling thread counts."""
        return cls(time.monotonic(), _cpu_seconds(threaded), _peak_of_process(), threaded)

    def stop(self, sampled: int, custom: dict[str, float]) -> Usage:
        """What was used since, with what the agent counted; *sampled* bytes of memory, 0: no sample was taken."""
        wall = time.monotonic() - self.wall
        cpu = _cpu_seconds(self.threaded) - self.cpu
        return Usage(
            cpu_percent=round(100 * cpu / wall, 1) if wall > 0 else 0.0,
            memory_mb=round(self._memory(sampled) / _MIB, 1),
            wall_seconds=round(wall, 6),
            custom=custom,
        )

    def _memory(self, sampled: int) -> int:
        """The highest that is known of this run: a process that never needed more than now reached it just then; what
        an earlier run of the same process needed is none of this one's.
        """
        peak = _peak_of_process()
        return peak if peak > self.peak else sampled or int(_process(os.getpid()).memory_info().rss)


def _cpu_seconds(threaded: bool) -> float:
    if threaded:
        return time.thread_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@lru_cache(maxsize=1)
def _process(pid: int) -> psutil.Process:
    """Made once in a process: it costs more than to ask it."""
    return psutil.Process(pid)


def _peak_of_process() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
