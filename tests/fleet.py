"""A fleet for tests: coordinators and workers as real processes on a server of their own, and what they left behind.

Everything is started in one folder, each process in a session of its own, and ended by the members of that session:
nothing that the test did not start is touched, and nothing that it started outlives it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

import psutil

from taskengine import BlockingTaskAPI
from taskengine.core.lifecycle import TERMINAL
from taskengine.models import Task, TaskExecution
from taskengine.settings import Settings
from taskengine.store import executions, graphs, nodes, tasks
from taskengine.store.keys import Keys
from taskengine.store.nodes import Fleet as FleetView
from taskengine.store.records import record
from taskengine.store.replies import Reply
from taskengine.store.scripts import Scripts
from taskengine.store.sync import SyncStore
from taskengine.transport import template

T = TypeVar("T")
_AGENTS = Path(__file__).with_name("agents")
#: Seconds until a fact that does not come is a failure. One that comes ends the wait, so a slow machine is let be slow:
#: whoever asks for less says by it that the time is the law.
PATIENCE = 60.0
#: The defaults, a fifth as long.
QUICK = {
    "heartbeat_seconds": 0.4, "lease_seconds": 2.0, "claim_seconds": 2.0, "leader_seconds": 0.8,
    "sweep_seconds": 0.4, "drain_seconds": 6.0, "cancel_grace_seconds": 6.0, "kill_after_seconds": 1.0,
}  # fmt: skip
_DONE = {status.value for status in TERMINAL}


def until(ask: Callable[[], T], seconds: float = PATIENCE, what: str = "") -> T:
    """The first truthy answer; AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or ask}"
        time.sleep(0.02)
    return answer


