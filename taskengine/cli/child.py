"""One process of the stack: started in a session of its own, so that Ctrl-C reaches only who started it,
and so that everything that it left behind can be found and ended.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil


@dataclass(frozen=True, slots=True)
class Program:
    """What to start, and what to call it."""

    name: str
    command: Sequence[str]


@dataclass(slots=True)
class Child:
    """A program that was started as a child process, and the pipe that its output comes through."""

    name: str
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, program: Program, environment: Mapping[str, str], log: Path | None) -> Child:
        """Start *program*; what it says goes to the file *log*, or into a pipe without one."""
        if log is None:
            return cls(program.name, _popen(program, environment, subprocess.PIPE))
        with log.open("ab") as file:
            return cls(program.name, _popen(program, environment, file))

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self.process.poll()

    @property
    def end(self) -> str:
        """How it ended, for people."""
        code = self.process.returncode
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def terminate(self) -> None:
        """Ask it to end."""
        if self.exit_code is None:
            self.process.send_signal(signal.SIGTERM)

    def hand_back(self) -> None:
        """Ask a worker to give back what it runs and end at once; others know no such thing and just end."""
        if self.exit_code is None:
            self.process.send_signal(signal.SIGQUIT)

    def kill(self) -> None:
        """End it and every process of its session."""
        if self.exit_code is None:
            self.process.kill()
        end_session(self.pid)
        self.process.wait()

    def close(self) -> None:
        """End it, and forget what it said and nobody read."""
        self.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()


def _popen(program: Program, environment: Mapping[str, str], output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        program.command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def end_session(session: int) -> None:
    """Kill every process of a session: pool children lead groups of their own, what their tasks started
    is there.
    """
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session:
                process.kill()
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue
