"""A store across a fork: what the parent made stays out of use, and nothing of it is waited for."""

from __future__ import annotations

import asyncio
from threading import Barrier, Event, Thread
from typing import Any

import pytest

from taskengine.settings import Settings
from taskengine.store import nodes
from taskengine.store.aio import AsyncStore
from taskengine.store.call import Call
from taskengine.store.forks import PerProcess
from taskengine.store.sync import SyncStore

from ..forks import fork
from .world import ENVELOPE


def client_id() -> Call[int]:
    return Call("CLIENT", ("ID",), int, command=True)


@pytest.fixture
def store(valkey: Any) -> Any:
    opened = SyncStore(valkey.url, Settings(redis_url=valkey.url), ENVELOPE, busy_poll_seconds=0.001)
    yield opened
    opened.close()


@pytest.mark.process
def test_process_makes_its_own_once() -> None:
    mine: PerProcess[object] = PerProcess(object)
    first = mine.get()
    assert mine.get() is first
    assert fork(lambda: [mine.made is None, mine.get() is first, mine.get() is mine.get()]).answer() == [
        True, False, True,
    ]  # fmt: skip
    assert mine.made is first


def test_commands_and_scripts_of_a_child_go_over_connections_of_its_own(store: SyncStore, valkey: Any) -> None:
    def ask() -> int:
        assert store.run(nodes.fleet()).nodes == ()
        return store.run(client_id())

    mine = ask()
    theirs = {fork(ask).answer() for _ in range(3)}
    assert len(theirs | {mine}) == 4
    assert ask() == mine


def test_script_that_is_under_way_at_the_fork_gets_its_answer_in_the_parent(store: SyncStore, valkey: Any) -> None:
    store.run(nodes.fleet())
    valkey.freeze()
    answers: list[Any] = []
    asking = Thread(target=lambda: answers.append(store.run(nodes.fleet()).nodes))
    asking.start()
    asking.join(0.2)
    child = fork(lambda: len(store.run(nodes.fleet()).nodes))
    valkey.thaw()
    assert child.answer() == 0
    asking.join()
    assert answers == [()]


def test_lock_that_another_thread_holds_at_the_fork_stops_no_child(store: SyncStore) -> None:
    """A wire's lock is held for a moment when a thread asks first; here for as long as it takes."""
    store.run(nodes.fleet())
    held, over = Barrier(2), Event()

    def hold() -> None:
        with store._wires.get()._lock:
            held.wait(5)
            over.wait(20)

    holding = Thread(target=hold)
    holding.start()
    held.wait(5)
    child = fork(lambda: len(store.run(nodes.fleet()).nodes))
    assert child.answer() == 0
    over.set()
    holding.join()


def test_store_that_was_not_used_in_a_child_is_closed_there_without_a_word(store: SyncStore, valkey: Any) -> None:
    mine = store.run(client_id())
    fork(store.close).answer()
    assert store.run(client_id()) == mine


def test_async_store_of_a_child_has_connections_of_its_own(valkey: Any) -> None:
    loop = asyncio.new_event_loop()
    store = AsyncStore(valkey.url, Settings(redis_url=valkey.url), ENVELOPE)

    async def ask_and_close() -> int:
        found = await store.run(client_id())
        await store.close()
        return found

    mine = loop.run_until_complete(store.run(client_id()))
    assert fork(lambda: asyncio.run(ask_and_close())).answer() != mine
    fork(lambda: asyncio.run(store.close())).answer()
    assert loop.run_until_complete(store.run(client_id())) == mine
    loop.run_until_complete(store.close())
    loop.close()
