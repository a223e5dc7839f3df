"""A server of the benchmark's own, with the options of the embedded one."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import redis

from benchmarks.processes import Process, until
from taskengine.embedded.binary import locate, variables
from taskengine.embedded.config import DURABILITY
from taskengine.settings import environment


class Server:
    """One server on a unix socket in its own folder; database 0 is the engine's, the others are peers'."""

    def __init__(self, binary: Path | None = None) -> None:
        """Start *binary*, or the embedded server."""
        self._folder = Path(
            tempfile.mkdtemp(prefix="teb-", dir="/tmp")
        )  # a socket's path has about 100 bytes
        self.socket = self._folder / "s"
        own = {
            "port": "0",
            "unixsocket": str(self.socket),
            "dir": str(self._folder),
            "logfile": str(self._folder / "log"),
        }
        words = [word for name, value in {**dict(DURABILITY), **own}.items() for word in (f"--{name}", value)]
        given = environment()
        about = variables(given) if binary is None else given
        self._process = Process(subprocess.Popen([str(binary or locate()), *words], env=about))
        self.client = redis.Redis(unix_socket_path=str(self.socket), decode_responses=True)
        until(self._answers, 10, "the server answers")

    def describe(self) -> str:
        """What it is: name, version, and what it allocates memory with."""
        info = self.client.info()
        kind = "valkey" if "valkey_version" in info else "redis"
        maps = Path(f"/proc/{self.pid}/maps")
        is_jemalloc = "jemalloc" in str(info["mem_allocator"]) or (
            maps.exists() and "libjemalloc" in maps.read_text()
        )
        allocator = "jemalloc" if is_jemalloc else info["mem_allocator"]
        return f"{kind} {info.get('valkey_version', info['redis_version'])}, {allocator}"

    @property
    def url(self) -> str:
        """What TASKENGINE_REDIS_URL must be."""
        return f"redis+socket://{self.socket}"

    def broker_url(self, database: int) -> str:
        """A database of the same server as Celery spells it."""
        return f"{self.url}?virtual_host={database}"

    def database(self, number: int) -> redis.Redis:
        """A client of one database."""
        return redis.Redis(unix_socket_path=str(self.socket), db=number, decode_responses=True)

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def close(self) -> None:
        """End it and remove its files."""
        self.client.close()
        self._process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except (redis.ConnectionError, redis.BusyLoadingError):
            return False
