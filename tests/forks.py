"""Children of a test's own process, made by a bare fork as servers with preloaded applications make theirs."""

from __future__ import annotations

import json
import os
import select
import signal
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Child:
    """A forked process that works on something."""

    pid: int
    _answer: int

    def answer(self, seconds: float = 60.0) -> Any:
        """What its work came to; AssertionError when that raised, or took longer than *seconds*."""
        try:
            ready, _, _ = select.select([self._answer], [], [], seconds)
            assert ready, f"the child said nothing for {seconds:g} s"
            with open(self._answer, closefd=False) as pipe:
                said = json.loads(pipe.read())
        finally:
            os.close(self._answer)
            os.kill(self.pid, signal.SIGKILL)  # a zombie at most, when all is well
            os.waitpid(self.pid, 0)
        assert "error" not in said, said["error"]
        return said["value"]


def fork(work: Callable[[], Any]) -> Child:
    """Begin *work* in a child; what it returns must be JSON."""
    reads, writes = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads, which are what is tried
        pid = os.fork()
    if pid == 0:
        try:
            said = {"value": work()}
        except BaseException:
            said = {"error": traceback.format_exc()}
        os.write(writes, json.dumps(said).encode())
        os._exit(0)
    os.close(writes)
    return Child(pid, reads)


def together(*works: Callable[[], Any]) -> list[Any]:
    """What several children come to, who begin at the same moment."""
    waits, begins = os.pipe()

    def begin(work: Callable[[], Any]) -> Any:
        os.close(begins)
        os.read(waits, 1)  # until nobody is left who could write: all are there
        return work()

    children = [fork(lambda work=work: begin(work)) for work in works]
    os.close(begins)
    os.close(waits)
    return [child.answer() for child in children]
