"""A worker of one's own, started and stopped from Python.

It is the same worker that ``taskengine worker`` starts, as a child process: agents of a script that dies must not
take its worker's bookkeeping with them, and a pool can only be forked from a process without threads.
"""

from __future__ import annotations

import importlib.util
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from taskengine.agent import REGISTRY
from taskengine.embedded import ensure
from taskengine.errors import AgentError, InvalidInputError, TaskEngineError, WaitTimeoutError
from taskengine.settings import Settings, as_environment, current, environment
from taskengine.store import nodes
from taskengine.store.sync import SyncStore

_POOLS = ("prefork", "threads", "solo")
_POLL_SECONDS = 0.05
_STDERR = 2


class TaskExecutor:
    """Runs a worker with a given concurrency while it is started; also a context manager.

    The worker ends with this process, however that ends: running work has ``drain_seconds`` to finish.
    It takes what is READY; retries, schedules and the closing of dependents need a coordinator beside it.
    *imports* are modules that declare agents. Left out, they are the modules whose agents this process imported;
    an agent declared in ``__main__`` cannot be imported by another process and is refused.
    """

    def __init__(
        self,
        max_concurrent_tasks: int = 4,
        resource_monitor_interval: float = 1.0,
        *,
        queues: Iterable[str] = (),
        imports: Iterable[str] = (),
        pool: str = "prefork",
        settings: Settings | None = None,
    ) -> None:
        if not isinstance(max_concurrent_tasks, int) or max_concurrent_tasks < 1:
            raise _wrong("max_concurrent_tasks", max_concurrent_tasks, "a whole number, 1 or more")
        if not isinstance(resource_monitor_interval, int | float) or not 0 < resource_monitor_interval < math.inf:
            raise _wrong("resource_monitor_interval", resource_monitor_interval, "seconds above 0")
        if pool not in _POOLS:
            raise _wrong("pool", pool, f"one of {', '.join(_POOLS)}")
        base = settings or current()
        self.max_concurrent_tasks = max_concurrent_tasks
        self._settings = base.model_copy(update={"resource_interval": resource_monitor_interval})
        self._queues = tuple(queues)
        self._imports = _importable(tuple(imports) or _imported())
        self._pool = pool
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the worker process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self, timeout: float = 30.0) -> None:
        """Start the worker and return when the fleet knows it; does nothing when it runs already.

        Raises AgentError when the worker ends at once (its own message is on stderr), WaitTimeoutError when it does
        not come up within *timeout* seconds.
        """
        if self.is_running:
            return
        url = ensure(self._settings)
        settings = self._settings.model_copy(update={"redis_url": url})
        # What this process can import, the worker can: a script's own folder is on its path and on nobody else's.
        path = os.pathsep.join(entry for entry in sys.path if entry)
        variables = {**environment(), **as_environment(settings), "PYTHONPATH": path}
        # What a worker says is no output of the script that started it.
        self._process = subprocess.Popen(self._command(), env=variables, stdout=_STDERR)
        try:
            self._await(SyncStore(url, settings, envelope=""), timeout)  # it only looks, and never grants
        except TaskEngineError:
            self.stop(timeout=1.0)
            raise

    def stop(self, timeout: float | None = None) -> None:
        """Let running work finish (for ``drain_seconds``), then end the worker; does nothing when it is stopped.

        After *timeout* seconds (default: ``drain_seconds`` + 10) what still runs is handed back.
        """
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(self._settings.drain_seconds + 10 if timeout is None else timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _command(self) -> list[str]:
        # By name: the client lies floors above. It makes sure that the workers package is ours.
        words = [sys.executable, "-P", "-m", "taskengine.cli.celery_door", "--tied-to", str(os.getpid())]
        words += ["worker", "--loglevel", "WARNING"]
        words += ["--pool", self._pool, "--concurrency", str(self.max_concurrent_tasks)]
        words += ["--without-gossip", "--without-mingle"]  # nothing listens to it, and it takes a second at the start
        if self._queues:
            words += ["--queues", ",".join(self._queues)]
        for module in self._imports:
            words += ["--include", module]
        return [*words, "--hostname", f"executor-{id(self):x}@%h"]

    def _await(self, store: SyncStore, timeout: float) -> None:
        process = self._process
        assert process is not None
        until = time.monotonic() + timeout
        try:
            while time.monotonic() < until:
                if process.poll() is not None:
                    raise AgentError(f"the worker ended with exit code {process.returncode}; its message stands above")
                if any(f"#{process.pid}-" in node.name and node.alive for node in store.run(nodes.fleet()).nodes):
                    return
                time.sleep(_POLL_SECONDS)
        finally:
            store.close()
        raise WaitTimeoutError([f"worker {process.pid}"], timeout)


def _wrong(field: str, value: object, instead: str) -> InvalidInputError:
    return InvalidInputError(f"{field} is {value!r}; use {instead}", field=field)


def _importable(modules: tuple[str, ...]) -> tuple[str, ...]:
    for module in modules:
        try:
            found = importlib.util.find_spec(module) is not None
        except (ImportError, ValueError):
            found = False
        if not found:
            raise AgentError(f"module {module!r} cannot be imported from here; put its folder on sys.path")
    return modules


def _imported() -> tuple[str, ...]:
    modules = {agent.function.__module__ for agent in REGISTRY}
    if "__main__" in modules:
        raise AgentError("an agent is declared in __main__; move it to a module of its own, or pass imports=[…]")
    return tuple(sorted(modules))
