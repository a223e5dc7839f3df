"""Real processes on a folder of their own; whatever a test leaves running is ended by its pid."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from taskengine import embedded
from taskengine.settings import Settings, load

ROOT = Path(__file__).resolve().parents[2]

#: What every script of a test begins with. Its folder is its first argument.
PRELUDE = """
import os, sys
import redis
from taskengine import embedded
from taskengine.settings import load
settings = load(redis_url=None, home=sys.argv[1])
def client():
    return redis.Redis.from_url(embedded.ensure(settings).replace("redis+socket://", "unix://"))
"""

#: A user that waits for a line, joins, says the URL, and stays until its input is closed; it asks for a watchdog at
#: each further line.
USER = """
print("here", flush=True)
sys.stdin.readline()
print(embedded.ensure(settings), flush=True)
for line in sys.stdin:
    embedded.keep(settings)
"""


class World:
    """One embedded server's folder and the processes that a test started around it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings: Settings = load(redis_url=None, home=home)
        self.processes: list[subprocess.Popen[str]] = []

    def run(self, script: str) -> subprocess.Popen[str]:
        """A process that runs *script* after the prelude, in a session of its own, warnings as errors."""
        started = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PRELUDE + script, str(self.home)],
            cwd=ROOT,
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.processes.append(started)
        return started

    def output(self, script: str) -> str:
        """What *script* prints; it must end well within 30 s."""
        process = self.run(script)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return said.strip()

    def waiting_user(self) -> subprocess.Popen[str]:
        """A process that has loaded everything and joins when it is let."""
        process = self.run(USER)
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        return process

    def user(self) -> subprocess.Popen[str]:
        """A process that has joined and stays."""
        process = self.waiting_user()
        self.let_join(process)
        self.url_of(process)
        return process

    @staticmethod
    def let_join(process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()

    @staticmethod
    def url_of(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("redis+socket:///")
        return url

    @staticmethod
    def leave(process: subprocess.Popen[str]) -> None:
        """Let a user end by itself."""
        process.communicate(timeout=60)
        assert process.returncode == 0

    def client(self) -> redis.Redis:
        """A client of the running server, which does not make the test a user."""
        url = embedded.status(self.settings).url
        assert url is not None
        return redis.Redis.from_url(url.replace("redis+socket://", "unix://"), decode_responses=True)

    def kill_server(self, number: int = signal.SIGKILL) -> None:
        """End the server from outside and wait until it is gone."""
        pid = embedded.status(self.settings).pid
        assert pid is not None
        os.kill(pid, number)
        self.until(lambda: self.state != "running")

    @property
    def state(self) -> str:
        return embedded.status(self.settings).state

    @property
    def log(self) -> str:
        return (self.home / "valkey.log").read_text()

    @staticmethod
    def until(fact: Callable[[], bool], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not fact():
            assert time.monotonic() < deadline, "did not happen in time"
            time.sleep(0.01)

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            with process:
                pass
        embedded.release(self.settings)
        if self.state in ("running", "loading", "silent"):
            os.kill(int((self.home / "valkey.pid").read_text()), signal.SIGKILL)
            self.until(lambda: self.state in ("stopped", "absent"))
        folder = embedded.status(self.settings).socket
        if folder is not None and folder.parent.name.startswith("taskengine-"):
            shutil.rmtree(folder.parent, ignore_errors=True)


@pytest.fixture
def make_world() -> Iterator[Callable[[str], World]]:
    """Makes worlds in folders of the given names below one temporary folder."""
    root = Path(tempfile.mkdtemp(dir="/tmp", prefix="te-"))
    with contextlib.ExitStack() as worlds:
        worlds.callback(shutil.rmtree, root)

        def make(name: str) -> World:
            world = World(root / name)
            worlds.callback(world.close)
            return world

        yield make


@pytest.fixture
def world(make_world: Callable[[str], World]) -> World:
    return make_world(".taskengine")
