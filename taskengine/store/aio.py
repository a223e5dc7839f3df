"""The async driver: the same trips as :mod:`taskengine.store.sync`, awaited."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import redis.asyncio
from redis.exceptions import NoScriptError, RedisError

from taskengine.settings import Settings
from taskengine.store.address import redacted
from taskengine.store.call import Call, Operation
from taskengine.store.connect import FIRST_ANSWER, connect_async, facts, refuse_unfit
from taskengine.store.faults import translate
from taskengine.store.forks import PerProcess
from taskengine.store.keys import Keys
from taskengine.store.schema import refuse_other_form
from taskengine.store.scripts import Scripts

T = TypeVar("T")
#: Seconds after which a cancel that had no effect is taken for lost.
_CANCEL_AGAIN = 0.05


async def heed_cancel(trip: Coroutine[Any, Any, T]) -> T:
    """Return the answer of *trip*; a cancel ends it whenever it comes.

    redis-py sends inside ``asyncio.wait_for``, and that of Python 3.11 loses a cancel that comes when the sending is
    just done (fixed in 3.12): a wait whose caller gave up would go on for ever.
    """
    if sys.version_info >= (3, 12):
        return await trip
    running = asyncio.ensure_future(trip)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            running.cancel()
            await asyncio.wait([running], timeout=_CANCEL_AGAIN)
        raise


class AsyncStore:
    """The truth, for callers on an event loop; belongs to the loop that first used it, in each process anew.

    *client* makes the client of a process, where one with the defaults will not do.
    """

    def __init__(
        self, url: str, settings: Settings, envelope: str, client: Callable[[], redis.asyncio.Redis] | None = None
    ) -> None:
        self.settings = settings
        self.where = redacted(url)
        self._scripts = Scripts(settings)
        self._envelope = envelope
        self._url = url if client is None else None
        make = client or (lambda: connect_async(url, allow_unverified_tls=settings.allow_unverified_tls))
        self._clients: PerProcess[Any] = PerProcess(make)
        self._clients.get()  # a URL that cannot be used is refused here

    async def run(self, work: Call[T] | Operation[T]) -> T:
        """Return the answer of one Call, or of an operation that makes several trips."""
        if isinstance(work, Generator):
            try:
                step = next(work)
                while True:
                    step = work.send(await self._trip(step))
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # an operation's return value is its T
        return await self._trip(work)

    async def check(self) -> None:
        """Refuse a server that would lose the truth, or that another version wrote to.

        StoreUnavailableError when it does not answer within 5 s.
        """
        try:
            await heed_cancel(self._refuse_other())
        except (RedisError, OSError) as exc:
            raise translate(exc, self.where) from exc

    async def _refuse_other(self) -> None:
        async with self._first_client() as client:
            refuse_unfit(facts(dict(await client.info())))
            refuse_other_form(await client.get(Keys(self.settings.namespace).fixed("schema")))

    @asynccontextmanager
    async def _first_client(self) -> AsyncIterator[redis.asyncio.Redis]:
        if self._url is None:
            yield self._clients.get()
            return
        unverified = self.settings.allow_unverified_tls
        client = connect_async(self._url, FIRST_ANSWER, allow_unverified_tls=unverified, asks_again=False)
        try:
            yield client
        finally:
            await client.aclose(close_connection_pool=True)

    async def close(self) -> None:
        """Close the connections of this process; those of others are none of its business."""
        if (client := self._clients.made) is not None:
            await client.aclose(close_connection_pool=True)

    async def _trip(self, call: Call[T]) -> T:
        try:
            return call.decode(await heed_cancel(self._send(call)))
        except (RedisError, OSError) as exc:
            raise translate(exc, self.where) from exc

    async def _send(self, call: Call[Any]) -> Any:
        client = self._clients.get()
        if call.command:
            return await client.execute_command(call.name, *call.args)
        script = self._scripts[call.name]
        args = (*call.args, self._envelope) if call.grants else call.args
        try:
            return await client.execute_command("EVALSHA", script.sha, 0, *args)
        except NoScriptError:
            return await client.execute_command("EVAL", script.source, 0, *args)
