"""Child processes that surely end, and waiting for facts."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from taskengine.settings import environment

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE = 15.0
_LAST_WORDS = 2000


def until(fact: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for *fact*; RuntimeError says *what* did not come true."""
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {seconds:g} s: {what}")
        time.sleep(0.02)


class Process:
    """A process that we started."""

    def __init__(self, child: subprocess.Popen[bytes], said: IO[bytes] | None = None) -> None:
        self._child = child
        self._said = said

    @classmethod
    def python(cls, *words: str, variables: Mapping[str, str]) -> Process:
        """Start ``python -m WORDS`` in the project's folder."""
        said = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process
        command = [sys.executable, "-m", *words]
        variables = {**environment(), "PYTHONPATH": str(ROOT), **variables}
        child = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        return cls(child, said)

    @property
    def pid(self) -> int:
        """Its id."""
        return self._child.pid

    def require_alive(self) -> None:
        """Raise RuntimeError with its last words when it ended by itself."""
        if self._child.poll() is None:
            return
        words = ""
        if self._said is not None:
            self._said.seek(max(0, self._said.tell() - _LAST_WORDS))
            words = self._said.read().decode(errors="replace")
        raise RuntimeError(f"{self._child.args!r} ended with exit code {self._child.returncode}: {words}")

    def stop(self) -> None:
        """End it with TERM, with KILL if it does not. Safe to repeat."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        if self._said is not None:
            self._said.close()
