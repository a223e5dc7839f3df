"""Fleets of the worker room's tests: a server, a coordinator and workers, shared by the tests of a module."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from taskengine.transport import celery_options

from ..conftest import Valkey
from ..fleet import Fleet, Process, attach_logs


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    report = yield
    attach_logs(report)
    return report


@pytest.fixture
def bare_fleet(valkey: Any, tmp_path: Path) -> Iterator[Fleet]:
    """A server and nothing running."""
    made = Fleet(valkey, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A coordinator, a prefork worker and a threads worker, each with queues of its own.

    Their lease is long: on a machine that stands still for two seconds they would lose what they run, and it ran twice.
    """
    server = Valkey()
    folder = tmp_path_factory.mktemp("fleet")
    made = Fleet(server, folder, lease_seconds=6.0, cancel_grace_seconds=3.0, drain_seconds=3.0, kill_after_seconds=3.0)
    try:
        made.coordinator()
        workers = [
            made.celery("prefork", "-Q", "work,wait,special"),
            made.celery("threads", "-Q", "play,await", pool="threads", slots=4),
        ]
        made.await_ready(*workers)
        made.await_leader()
        yield made
    finally:
        made.close()
        server.close()


@dataclass(frozen=True, slots=True)
class Pool:
    """One worker of the shared fleet."""

    worker: Process
    #: The queue of the agent ``worker`` here, and that of the coroutine ``waiter``.
    queue: str
    coroutine_queue: str


@pytest.fixture(params=["prefork", "threads"])
def pool(request: pytest.FixtureRequest, fleet: Fleet) -> Pool:
    """Each pool in turn."""
    worker = next(process for process in fleet.processes if process.name == request.param)
    return Pool(worker, "work", "wait") if request.param == "prefork" else Pool(worker, "play", "await")


@contextmanager
def heard_events(fleet: Fleet) -> Iterator[list[dict[str, Any]]]:
    """Celery events of the fleet, as Flower hears them."""
    heard: list[dict[str, Any]] = []
    app = Celery()
    app.conf.update(celery_options(fleet.settings, fleet.server.url))
    over = threading.Event()
    ready = threading.Event()

    def listen() -> None:
        with app.connection_for_read() as connection:
            receiver = app.events.Receiver(connection, handlers={"*": heard.append})
            with receiver.consumer_context() as (own, _, _):
                ready.set()
                while not over.is_set():
                    try:
                        own.drain_events(timeout=0.2)
                    except TimeoutError:
                        continue

    thread = threading.Thread(target=listen)
    thread.start()
    ready.wait(10)
    try:
        yield heard
    finally:
        over.set()
        thread.join()
