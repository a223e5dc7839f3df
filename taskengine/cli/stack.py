"""The processes that make a fleet of one machine, which live and end together.

A coordinator, a worker for each pool, Flower, and the server of REST with the page. The embedded Valkey is not among
them: it belongs to everybody who uses it, and the last one out stops it.

One prefork worker is the default. Its children can be ended at a timeout and use every core; a coroutine
agent runs in a child as well. A second worker (``--pool prefork --pool threads``) is for agents that
mostly wait for others.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from taskengine.cli.child import Child, Program
from taskengine.errors import SettingsError
from taskengine.settings import Settings

#: The process that serves REST and the page.
SERVER = "server"
#: The agent of a worker that is told no others.
DEMO_AGENTS = "taskengine.demo.agents"
#: The agents of the built-in task types.
BUILT_IN_AGENTS = "workers.agents.builtin.agents"
#: Seconds that processes may take to end beyond what running tasks may.
_END_SECONDS = 10.0
#: Seconds in which a worker gives back what it runs.
_HAND_BACK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """What somebody wants to run on this machine."""

    pools: Sequence[str] = ("prefork",)
    #: Slots of each worker; None: one a core.
    concurrency: int | None = None
    imports: Sequence[str] = ()
    queues: Sequence[str] = ()
    #: None: no Flower.
    flower_port: int | None = 5555
    #: None: no server of REST, and no page.
    http_port: int | None = None
    log_level: str = "info"
    #: Stands before the pool and our process id in a worker's name.
    prefix: str = ""
    #: Whether one of the workers, a prefork one if there is any, also serves the built-in task types.
    builtin: bool = False


def programs(fleet: Fleet) -> list[Program]:
    """Return the programs of *fleet*, each of which ends when this process ends."""
    found = [Program("coordinator", _tied("coordinator"))]
    several = len(fleet.pools) > 1
    for pool in fleet.pools:
        found.append(Program(f"worker-{pool}" if several else "worker", _tied("worker", *_worker(fleet, pool))))
    if fleet.flower_port is not None:
        found.append(Program("flower", _tied("flower", "--port", str(fleet.flower_port))))
    if fleet.http_port is not None:
        found.append(Program(SERVER, _tied("server", "--port", str(fleet.http_port))))
    return found


def _worker(fleet: Fleet, pool: str) -> list[str]:
    words = ["--pool", pool, "--log-level", fleet.log_level]
    if fleet.builtin and pool == min(fleet.pools, key=lambda each: each != "prefork"):
        words.append("--builtin")
    if fleet.prefix:
        words += ["--name", f"{fleet.prefix}{pool}-{os.getpid()}"]
    if fleet.concurrency is not None:
        words += ["--concurrency", str(fleet.concurrency)]
    for queue in fleet.queues:
        words += ["--queues", queue]
    for module in fleet.imports:
        words += ["--import", module]
    return words


def _tied(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "taskengine.cli", "--tied-to", str(os.getpid()), *words]


def stop_seconds(settings: Settings) -> float:
    """Seconds that a stack may take to end; infinite where running tasks may take as long as they want."""
    if not settings.drain_seconds:
        return float("inf")
    return settings.drain_seconds + settings.kill_after_seconds + _END_SECONDS


@dataclass(slots=True)
class Stack:
    """Started programs. Leaving the block kills whatever still runs."""

    programs: Sequence[Program]
    environment: Mapping[str, str]
    #: Folder for a log file of each; None: their lines come through pipes.
    logs: Path | None = None
    children: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        try:
            for program in self.programs:
                self.children.append(Child.start(program, self.environment, self.log(program.name)))
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def start_again(self, ended: Child) -> Child:
        """Return a new process in the place of one that ended."""
        (program,) = [program for program in self.programs if program.name == ended.name]
        ended.close()
        fresh = Child.start(program, self.environment, self.log(program.name))
        self.children[self.children.index(ended)] = fresh
        return fresh

    def leave_out(self, ended: Child) -> None:
        """Forget a process that ended."""
        ended.close()
        self.children.remove(ended)

    def ended(self, *, besides: str) -> Child | None:
        """Return a child that ended, or None while all run; the one of the name *besides* does not count."""
        return next((child for child in self.children if child.exit_code is not None and child.name != besides), None)

    @property
    def runs(self) -> bool:
        """Whether any child still runs."""
        return any(child.exit_code is None for child in self.children)

    def stop(self, seconds: float, insists: Callable[[], int], wait: Callable[[], None]) -> bool:
        """Let running tasks finish for *seconds*, then hand them back; whether every process ended by itself.

        *insists* counts how often somebody lost patience: at the first time tasks are handed back at
        once, at the second everything is killed. *wait* passes a moment.
        """
        for child in self.children:
            child.terminate()
        if self._await_end(seconds, lambda: insists() > 0, wait):
            return True
        for child in self.children:
            child.hand_back()
        ended = self._await_end(_HAND_BACK_SECONDS, lambda: insists() > 1, wait)
        self.kill()
        return ended

    def _await_end(self, seconds: float, insists: Callable[[], bool], wait: Callable[[], None]) -> bool:
        deadline = time.monotonic() + seconds
        while any(child.exit_code is None for child in self.children):
            if insists() or time.monotonic() > deadline:
                return False
            wait()
        return True

    def kill(self) -> None:
        """End all at once, with everything that they started. Safe to repeat."""
        for child in self.children:
            child.kill()

    def _close(self) -> None:
        for child in self.children:
            child.close()

    def log(self, name: str) -> Path | None:
        """Return the log file of a child, or None where there is none."""
        return None if self.logs is None else self.logs / f"{name}.log"


def free_port(wanted: int, *, otherwise_any: bool) -> int:
    """*wanted* if it is free on the loopback interface (0: any); else any other, or SettingsError."""
    try:
        return _bound(wanted)
    except OSError as exc:
        if not otherwise_any:
            raise SettingsError(
                f"TASKENGINE_FLOWER_PORT: port {wanted} cannot be used for Flower ({exc.strerror}); "
                "set another one, 0 for any, or start with --no-flower",
                field="flower_port",
            ) from exc
    found = first_free([0])
    if found is None:
        raise SettingsError("no port of the loopback interface is free for Flower; start with --no-flower")
    return found


def first_free(ports: Iterable[int]) -> int | None:
    """The first of *ports* that is free on the loopback interface (0: any); None when none is."""
    for port in ports:
        try:
            return _bound(port)
        except OSError:
            continue
    return None


def _bound(port: int) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind(("127.0.0.1", port))
        return int(trial.getsockname()[1])
