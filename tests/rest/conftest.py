"""A server of REST in this process, over one real store, and clients with keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import cache
from typing import Any

import httpx2
import pytest

from taskengine import BlockingTaskAPI
from taskengine.api.operations.keys import create_key
from taskengine.api.surface import Scope
from taskengine.models.key import NewKey
from taskengine.rest.app import application, door_of
from taskengine.rest.guards import Guards
from taskengine.settings import Settings
from taskengine.store.call import Operation
from taskengine.store.sync import SyncStore
from taskengine.transport import template

from ..store.world import World

HOST = "http://127.0.0.1"


@pytest.fixture
def settings(shared_valkey: Any) -> Settings:
    """An empty server."""
    shared_valkey.client.flushall()
    return Settings(redis_url=shared_valkey.url, cancel_grace_seconds=1, kill_after_seconds=1)


@pytest.fixture
def world(settings: Settings, shared_valkey: Any) -> Iterator[World]:
    """The other side of the store: workers, a coordinator, and eyes."""
    store = SyncStore(shared_valkey.url, settings, template())
    yield World(store, shared_valkey.client, lambda other: SyncStore(shared_valkey.url, other, template()))
    store.close()


@pytest.fixture
def one(settings: Settings) -> Iterator[BlockingTaskAPI]:
    """The client beside the server, on the same store."""
    with BlockingTaskAPI(settings=settings) as client:
        yield client


@pytest.fixture
def key(world: World) -> Callable[..., str]:
    """Makes a key."""

    def make(scope: Scope = Scope.ADMIN, name: str = "ann", **more: Any) -> str:
        operation: Operation[NewKey] = create_key(name, scope, **more)
        return world.run(operation).key

    return make


@pytest.fixture
def app(settings: Settings) -> Guards:
    """The application, as it listens on the loopback interface."""
    assert settings.redis_url is not None
    return made(settings.redis_url)


@cache
def made(url: str) -> Guards:
    """One application for all tests of a store: to make its routes takes a second."""
    settings = Settings(redis_url=url, cancel_grace_seconds=1, kill_after_seconds=1)
    return application(settings, hosts=frozenset({"127.0.0.1", "localhost"}))


@pytest.fixture
async def anybody(app: Guards) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a key."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
        yield client
    await door_of(app).close()


@pytest.fixture
def http(anybody: httpx2.AsyncClient, key: Callable[..., str]) -> httpx2.AsyncClient:
    """A client with a key for everything."""
    anybody.headers["Authorization"] = f"Bearer {key()}"
    return anybody


Ask = Callable[..., Awaitable[httpx2.Response]]


@pytest.fixture
def ask(http: httpx2.AsyncClient) -> Ask:
    """Asks for a path behind the prefix."""

    async def asked(verb: str, path: str, **more: Any) -> httpx2.Response:
        return await http.request(verb, f"/api/v1{path}", **more)

    return asked
