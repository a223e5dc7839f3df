"""A server of REST of the figure's own, and a process with many who listen to it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any

import psutil

from benchmarks.processes import ROOT, Process, until
from taskengine.settings import environment

_START_SECONDS = 180.0
_LONGEST = 600.0


class Served:
    """A server that asks for no key."""

    def __init__(self, process: Process, port: int) -> None:
        self._process, self.port = process, port
        self._known = psutil.Process(process.pid)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def megabytes(self) -> float:
        """What it has in memory."""
        return float(self._known.memory_info().rss) / 2**20

    @property
    def seconds(self) -> float:
        """How long it was busy so far."""
        return float(sum(self._known.cpu_times()[:2]))

    def is_ready(self) -> bool:
        """Whether it says that it answers."""
        self._process.require_alive()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status in {200}
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


@contextmanager
def served(store: str) -> Iterator[Served]:
    """While the block lasts, there is a server on the store of that URL."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = int(trial.getsockname()[1])
    words = ("taskengine.cli", "server", "--no-login", "--port", str(port))
    process = Process.python(*words, variables={"TASKENGINE_REDIS_URL": store})
    try:
        found = Served(process, port)
        until(found.is_ready, _START_SECONDS, f"{found.url} answers")
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
