"""Bare Celery, as the peer of a comparison."""

from __future__ import annotations

import time
from uuid import uuid4

import celery

from benchmarks.peers.app import make
from benchmarks.processes import Process, until
from benchmarks.server import Server

_LONG = 600
_CELERY = "celery -A benchmarks.peers.app"


class Bare:
    """A worker of bare Celery with two processes, and a client that submits to it and waits."""

    def __init__(self, server: Server, database: int, *, events: bool) -> None:
        self.events = events
        self.name = "celery with task events" if events else "celery without task events"
        self._url = server.broker_url(database)
        self._node = f"bare{database}"
        self._client = server.database(database)
        self._app = make(self._url)
        self._processes: list[Process] = []

    def start(self, *, listened: bool) -> None:
        """Start the processes, wait until they answer, and warm them."""
        modules = [f"{_CELERY} worker -P prefork -c 2 -n {self._node}@%h{' -E' if self.events else ''}"]
        if self.events and listened:
            modules.append(f"{_CELERY} events --dump")
        for module in modules:
            self._processes.append(
                Process.python(*module.split(), variables={"BENCHMARK_PEER_URL": self._url})
            )
        until(self._answers, 60, f"{self.name} answers")
        self.flat(50)
        self.chord(10)

    def flat(self, n: int) -> float:
        """Seconds for *n* independent tasks."""
        run = uuid4().hex
        begin = time.perf_counter()
        self._submit(run, n)
        self._counted(run)
        return time.perf_counter() - begin

    def drain(self, n: int) -> float:
        """Seconds in which a worker ends *n* tasks that all wait when it begins to consume."""
        self._app.control.cancel_consumer("celery", reply=True, timeout=5, limit=1)
        run = uuid4().hex
        self._submit(run, n)
        begin = time.perf_counter()
        self._app.control.add_consumer("celery")
        self._counted(run)
        return time.perf_counter() - begin

    def chain(self, n: int) -> float:
        """Seconds for a chain of *n* tasks."""
        steps = [self._app.tasks["step"].si() for _ in range(n)]
        begin = time.perf_counter()
        celery.chain(*steps, app=self._app).apply_async().get(timeout=_LONG)
        return time.perf_counter() - begin

    def chord(self, n: int) -> float:
        """Seconds for a chord of *n* tasks and its body."""
        header = [self._app.tasks["step"].si() for _ in range(n)]
        body = self._app.tasks["gather"].s()
        begin = time.perf_counter()
        counted = celery.chord(header, app=self._app)(body).get(timeout=_LONG)
        seconds = time.perf_counter() - begin
        if counted != n:
            raise RuntimeError(f"the chord's body saw {counted} of {n} results")
        return seconds

    def close(self) -> None:
        """End the worker."""
        for process in self._processes:
            process.stop()
        self._app.close()
        self._client.close()

    def _submit(self, run: str, n: int) -> None:
        task = self._app.tasks["count"]
        for _ in range(n):
            task.apply_async((run, n))

    def _counted(self, run: str) -> None:
        deadline = time.monotonic() + _LONG
        while not self._client.blpop([f"bench:{run}:done"], timeout=5):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name}: the tasks of {run} did not end")

    def _answers(self) -> bool:
        for process in self._processes:
            process.require_alive()
        return bool(self._app.control.ping(timeout=0.5))
