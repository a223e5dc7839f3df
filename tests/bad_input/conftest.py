"""Servers on which no task can be kept, and nobody where a server should be."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from taskengine.settings import current

from ..cli.conftest import taskengine  # noqa: F401  # the command line in this process
from ..conftest import Valkey


@dataclass
class Place:
    """A URL, and the server behind it if it is one."""

    url: str
    server: Valkey | None = None
    ends: list[Callable[[], None]] = field(default_factory=list)

    def everything(self) -> dict[bytes, bytes]:
        """All that is stored there."""
        if self.server is None:
            return {}
        return {key: self.server.client.dump(key) for key in self.server.client.scan_iter()}


def listen(answer: bytes | None) -> Place:
    """Somebody who accepts, and says *answer* to whatever he is told; None: nothing, ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                held.append(listener.accept()[0])
                if answer is not None:
                    held[-1].recv(100)
                    held[-1].sendall(answer)
                    held.pop().close()
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()

    def end() -> None:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in held:
            connection.close()

    return Place(f"redis://127.0.0.1:{listener.getsockname()[1]}/0", None, [end])


def serve(**options: str) -> Place:
    server = Valkey(**options)
    return Place(server.url, server, [server.close])


def hung() -> Place:
    place = serve()
    assert place.server is not None
    place.server.freeze()
    place.ends.insert(0, place.server.thaw)
    return Place(place.url, None, place.ends)


def over_tls() -> Place:
    """A plain port, asked for TLS."""
    silent = listen(None)
    return Place(silent.url.replace("redis://", "rediss://") + "?ssl_cert_reqs=required", None, silent.ends)


PLACES: dict[str, Callable[[], Place]] = {
    "cluster": lambda: serve(cluster_enabled="yes", appendonly="no"),
    "evicting": lambda: serve(maxmemory_policy="allkeys-lru"),
    "password": lambda: serve(requirepass="secret"),
    "replica": lambda: serve(replicaof="127.0.0.1 1"),
    "full": lambda: serve(maxmemory="1mb"),
    "hung": hung,
    "down": lambda: Place("redis://127.0.0.1:1/0"),
    "no socket": lambda: Place("redis+socket:///tmp/te-nobody/s"),
    "no sentinel": lambda: Place("sentinel://127.0.0.1:1/main"),
    "no host": lambda: Place("redis://no-such-host.invalid:6379/0"),
    "web server": lambda: listen(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "no tls": over_tls,
}


@pytest.fixture(scope="module")
def places() -> Iterator[Callable[[str], Place]]:
    """Each place by its name, made when it is first asked for."""
    made: dict[str, Place] = {}

    def place(name: str) -> Place:
        if name not in made:
            made[name] = PLACES[name]()
        return made[name]

    yield place
    for one in made.values():
        for end in one.ends:
            end()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Callable[[str], None]]:
    """This process's ``TASKENGINE_REDIS_URL``, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def at(url: str) -> None:
        monkeypatch.setenv("TASKENGINE_REDIS_URL", url)
        monkeypatch.setenv("TASKENGINE_FLOWER_PORT", "0")  # somebody may have the usual one
        current.cache_clear()

    yield at
    current.cache_clear()
