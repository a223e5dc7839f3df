"""A process beside the server, which sees two things that nobody else is there to see.

- The last user was killed, by SIGTERM or kill -9, and could not stop the server: it is stopped within five seconds.
- The server was killed and users still hold on to it: it is started again, at the same socket with its data.

It is started with the server and ends after it. It runs as a program of its own, by its path and with nothing but the
standard library: 10 MB and 20 ms, where the whole package costs 45 MB and half a second in a process that does nothing
but look at locks. What is to be done is decided again, under the start lock, by :mod:`taskengine.embedded.repair`.
(Rejected: a thread in every user. A thread does not outlive the last one, and makes every fork of a user's unsafe.)

    python -I -S watchdog.py HOME DESCRIPTOR

The descriptor holds ``watchdog.lock``: there is one watchdog a folder.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

#: Seconds between two looks.
LOOK_SECONDS = 1.0
#: Looks in a row that find nobody: a command that follows another one finds the server running.
_LOOKS_ALONE = 3
#: Longest time between two tries of what does not succeed.
_LONGEST_SECONDS = 30.0


def is_free(path: Path) -> bool:
    """Return whether nobody holds this lock, in whatever way; FileNotFoundError if it is gone."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def look(home: Path) -> tuple[bool, bool] | None:
    """(somebody uses the server, it lives); None while somebody joins, starts or stops.

    The start lock is held meanwhile: who leaves must find the users lock free.
    """
    descriptor = os.open(home / "start.lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return not is_free(home / "users.lock"), not is_free(home / "server.lock")
    except BlockingIOError:
        return None
    finally:
        os.close(descriptor)


def keep(home: Path) -> None:
    """Look until nothing is left to keep; FileNotFoundError when the folder was deleted."""
    alone, wait = 0, LOOK_SECONDS
    while True:
        time.sleep(wait)
        found = look(home)
        if found is None or found == (True, True):
            alone, wait = 0, LOOK_SECONDS
            continue
        is_used, lives = found
        if not is_used and not lives:
            return
        alone = 0 if is_used else alone + 1
        if is_used or alone >= _LOOKS_ALONE:
            repair = [sys.executable, "-P", "-m", "taskengine.embedded.repair", str(home)]
            done = subprocess.run(repair, stdin=subprocess.DEVNULL, check=False)
            wait = LOOK_SECONDS if done.returncode == 0 else min(_LONGEST_SECONDS, 2 * wait)


def main() -> None:
    """Leave the starter, which waits for no more than that, and keep."""
    home = Path(sys.argv[1])
    if os.fork() != 0:
        os._exit(0)
    os.chdir("/")
    try:
        keep(home)
    except FileNotFoundError:
        return  # who deleted the folder under its users stops the server at their end


if __name__ == "__main__":
    main()
