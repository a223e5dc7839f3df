"""What one execution used, measured by the process that ran it."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass

from taskengine.models import Usage

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Meter:
    """The clocks at the start of an execution."""

    wall: float
    cpu: float
    threaded: bool

    @classmethod
    def start(cls, *, threaded: bool) -> Meter:
        """Begin to measure; with *threaded* only the calling thread counts."""
        return cls(time.monotonic(), _cpu_seconds(threaded), threaded)

    def stop(self, peak_bytes: int, custom: dict[str, float]) -> Usage:
        """What was used since, with what the agent counted; *peak_bytes* 0: no sample of memory was taken."""
        wall = time.monotonic() - self.wall
        cpu = _cpu_seconds(self.threaded) - self.cpu
        return Usage(
            cpu_percent=round(100 * cpu / wall, 1) if wall > 0 else 0.0,
            memory_mb=round((peak_bytes or _peak_of_process()) / _MIB, 1),
            wall_seconds=round(wall, 6),
            custom=custom,
        )


def _cpu_seconds(threaded: bool) -> float:
    if threaded:
        return time.thread_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_of_process() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
