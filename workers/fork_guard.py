"""What an agent's bare ``os.fork`` leaves: a copy of a worker in the middle of a run that is not its own.

The child goes on where the fork stands. It returns from the agent, or raises, as scripts do (``if os.fork() == 0: …;
sys.exit()``), and would report the end of its parent's execution and take work as a slot of the same pool, where no
timeout reaches it. So it ends as a script would, where it would come back to us: only the process that claimed may
report or pull.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from types import TracebackType
from typing import NoReturn


class ForkGuard:
    """A block out of which only the process that entered it comes; a copy of it ends there, with its exit code."""

    __slots__ = ("_pid",)

    def __enter__(self) -> None:
        self._pid = os.getpid()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        exit_if_forked(self._pid, error)


def exit_if_forked(pid: int, error: BaseException | None = None) -> None:
    """End this process, as *error* ends a script, unless its id is *pid*."""
    if os.getpid() != pid:
        end(error)


def end(error: BaseException | None = None) -> NoReturn:
    """End this copy at once: its parent's finalizers, which would close what both share, are not run here."""
    code = 1
    try:
        code = _code(error)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _code(error: BaseException | None) -> int:
    if isinstance(error, SystemExit) and isinstance(error.code, int | None):
        return (error.code or 0) & 0xFF
    if error is None:
        return 0
    with suppress(OSError, ValueError):  # a stream that is closed
        if isinstance(error, SystemExit):
            sys.stderr.write(f"{error.code}\n")
        else:
            traceback.print_exception(error)
    return 1
