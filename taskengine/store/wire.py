"""Scripts straight over a connection of the thread's own.

``Redis.execute_command`` of redis-py 8.1 costs about 50 µs of Python a call (a pool's lock, retry and telemetry
wrappers), the connection below it 11 µs; a worker reports thousands of times a second. What the wrapper did and is
wanted is done here: connecting again and sending again. A script may therefore arrive twice; every verb is made for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import redis
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as NoAnswer

from taskengine.store.busy import look_for_answer
from taskengine.store.call import Arg
from taskengine.store.scripts import Script

#: Seconds before each further try; their sum is how long a caller waits for a server that is down.
_PAUSES = (0.02, 0.1, 0.4)


class Wire:
    """Runs scripts for any number of threads of one process (:mod:`taskengine.store.forks`)."""

    def __init__(self, client: redis.Redis, busy_poll_seconds: float = 0.0) -> None:
        #: For commands that are no scripts.
        self.client: Any = client
        self._busy_poll_seconds = busy_poll_seconds
        self._pool = client.connection_pool
        self._mine = threading.local()
        self._owners: dict[threading.Thread, Any] = {}
        self._lock = threading.Lock()

    def evalsha(
        self, script: Script, args: tuple[Arg, ...], meanwhile: Callable[[], object] | None = None, *,
        sleeps: bool = False,
    ) -> Any:  # fmt: skip
        """Return the reply of *script*; the last try's error of redis-py when the server stays away.

        *meanwhile* is done in each try between sending and reading. Who *sleeps* does not look for the answer before.
        """
        look_seconds = 0.0 if sleeps else self._busy_poll_seconds
        for pause in _PAUSES:
            connection = self._connection()  # connecting has tries of its own; its error is final
            try:
                return self._once(connection, script, args, meanwhile, look_seconds)
            except (LostConnection, NoAnswer):
                time.sleep(pause)
        return self._once(self._connection(), script, args, meanwhile, look_seconds)

    def close(self) -> None:
        """Disconnect every thread's connection, and the client's."""
        for connection in tuple(self._owners.values()):
            connection.disconnect()
        self.client.close()
        self._pool.disconnect()  # a client does not close a pool that was given to it

    def _once(
        self, connection: Any, script: Script, args: tuple[Arg, ...], meanwhile: Callable[[], object] | None,
        look_seconds: float,
    ) -> Any:  # fmt: skip
        try:
            return self._trip(connection, script, args, meanwhile, look_seconds)
        except ResponseError:
            raise  # the server answered; the connection is fine
        except BaseException:
            # Also when the caller is interrupted: a reply that nobody read would answer the next question.
            connection.disconnect()
            raise

    def _trip(
        self, connection: Any, script: Script, args: tuple[Arg, ...], meanwhile: Callable[[], object] | None,
        look_seconds: float,
    ) -> Any:  # fmt: skip
        connection.send_command("EVALSHA", script.sha, 0, *args)
        if meanwhile is not None:
            meanwhile()
        if look_seconds:
            look_for_answer(connection, look_seconds)
        try:
            return connection.read_response()
        except NoScriptError:
            connection.send_command("EVAL", script.source, 0, *args)
            return connection.read_response()

    def _connection(self) -> Any:
        connection = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = self._of_the_dead() or self._pool.get_connection()
            with self._lock:
                self._owners[threading.current_thread()] = connection
        connection.connect()  # nothing happens when it is connected
        return connection

    def _of_the_dead(self) -> Any:
        """Return the connection of a thread that ended, or None: a server may make a thread for each request."""
        with self._lock:
            dead = next((owner for owner in self._owners if not owner.is_alive()), None)
            return self._owners.pop(dead) if dead else None


class SharedWire(Wire):
    """The same over *most* connections for all threads of a process: each takes one for a trip and gives it back.

    A thousand slots in threads are a thousand connections of the server's otherwise, and the pool's last: whoever came
    next waited ten seconds for one and got none.
    """

    def __init__(self, client: redis.Redis, most: int, busy_poll_seconds: float = 0.0) -> None:
        super().__init__(client, busy_poll_seconds)
        #: Those that nobody uses, the one that was used last at the end.
        self._free: deque[Any] = deque()
        self._made: list[Any] = []
        self._room = threading.Semaphore(most)

    def evalsha(
        self, script: Script, args: tuple[Arg, ...], meanwhile: Callable[[], object] | None = None, *,
        sleeps: bool = False,
    ) -> Any:  # fmt: skip
        """As :meth:`Wire.evalsha`; it waits for a connection as long as others have all of them."""
        with self._room:
            connection = self._taken()
            self._mine.connection = connection
            try:
                return super().evalsha(script, args, meanwhile, sleeps=sleeps)
            finally:
                self._mine.connection = None
                self._free.append(connection)

    def close(self) -> None:
        """Disconnect them all."""
        for connection in self._made:
            connection.disconnect()
        super().close()

    def _taken(self) -> Any:
        try:
            return self._free.pop()
        except IndexError:
            connection = self._pool.get_connection()
            self._made.append(connection)
            return connection
