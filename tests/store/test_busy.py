"""Who looks for an answer before going to sleep gets the same answers."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from taskengine.errors import StoreUnavailableError
from taskengine.settings import Settings
from taskengine.store import executions, nodes, wire
from taskengine.store.busy import look_for_answer
from taskengine.store.sync import SyncStore

from .world import ENVELOPE


@pytest.fixture
def ends() -> Any:
    """A connection as redis-py holds it, and the server's end of it."""
    near, far = socket.socketpair()
    yield SimpleNamespace(_sock=near), far
    near.close()
    far.close()


def test_an_answer_that_is_there_is_seen_and_left_to_be_read(ends: Any) -> None:
    connection, server = ends
    server.send(b"+PONG\r\n")
    assert look_for_answer(connection, 0.0)
    assert connection._sock.recv(100) == b"+PONG\r\n"


def test_without_an_answer_it_gives_up(ends: Any) -> None:
    connection, _ = ends
    assert not look_for_answer(connection, 0.001)


def test_a_server_that_went_away_is_something_to_read(ends: Any) -> None:
    connection, server = ends
    server.close()
    assert look_for_answer(connection, 5)


@pytest.fixture
def store(valkey: Any) -> Any:
    opened = SyncStore(valkey.url, Settings(redis_url=valkey.url), ENVELOPE, busy_poll_seconds=0.001)
    yield opened
    opened.close()


def test_an_answer_later_than_the_looks_is_waited_for(valkey: Any, store: SyncStore) -> None:
    store.run(nodes.fleet())
    valkey.client.execute_command("CLIENT", "PAUSE", 100)
    assert store.run(nodes.fleet()).nodes == ()


def test_a_connection_that_was_cut_is_made_again(valkey: Any, store: SyncStore) -> None:
    store.run(nodes.fleet())
    valkey.client.client_kill_filter(_type="normal", skipme=True)
    assert store.run(nodes.fleet()).nodes == ()


def test_a_server_that_is_down_is_said_to_be_away(valkey: Any, store: SyncStore) -> None:
    store.run(nodes.fleet())
    valkey.kill()
    with pytest.raises(StoreUnavailableError):
        store.run(nodes.fleet())


def test_who_reports_several_sleeps_at_once(store: SyncStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its script takes as long as the looks, and half of a busy fleet's processor went into them."""
    looked: list[float] = []
    monkeypatch.setattr(wire, "look_for_answer", lambda _, seconds: looked.append(seconds))
    slot = executions.Slot("node", "slot", "message", 1, "lint=lint")
    done = executions.Report(str(uuid4()), 1, "completed", "lint")
    for reports in ([done], [done, done]):
        answer = store.run(executions.report(slot, reports, pull=False))
        assert set(answer.outcomes) == {"missing"}
        assert looked == [0.001], "once, for the first one"
