"""A server of REST in a thread of this process, for tests that ask one as a client does: over a real socket."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import uvicorn

from taskengine.api.context import OperationContext
from taskengine.api.operations.keys import Caller
from taskengine.api.surface import Scope
from taskengine.rest.app import application, door_of
from taskengine.rest.bind import Bind, listen
from taskengine.rest.protocol import PatientProtocol
from taskengine.settings import Settings

_START_SECONDS = 60.0


class Served:
    """One server, on a free port of the loopback interface."""

    def __init__(self, settings: Settings, *, everybody: str | None = None, pem: Path | None = None) -> None:
        """Serve whoever has a key, or *everybody* under one name, who may do everything; by TLS with what *pem* has."""
        self.app = application(settings, hosts=frozenset({"127.0.0.1", "localhost"}))
        if everybody is not None:
            door_of(self.app).everybody = Caller(everybody, Scope.ADMIN)
        self._listening: socket.socket = listen(Bind(port=0))
        self.port = int(self._listening.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}" if pem is None else f"https://localhost:{self.port}"
        config = uvicorn.Config(
            self.app, http=PatientProtocol, ws="none", lifespan="on", log_level="warning", access_log=False,
            server_header=False, proxy_headers=False, ssl_certfile=pem and str(pem),
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._listening],), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)

    def forget(self) -> None:
        """Forget what it learned from a store that is another one now, such as how long tasks take."""
        door = door_of(self.app)
        before = door._context
        door._context = OperationContext(before.keys, before.settings, before.clock)

    def close(self) -> None:
        """End it."""
        self._server.should_exit = True
        self._thread.join(30)
        self._listening.close()
