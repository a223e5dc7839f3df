"""The command line in this process (quick) and as real processes whose every descendant is known."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from taskengine.cli import main
from taskengine.settings import Settings, current
from taskengine.store.sync import SyncStore
from taskengine.transport import template

#: A fifth of the defaults.
QUICK = {
    "HEARTBEAT_SECONDS": "0.4", "LEASE_SECONDS": "2", "CLAIM_SECONDS": "2", "LEADER_SECONDS": "0.8",
    "SWEEP_SECONDS": "0.4", "KILL_AFTER_SECONDS": "1", "FLOWER_PORT": "0", "HTTP_PORT": "0",
}  # fmt: skip
AGENTS = """
import subprocess, sys, time
from taskengine import agent

@agent("echo", capabilities={"echo"})
def echo(task, context):
    return task.input

@agent("sleeper", capabilities={"sleep"})
def sleep(task, context):
    # A grandchild that ignores TERM: it must not outlive the stack either.
    child = subprocess.Popen([sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(300)"])
    time.sleep(task.input["seconds"])
    child.kill()
    return {}
"""


def until(ask: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first truthy answer; AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return found


@dataclass
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def at_server(valkey: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """This process is a client of a server of the test's own, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TASKENGINE_REDIS_URL", valkey.url)
    current.cache_clear()
    yield valkey
    current.cache_clear()


@pytest.fixture
def store(at_server: Any) -> Iterator[SyncStore]:
    """The state that the commands see."""
    opened = SyncStore(at_server.url, Settings(), template())
    yield opened
    opened.close()


@pytest.fixture
def taskengine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """``taskengine …`` in this process."""

    # Somebody's terminal, or a runner of several test processes, may have told how wide it is.
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*words: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["taskengine", *words])
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin.encode()), encoding="utf-8"))
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as exit:
            code = exit.code if isinstance(exit.code, int) else 0 if exit.code is None else 1
        return Done(code, *capsys.readouterr())

    return run


@dataclass
class Running:
    """A command that runs, and what it has said so far."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def await_word(self, word: str, seconds: float = 150) -> str:
        """What it said once *word* is in it."""
        deadline = time.monotonic() + seconds
        while word not in self.said and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert word in self.said, f"no {word!r} within {seconds} s in:\n{self.said}"
        return self.said

    def interrupt(self) -> None:
        """What Ctrl-C does: only the command itself is in the terminal's group."""
        self.process.send_signal(signal.SIGINT)

    def end(self, seconds: float = 150) -> int:
        """Its exit code, when it has ended."""
        return self.process.wait(seconds)


@dataclass
class Shell:
    """A folder with agents, where commands run as processes that carry a mark."""

    folder: Path
    variables: dict[str, str]
    mark: str = field(default_factory=lambda: uuid4().hex)
    running: list[Running] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TASKENGINE_")}
        quick = {f"TASKENGINE_{name}": value for name, value in QUICK.items()}
        return {**kept, **quick, "TE_TEST_MARK": self.mark, "COLUMNS": "150", **self.variables}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-P", "-m", "taskengine.cli", *words]

    def run(self, *words: str, seconds: float = 150) -> Done:
        """A command, ended."""
        found = subprocess.run(
            self.command(*words), cwd=self.folder, env=self.environment(), capture_output=True, text=True,
            timeout=seconds, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        return Done(found.returncode, found.stdout, found.stderr)

    def start(self, *words: str) -> Running:
        """A command, started."""
        log = self.folder / f"out-{len(self.running)}"
        with log.open("wb") as file:
            process = subprocess.Popen(
                self.command(*words), cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL,
                stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.running.append(Running(process, log))
        return self.running[-1]

    def processes(self, word: str = "") -> list[psutil.Process]:
        """Every process that descends from a command of this shell, with *word* in its command line."""
        return [process for process in psutil.process_iter() if self._is_mine(process, word)]

    def _is_mine(self, process: psutil.Process, word: str) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            line = " ".join(process.cmdline())
            # The server writes its title over its environment; its configuration lies in our folder.
            mine = str(self.folder) in line or process.environ().get("TE_TEST_MARK") == self.mark
            return mine and word in line
        except psutil.Error:
            return False

    def server_url(self) -> str:
        """Where the embedded server of this folder listens."""
        note = json.loads((self.folder / ".taskengine" / "server.json").read_text())
        return f"redis+socket://{note['socket']}"

    def is_empty(self) -> bool:
        """Whether none is left."""
        return not self.processes()

    def close(self) -> None:
        for process in self.processes():
            process.kill()
        for running in self.running:
            running.process.wait()


@pytest.fixture
def shell() -> Iterator[Shell]:
    """A folder of its own with an embedded server of its own, nothing started."""
    folder = Path(tempfile.mkdtemp(prefix="te-cli-", dir="/tmp"))
    (folder / "my_agents.py").write_text(AGENTS)
    made = Shell(folder, {})
    yield made
    made.close()
    for socket in (folder / ".taskengine").glob("server.json"):
        shutil.rmtree(Path(json.loads(socket.read_text())["socket"]).parent, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
