"""A server, from its first to its last request."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn

from taskengine.rest.app import application, door_of, live_of
from taskengine.rest.bind import Bind, listen, refuse_unsafe
from taskengine.rest.limits import MOST_REQUESTS
from taskengine.rest.own_key import own_key
from taskengine.rest.protocol import PatientProtocol
from taskengine.rest.streams import MOST_STREAMS
from taskengine.settings import Settings

#: Seconds that requests may take to end once somebody asked for it.
END_SECONDS = 10
#: Connections beyond the requests that are answered: those that are told to come back.
_SPARE = 200
#: Seconds after which somebody who insists is heeded.
_LOOK_SECONDS = 0.1
#: After so many more objects Python looks which of them are garbage.
_NEW_OBJECTS = 10_000
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Server(uvicorn.Server):
    """Ends when it is asked to, and then is over: uvicorn would send itself the signal once more.

    Whoever reads what *greet* says may ask at once, and may end it at once.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        say_bye: Callable[[], None],
        linger: float = 0.0,
        greet: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._say_bye = say_bye
        self._greet = greet
        self._linger = linger
        self._is_hurried = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End when it can; with another signal without waiting for balancers, with another Ctrl-C without anybody."""
        self._is_hurried = self.should_exit
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin as ever, and say so."""
        await super().startup(sockets)
        self._greet()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, which end by no other way, listen on while what was begun is answered, and end as ever.

        While it listens it says that it is not ready, so whoever balances loads sends the next requests elsewhere. With
        nothing to answer it ends at once, as uvicorn and gunicorn do: a balancer that asks now and then finds nobody at
        its next request, and tries another server. For one that does not, somebody says how long to listen on.
        """
        self._say_bye()
        await self._listen_on()
        most = self.config.timeout_graceful_shutdown or END_SECONDS
        left = await self._answer_begun(most)
        self.config.timeout_graceful_shutdown = max(1, round(left))
        await super().shutdown(sockets)

    async def _listen_on(self) -> None:
        """Serve as ever for a while, but not ready."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._linger
        while not self._is_hurried and (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, _LOOK_SECONDS))

    async def _answer_begun(self, seconds: float) -> float:
        """Wait until the requests of this moment are answered, those that come meanwhile aside; the seconds left."""
        begun, loop = set(self.server_state.tasks), asyncio.get_running_loop()
        until = loop.time() + seconds
        while begun and not self.force_exit and loop.time() < until:
            _, begun = await asyncio.wait(begun, timeout=_LOOK_SECONDS)
        return until - loop.time()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """While the block lasts, a signal asks for the end, and a second one insists."""
        loop = asyncio.get_running_loop()
        for each in _SIGNALS:
            loop.add_signal_handler(each, self.handle_exit, each, None)
        try:
            yield
        finally:
            for each in _SIGNALS:
                loop.remove_signal_handler(each)


async def serve(settings: Settings, bind: Bind, greet: Callable[[str, Path | None], None]) -> None:
    """Serve until a signal comes; SettingsError where it cannot, StoreError where the store does not answer.

    *greet* is told the address once it answers, and the file with this machine's key where there is one.
    """
    refuse_unsafe(bind)
    listening = listen(bind)
    try:
        port = int(listening.getsockname()[1])
        app = application(settings, hosts=bind.hosts, needs_key=not bind.no_login, is_secure=bind.is_secure)
        config = uvicorn.Config(
            app, http=PatientProtocol, ws="none", lifespan="on", log_level="warning", access_log=False,
            server_header=False, proxy_headers=False, limit_concurrency=MOST_REQUESTS + MOST_STREAMS + _SPARE,
            timeout_graceful_shutdown=END_SECONDS,
            ssl_certfile=bind.tls_cert and str(bind.tls_cert), ssl_keyfile=bind.tls_key and str(bind.tls_key),
        )  # fmt: skip
        _collect_less()
        async with own_key(door_of(app), bind, port) as file:
            said = partial(greet, bind.url(port), file)
            await Server(config, live_of(app).say_bye, bind.linger, said).serve(sockets=[listening])
    finally:
        listening.close()


def _collect_less() -> None:
    """Look for garbage among new objects alone, and less often.

    With each graph of some thousand tasks Python looked through all of the program, of which nothing ever goes, and for
    0.1 s nobody was answered; half as long it looked at the same new tasks again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