class Process:
    """One started process with its session and its log."""

    def __init__(self, name: str, command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.log_file = folder / f"{name}.log"
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def children(self) -> list[int]:
        """Its direct children that live."""
        try:
            found = psutil.Process(self.pid).children()
            return [child.pid for child in found if child.status() != psutil.STATUS_ZOMBIE]
        except psutil.NoSuchProcess:
            return []

    def send(self, number: signal.Signals) -> None:
        """Signal the process alone."""
        self._process.send_signal(number)

    def freeze(self) -> None:
        """Stop everybody of its session."""
        for pid in self.session():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let everybody of its session go on."""
        for pid in self.session():
            os.kill(pid, signal.SIGCONT)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit code."""
        return self._process.wait(seconds)

    def kill(self) -> None:
        """kill -9 of this process alone; its children go as the system ends them."""
        self._process.kill()
        self._process.wait()

    def session(self) -> list[int]:
        """Everybody that it started, however deep, as long as they did not leave its session."""
        return [pid for pid in psutil.pids() if _session_of(pid) == self.pid and _lives(pid)]

    def close(self) -> None:
        """End everybody of its session, and see them gone."""
        until(self._kill_session, what=f"the end of {self.name}")
        self._process.wait()

    def _kill_session(self) -> bool:
        left = self.session()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not left


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return 0


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@dataclass(frozen=True, slots=True)
class Effect:
    """One line that an agent left."""

    what: str
    task: str
    attempt: int
    pid: int
    at: float


class Fleet:
    """Processes of one namespace on one server.

    *clocks* are settings that replace :data:`QUICK`; None is the engine's default.
    """

    #: The one made last, for the report of a failure.
    latest: ClassVar[Fleet | None] = None

    def __init__(self, server: Any, folder: Path, **clocks: Any) -> None:
        self.server = server
        self.folder = folder
        self.clocks = {name: value for name, value in {**QUICK, **clocks}.items() if value is not None}
        self.settings = Settings(redis_url=server.url, **self.clocks)
        self.keys = Keys(self.settings.namespace)
        self.store = SyncStore(server.url, self.settings, template())
        self.processes: list[Process] = []
        Fleet.latest = self

    def environment(self, url: str | None = None) -> dict[str, str]:
        """For a process of this fleet that reaches the server at *url*."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TASKENGINE_", "CELERY_"))}
        clocks = {f"TASKENGINE_{name.upper()}": str(value) for name, value in self.clocks.items()}
        path = os.pathsep.join(filter(None, (str(_AGENTS), os.environ.get("PYTHONPATH"))))
        paths = {"PYTHONPATH": path, "FLEET_EFFECTS": str(self.folder / "effects")}
        return {**inherited, **clocks, **paths, "TASKENGINE_REDIS_URL": url or self.server.url}

    def start(self, name: str, *command: str, url: str | None = None, **variables: str) -> Process:
        """A process of this fleet: the interpreter with *command*."""
        process = Process(
            name, [sys.executable, *command], self.folder, {**self.environment(url), **variables}
        )
        self.processes.append(process)
        return process

    def celery(
        self, name: str, *options: str, pool: str = "prefork", slots: int = 2, agents: str = "fleet_agents",
        url: str | None = None, mingle: bool = False, **variables: str,
    ) -> Process:  # fmt: skip
        """``celery -A workers worker``, just started; without *mingle* a second earlier."""
        command = ("-m", "celery", "-A", "workers", "worker", "-n", f"{name}@test", "-l", "INFO")
        size = ("-P", pool, "-c", str(slots), "-I", agents)
        alone = () if mingle else ("--without-mingle",)
        return self.start(name, *command, *size, *alone, *options, url=url, **variables)

    def worker(self, name: str, *options: str, **rest: Any) -> Process:
        """``celery -A workers worker``, ready."""
        process = self.celery(name, *options, **rest)
        self.await_ready(process)
        return process

    def await_ready(self, *processes: Process, seconds: float = PATIENCE) -> None:
        """Until every worker consumes."""
        for process in processes:
            until(
                lambda p=process: " ready." in p.log() or p.exit_code is not None,
                seconds,
                f"{process.name} ready",
            )
            assert process.exit_code is None, process.log()

    def coordinator(self, name: str = "coordinator", *, url: str | None = None, **variables: str) -> Process:
        """``python -m taskengine.coordinator``, started."""
        return self.start(name, "-m", "taskengine.coordinator", url=url, **variables)

    def await_leader(self, seconds: float = PATIENCE) -> str:
        """The coordinator that leads."""
        return until(lambda: self.view().leader, seconds, "a leader") or ""

    def api(self) -> BlockingTaskAPI:
        """A client of its own."""
        return BlockingTaskAPI(settings=self.settings)

    def submit(self, *new: Task) -> list[str]:
        """Submit tasks as one graph, dependencies first; their ids."""
        return self.store.run(graphs.submit(str(uuid4()), [record(task, 1.0) for task in new]))

    def view(self) -> FleetView:
        return self.store.run(nodes.fleet())

    def nodes(self) -> list[nodes.Node]:
        return [node for node in self.view().nodes if node.alive]

    def task(self, id: str) -> Task:
        (found,) = self.store.run(tasks.read([id]))
        assert found is not None, f"no task {id}"
        return found

    def executions(self, id: str) -> list[TaskExecution]:
        """A task's executions, oldest first, whole."""
        brief = self.store.run(executions.of_task(id))
        found = [self.store.run(executions.read(self.keys, str(one.id))) for one in brief]
        return [one for one in found if one is not None]

    def cancel(self, id: str, reason: str = "not wanted") -> Reply:
        return self.store.run(tasks.cancel(id, reason))

    def statuses(self, ids: Sequence[str]) -> list[str]:
        """In the order asked."""
        found: list[str] = []
        for at in range(0, len(ids), 256):
            found += self.store.run(tasks.statuses(ids[at : at + 256]))
        return found

    def wait(self, ids: Iterable[str], seconds: float = PATIENCE) -> list[str]:
        """Statuses in the order asked, when all are terminal; AssertionError counts those that are not."""
        ids = list(ids)
        deadline = time.monotonic() + seconds
        while not set(found := self.statuses(ids)) <= _DONE:
            if time.monotonic() > deadline:
                counts = {status: found.count(status) for status in set(found)}
                raise AssertionError(
                    f"not terminal within {seconds} s: {counts}\n{self._first_open(ids, found)}"
                )
            time.sleep(0.02)
        return found

    def run(self, *new: Task, seconds: float = PATIENCE) -> list[Task]:
        """Submit, wait, and read."""
        ids = self.submit(*new)
        self.wait(ids, seconds)
        return [self.task(id) for id in ids]

    def until_status(self, id: str, status: str, seconds: float = PATIENCE) -> Task:
        """The task once it has that status."""
        until(lambda: self.statuses([id]) == [status], seconds, f"{status} of {id}")
        return self.task(id)

    def effects(self, what: str = "") -> list[Effect]:
        """Lines that agents left, oldest first; only those of one kind when named."""
        file = self.folder / "effects"
        lines = file.read_text().splitlines() if file.exists() else []
        found = [
            Effect(w, t, int(a), int(p), float(at)) for w, t, a, p, at in (line.split() for line in lines)
        ]
        return [one for one in found if not what or one.what == what]

    def sha(self, script: str) -> bytes:
        """What EVALSHA calls a script of this fleet's processes."""
        return Scripts(self.settings)[script].sha.encode()

    def logs(self) -> list[tuple[str, str]]:
        """The end of each process's log."""
        return [(p.name, p.log()[-6000:]) for p in self.processes]

    def close(self) -> None:
        """End every process and the connection, also when one of them does not end."""
        with ExitStack() as ends:
            ends.callback(self.store.close)
            for process in self.processes:
                ends.callback(process.close)

    def _first_open(self, ids: list[str], found: list[str]) -> str:
        first = next(id for id, status in zip(ids, found, strict=True) if status not in _DONE)
        return f"{self.task(first)}\n{self.executions(first)}"


def overlaps(effects: Iterable[Effect]) -> list[tuple[Effect, Effect]]:
    """Pairs of runs of one task that ran at the same time; a run that left no end counts until its successor."""
    open_runs: dict[str, Effect] = {}
    found = []
    for effect in sorted(effects, key=lambda e: e.at):
        if effect.what == "begin":
            before = open_runs.get(effect.task)
            if before is not None and _lives(before.pid):
                found.append((before, effect))
            open_runs[effect.task] = effect
        elif effect.what == "end" and open_runs.get(effect.task, effect).pid == effect.pid:
            open_runs.pop(effect.task, None)
    return found


def attach_logs(report: Any) -> None:
    """Show the logs of the latest fleet with the report of a failed test; for ``pytest_runtest_makereport``."""
    if report.failed and Fleet.latest is not None:
        report.sections += [(f"log of {name}", text) for name, text in Fleet.latest.logs()]
