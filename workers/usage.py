"""What one execution used, measured by the process that ran it."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass

import psutil

from taskengine.models import Usage

_MIB = 1024 * 1024


#: Seconds for which a look at this process's memory is good enough: it costs a quarter of an empty task.
_LOOK_SECONDS = 0.1


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
        cpu, peak = _used(threaded)
        return cls(time.monotonic(), cpu, peak, threaded)

    def stop(self, sampled: int, custom: dict[str, float]) -> Usage:
        """Return what was used since, with what the agent counted; *sampled* bytes of memory, 0: no sample was
        taken.
        """
        wall = time.monotonic() - self.wall
        cpu, peak = _used(self.threaded)
        # A process that never needed more than now reached it just then; what an earlier run of the same process
        # needed is none of this one's.
        memory = peak if peak > self.peak else sampled or _resident.seen()
        return Usage(
            cpu_percent=round(100 * (cpu - self.cpu) / wall, 1) if wall > 0 else 0.0,
            memory_mb=round(memory / _MIB, 1),
            wall_seconds=round(wall, 6),
            custom=custom,
        )


def _used(threaded: bool) -> tuple[float, int]:
    """Seconds of processor time so far, with ended children unless *threaded*, and the most memory so far in bytes."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    peak = own.ru_maxrss * 1024
    if threaded:
        return time.thread_time(), peak
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, peak


class _Resident:
    """The memory of this process, looked at now and then."""

    def __init__(self) -> None:
        self._process: psutil.Process | None = None
        self._bytes = 0
        self._until = 0.0

    def seen(self) -> int:
        """Bytes, at most :data:`_LOOK_SECONDS` old."""
        now, pid, process = time.monotonic(), os.getpid(), self._process
        if process is None or process.pid != pid:
            process = self._process = psutil.Process(pid)
            self._until = 0.0
        if now > self._until:
            self._until = now + _LOOK_SECONDS
            self._bytes = int(process.memory_info().rss)
        return self._bytes


_resident = _Resident()
