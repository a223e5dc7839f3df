"""A server of REST of the figure's own, and a process with many who listen to it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from benchmarks.processes import ROOT, Process, until
from benchmarks.stack import Stack
from taskengine.settings import environment

_START_SECONDS = 60.0
_LONGEST = 600.0


class Served:
    """A server that asks for no key."""

    def __init__(self, process: Process, port: int) -> None:
        self._process, self.port = process, port
        self._known = psutil.Process(process.pid)

    @property
    def megabytes(self) -> float:
        """What it has in memory."""
        return float(self._known.memory_info().rss) / 2**20

    @property
    def seconds(self) -> float:
        """How long it was busy so far."""
        return float(sum(self._known.cpu_times()[:2]))

    def listens(self) -> bool:
        """Whether it takes connections."""
        self._process.require_alive()
        with socket.socket() as found:
            return found.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def served(stack: Stack) -> Iterator[Served]:
    """While the block lasts, there is a server."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = int(trial.getsockname()[1])
    words = ("taskengine.cli", "server", "--no-login", "--port", str(port))
    process = Process.python(*words, variables={"TASKENGINE_REDIS_URL": stack.server.url})
    try:
        found = Served(process, port)
        until(found.listens, _START_SECONDS, "the server listens")
        yield found
    finally:
        process.stop()


def heard(server: Served, module: str, *words: object, during: Callable[[], str]) -> tuple[dict[str, Any], float]:
    """Return what the listeners of a module found, and percent of a core that the server was busy meanwhile.

    *during* begins once they are ready; they are told what it returns.
    """
    command = [sys.executable, "-m", module, str(server.port), *map(str, words)]
    listeners = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert listeners.stdout is not None
    try:
        if listeners.stdout.readline() != "ready\n":
            raise RuntimeError("the listeners did not hear what there was")
        begin, used = time.perf_counter(), server.seconds
        said, _ = listeners.communicate(during(), timeout=_LONGEST)
        needed = time.perf_counter() - begin
        spent = 100 * (server.seconds - used) / needed
    finally:
        listeners.kill()
    if listeners.returncode:
        raise RuntimeError(f"the listeners ended with exit code {listeners.returncode}")
    return {**json.loads(said), "seconds_needed": round(needed, 2)}, spent
