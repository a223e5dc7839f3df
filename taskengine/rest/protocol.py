"""HTTP as uvicorn speaks it, with an end to patience: a head that does not come, or does not end, is cut off.

Whoever sends a letter a second would else hold a connection for ever (slow-loris). uvicorn bounds only how long a
connection may be idle between two requests. What it refuses by itself is a problem document here as well.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from taskengine.api.problems import PLAIN
from taskengine.rest.feeds import CUT
from taskengine.rest.problems import RETRY_AFTER, HttpError, error_response

#: Seconds in which a request's head must have come.
HEAD_SECONDS = 10.0
#: Bytes that it may have.
HEAD_BYTES = 64 * 1024


_crowded: Any = error_response(
    HttpError(503, "the server has as many connections as it may; ask again", {"Retry-After": str(RETRY_AFTER)})
)


class PatientProtocol(HttpToolsProtocol):
    """One connection."""

    head_seconds = HEAD_SECONDS
    _awaits_head: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that is too long ends the connection."""
        if self._awaits_head is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()  # a further request begins
        super().data_received(data)
        if self._awaits_head is not None:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._cut()

    def on_headers_complete(self) -> None:
        """Stop waiting, for the head is there."""
        self._head_came()
        scope: Any = self.scope  # its type knows no keys of a server's own
        scope[CUT] = self.transport.abort
        most = self.config.limit_concurrency
        is_crowded = most is not None and len(self.connections) >= most
        self.app = _crowded if is_crowded else self.config.loaded_app
        self.limit_concurrency = None  # uvicorn would say so in plain text, and in a line of the log each time
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, and end the connection."""
        answer = error_response(HttpError(400, f"{msg} {PLAIN[400][1]}", {"Connection": "close"}))
        lines = [b"HTTP/1.1 400 Bad Request", *(name + b": " + value for name, value in answer.raw_headers)]
        self.transport.write(b"\r\n".join((*lines, b"", bytes(answer.body))))
        self.transport.close()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._awaits_head = self.loop.call_later(self.head_seconds, self._cut)

    def _head_came(self) -> None:
        if self._awaits_head is not None:
            self._awaits_head.cancel()
            self._awaits_head = None

    def _cut(self) -> None:
        self._head_came()
        if not self.transport.is_closing():
            self.transport.close()
