"""One suite over every server and driver: real Valkey and fakeredis, blocking and async.

``--stores`` says on which of them: without a process, on each once, or on all pairs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import fakeredis
import pytest

from taskengine.settings import Settings
from taskengine.store.aio import AsyncStore
from taskengine.store.sync import SyncStore
from taskengine.testing.server import make_fit

from ..selection import STORES
from .world import ENVELOPE, Awaited, Runs, World

SETTINGS = Settings(redis_url=None, namespace="te")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that the async driver blocks on."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def on_valkey(valkey: Any, driver: str, loop: asyncio.AbstractEventLoop) -> Iterator[World]:
    valkey.client.flushall()
    valkey.client.script_flush()
    opened: list[Any] = []

    def make(settings: Settings) -> Runs:
        if driver == "sync":
            opened.append(SyncStore(valkey.url, settings, ENVELOPE))
            return opened[-1]
        opened.append(AsyncStore(valkey.url, settings, ENVELOPE))
        return Awaited(opened[-1], loop)

    world = World(make(SETTINGS), valkey.client, make)
    yield world
    world.check()
    for store in opened:
        if isinstance(store, AsyncStore):
            loop.run_until_complete(store.close())
        else:
            store.close()


def on_fake(driver: str, loop: asyncio.AbstractEventLoop) -> Iterator[World]:
    server = fakeredis.FakeServer(server_type="valkey")
    raw = fakeredis.FakeRedis(server=server)
    make_fit(server)

    def make(settings: Settings) -> Runs:
        if driver == "sync":
            client = fakeredis.FakeRedis(server=server, decode_responses=True, protocol=2)
            return SyncStore("redis://fake", settings, ENVELOPE, lambda: client)
        client = fakeredis.FakeAsyncRedis(server=server, decode_responses=True, protocol=2)
        return Awaited(AsyncStore("redis://fake", settings, ENVELOPE, lambda: client), loop)

    world = World(make(SETTINGS), raw, make)
    yield world
    world.check()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "world" in metafunc.fixturenames:
        metafunc.parametrize("world", STORES[metafunc.config.option.stores], indirect=True)


def on(server_and_driver: str, request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop) -> Iterator[World]:
    server, driver = server_and_driver.split("-")
    if server == "valkey":
        yield from on_valkey(request.getfixturevalue("shared_valkey"), driver, loop)
    else:
        yield from on_fake(driver, loop)


@pytest.fixture
def world(request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop) -> Iterator[World]:
    """An empty namespace; every law holds on each server with each driver."""
    yield from on(request.param, request, loop)


@pytest.fixture(params=STORES["all"])
def any_store(request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop) -> Iterator[World]:
    """An empty namespace on each server with each driver, whatever ``--stores`` says."""
    yield from on(request.param, request, loop)


@pytest.fixture
def real(request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop) -> Iterator[World]:
    """An empty namespace on a real server: for thousands of tasks and for measuring."""
    yield from on_valkey(request.getfixturevalue("shared_valkey"), "sync", loop)
