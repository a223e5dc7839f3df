"""The blocking driver: runs Calls and stories of Calls on a redis-py client."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import redis
from redis.exceptions import RedisError

from taskengine.settings import Settings
from taskengine.store.call import Call, Story
from taskengine.store.connect import connect, facts, refuse_unfit
from taskengine.store.faults import translate
from taskengine.store.scripts import Scripts
from taskengine.store.wire import Wire

T = TypeVar("T")


class SyncStore:
    """The truth, for callers without an event loop; safe to share between threads, not across a fork."""

    def __init__(self, url: str, settings: Settings, envelope: str, client: redis.Redis | None = None) -> None:
        self.settings = settings
        self.where = url.rpartition("@")[2]
        self._scripts = Scripts(settings)
        self._envelope = envelope
        self._redis: Any = client if client is not None else connect(url)
        self._wire = Wire(self._redis)

    def run(self, work: Call[T] | Story[T]) -> T:
        """The answer of one Call, or of a story that makes several trips."""
        if isinstance(work, Generator):
            try:
                step = next(work)
                while True:
                    step = work.send(self._trip(step))
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # a story's return value is its T
        return self._trip(work)

    def check(self) -> None:
        """Refuse a server that would lose the truth; StoreUnavailableError when it does not answer."""
        try:
            refuse_unfit(facts(self._redis.info()))
        except (RedisError, OSError) as exc:
            raise translate(exc, self.where) from exc

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()
        self._redis.close()
        self._redis.connection_pool.disconnect()  # a client does not close a pool that was given to it

    def _trip(self, call: Call[T]) -> T:
        try:
            return call.decode(self._send(call))
        except (RedisError, OSError) as exc:
            raise translate(exc, self.where) from exc

    def _send(self, call: Call[Any]) -> Any:
        if call.command:
            return self._redis.execute_command(call.name, *call.args)
        args = (*call.args, self._envelope) if call.grants else call.args
        return self._wire.evalsha(self._scripts[call.name], args)
