"""A small process beside a worker's, which ends what the worker's commands started when the worker is gone.

A worker that was killed cannot end anything, and a child of it would go on. So each process that runs commands has one
of these: it is told the process groups, and hears by the end of its standard input that their parent is no more. It
imports nothing of the worker, and ignores signals: whoever ends a worker's session must not end this before it.
"""

from __future__ import annotations

import os
import signal
import sys
import time

#: Seconds between TERM and KILL.
GRACE = 5.0


def serve() -> None:
    """Follow lines ``+GROUP`` and ``-GROUP`` until there are no more; then end the groups that are left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        (groups.add if line[:1] == b"+" else groups.discard)(int(line[1:]))
    end(groups, GRACE)


def end(groups: set[int], grace: float) -> None:
    """TERM to process groups, and KILL to what is left of them after *grace* seconds."""
    left = {group for group in groups if send(group, signal.SIGTERM)}
    until = time.monotonic() + grace
    while left and time.monotonic() < until:
        time.sleep(0.05)
        left = {group for group in left if send(group, 0)}
    for group in left:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Send a signal to a process group; whether there was one."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    serve()
