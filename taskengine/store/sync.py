"""The blocking driver: runs Calls and operations (generators of Calls) on a redis-py client."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import redis
from redis.exceptions import RedisError

from taskengine.settings import Settings
from taskengine.store.address import redacted
from taskengine.store.call import Call, Operation, in_trips
from taskengine.store.connect import FIRST_ANSWER, connect, facts, refuse_unfit
from taskengine.store.faults import translate
from taskengine.store.forks import PerProcess
from taskengine.store.keys import Keys
from taskengine.store.schema import refuse_other_form
from taskengine.store.scripts import Scripts
from taskengine.store.wire import SharedWire, Wire

T = TypeVar("T")


class SyncStore:
    """The truth, for callers without an event loop; safe to share between threads and across a fork.

    *envelope*: the message that wakes a worker, or what makes it once a call needs it. *client* makes the client of a
    process, where one with the defaults will not do. *shared*: of scripts, so many connections for all threads
    together; 0 is one for each thread.
    """

    def __init__(
        self, url: str, settings: Settings, envelope: str | Callable[[], str],
        client: Callable[[], redis.Redis] | None = None,
        busy_poll_seconds: float = 0.0, shared: int = 0,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.where = redacted(url)
        self._scripts = Scripts(settings)
        self._envelope = envelope if callable(envelope) else lambda: envelope
        self._url = url if client is None else None
        make = client or (lambda: connect(url, allow_unverified_tls=settings.allow_unverified_tls))
        self._wires = PerProcess(
            lambda: SharedWire(make(), shared, busy_poll_seconds) if shared else Wire(make(), busy_poll_seconds)
        )
        self._wires.get()  # a URL that cannot be used is refused here

    def run(self, work: Call[T] | Operation[T]) -> T:
        """Return the answer of one Call, or of an operation that makes several trips."""
        return in_trips(work, self._trip) if isinstance(work, Generator) else self._trip(work)

    def check(self) -> None:
        """Refuse a server that would lose the truth, or that another version wrote to.

        StoreUnavailableError when it does not answer within 5 s.
        """
        try:
            with self._first_client() as client:
                refuse_unfit(facts(dict(client.info())))
                refuse_other_form(client.get(Keys(self.settings.namespace).fixed("schema")))
        except (RedisError, OSError) as exc:
            raise translate(exc, self.where) from exc

    @contextmanager
    def _first_client(self) -> Iterator[redis.Redis]:
        if self._url is None:
            yield self._wires.get().client
            return
        unverified = self.settings.allow_unverified_tls
        client = connect(self._url, FIRST_ANSWER, allow_unverified_tls=unverified, asks_again=False)
        try:
            yield client
        finally:
            client.connection_pool.disconnect()

    def close(self) -> None:
        """Close the connections of this process; those of others are none of its business."""
        if (wire := self._wires.made) is not None:
            wire.close()

    def _trip(self, call: Call[T]) -> T:
        try:
            return call.decode(self._send(call))
        except (RedisError, OSError) as exc:
            raise translate(exc, self.where) from exc

    def _send(self, call: Call[Any]) -> Any:
        wire = self._wires.get()
        if call.command:
            return wire.client.execute_command(call.name, *call.args)
        args = (*call.args, self._envelope()) if call.grants else call.args
        return wire.evalsha(self._scripts[call.name], args, call.meanwhile, sleeps=call.is_long)
