"""Both clients over one real server, and a worker and a coordinator made of plain store calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, TaskAPI
from taskengine.settings import Settings
from taskengine.store.sync import SyncStore
from taskengine.transport import template

from ..served import Served
from ..store.world import World


class Awaited:
    """The async client, made to block: every method runs to its end on a loop of its own."""

    def __init__(self, client: TaskAPI) -> None:
        self.client = client
        self.loop = asyncio.new_event_loop()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.client, name)
        return lambda *args, **named: self.loop.run_until_complete(method(*args, **named))

    def end(self) -> None:
        self.loop.run_until_complete(self.client.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


IMPATIENT: Mapping[str, Any] = {
    "cancel_grace_seconds": 1, "kill_after_seconds": 1, "lease_seconds": 5, "heartbeat_seconds": 1, "leader_seconds": 2,
}  # fmt: skip


@pytest.fixture
def settings(shared_valkey: Any) -> Settings:
    """An empty server, and clocks for impatient people."""
    shared_valkey.client.flushall()
    return Settings(redis_url=shared_valkey.url, **IMPATIENT)


@pytest.fixture(scope="session")
def served(shared_valkey: Any) -> Iterator[Served]:
    """A server of REST on the store. One for all: to make its routes takes a second, and it forgets between tests."""
    # Without a key, which would lie in the store beside what the laws count there.
    server = Served(Settings(redis_url=shared_valkey.url, **IMPATIENT), everybody="ann")
    yield server
    server.close()


@pytest.fixture
def over_http(served: Served, settings: Settings) -> Iterator[BlockingTaskAPI]:
    """The client over HTTP."""
    served.forget()
    with BlockingTaskAPI(served.url, settings) as client:
        yield client


@pytest.fixture(params=["blocking", "async", "http"])
def api(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Any]:
    """A client; every law holds behind all of them."""
    if request.param == "http":
        yield request.getfixturevalue("over_http")
    elif request.param == "blocking":
        client = BlockingTaskAPI(settings=settings)
        yield client
        client.close()
    else:
        awaited = Awaited(TaskAPI(settings=settings))
        yield awaited
        awaited.end()


@pytest.fixture
def one(settings: Settings) -> Iterator[BlockingTaskAPI]:
    """A client, where one is enough."""
    with BlockingTaskAPI(settings=settings) as client:
        yield client


@pytest.fixture
def world(settings: Settings, shared_valkey: Any) -> Iterator[World]:
    """The other side of the server: workers, a coordinator, and eyes."""
    store = SyncStore(shared_valkey.url, settings, template())
    yield World(store, shared_valkey.client, lambda other: SyncStore(shared_valkey.url, other, template()))
    store.close()
