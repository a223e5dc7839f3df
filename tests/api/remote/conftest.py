"""Strangers where a server is expected, and a server that wants a key."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from taskengine.api.operations.keys import create_key
from taskengine.models.key import NewKey
from taskengine.settings import Settings
from taskengine.store.call import Operation

from ...served import Served
from ...store.world import World
from ..conftest import IMPATIENT

VERSION = b'{"name": "taskengine", "version": "0.1.0", "api": "/api/v1"}'


class Stranger:
    """A program that answers HTTP as *answers* say: by path, else by '*'; each is a status, a type and a body.

    None closes the connection without a word. What was asked stands in :attr:`asked`.
    """

    def __init__(self, answers: Callable[[str, int], tuple[int, str, bytes] | None]) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        stranger = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                path = self.path.partition("?")[0]
                times = sum(1 for _, other, _ in stranger.asked if other == path)
                stranger.asked.append((self.command, path, dict(self.headers)))
                said = answers(path, times)
                if said is None:
                    self.close_connection = True
                    return
                status, kind, body = said
                self.send_response(status)
                if status == 503:
                    self.send_header("Retry-After", "0")
                if 300 <= status < 400:
                    self.send_header("Location", body.decode())
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  # as http.server calls them

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def stranger() -> Iterator[Callable[..., Stranger]]:
    """Makes one."""
    made: list[Stranger] = []

    def make(answers: Callable[[str, int], tuple[int, str, bytes] | None]) -> Stranger:
        made.append(Stranger(answers))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def locked(shared_valkey: Any) -> Iterator[Served]:
    """A server that wants a key."""
    server = Served(Settings(redis_url=shared_valkey.url, **IMPATIENT))
    yield server
    server.close()


@pytest.fixture
def key(world: World) -> Callable[..., str]:
    """Makes a key."""

    def make(scope: str = "admin", name: str = "ann") -> str:
        operation: Operation[NewKey] = create_key(name, scope)
        return world.run(operation).key

    return make
