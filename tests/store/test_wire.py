"""Connections of scripts: one for each living thread, none shared by two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

from taskengine.settings import Settings
from taskengine.store import nodes
from taskengine.store.sync import SyncStore

from ..fleet import until
from .world import ENVELOPE


def connections(server: Any) -> int:
    """Those of everybody but the one who asks."""
    return len(server.client.client_list()) - 1


def test_a_thread_that_ended_leaves_its_connection_to_the_next(valkey: Any) -> None:
    """A web server that makes a thread for each request would fill the pool, and then the server."""
    store = SyncStore(valkey.url, Settings(redis_url=valkey.url), ENVELOPE)
    for _ in range(20):
        thread = Thread(target=store.run, args=(nodes.fleet(),))
        thread.start()
        thread.join()
    assert connections(valkey) == 1
    store.close()


def test_threads_at_work_have_a_connection_each(valkey: Any) -> None:
    store = SyncStore(valkey.url, Settings(redis_url=valkey.url), ENVELOPE)
    together = Barrier(4)

    def ask(_: int) -> int:
        together.wait(5)
        return [len(store.run(nodes.fleet()).nodes) for _ in range(20)][-1]

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(4))) == [0] * 4
    assert connections(valkey) == 4
    store.close()


def test_more_threads_than_connections_are_all_served_and_none_is_left_out(valkey: Any) -> None:
    """With one connection a thread the last of them waited ten seconds and got none."""
    store = SyncStore(valkey.url, Settings(redis_url=valkey.url), ENVELOPE, shared=3)
    together = Barrier(30)

    def ask(_: int) -> int:
        together.wait(10)
        return [len(store.run(nodes.fleet()).nodes) for _ in range(5)][-1]

    with ThreadPoolExecutor(30) as threads:
        assert list(threads.map(ask, range(30))) == [0] * 30
        assert connections(valkey) <= 3
    store.close()
    until(lambda: connections(valkey) == 0, 5)


def test_a_shared_connection_that_broke_serves_again(valkey: Any) -> None:
    store = SyncStore(valkey.url, Settings(redis_url=valkey.url), ENVELOPE, shared=1)
    assert store.run(nodes.fleet()).nodes == ()
    valkey.restart()
    assert store.run(nodes.fleet()).nodes == ()
    store.close()


def test_what_is_done_meanwhile_is_done_after_the_call_is_sent_and_before_its_answer_is_read(valkey: Any) -> None:
    store = SyncStore(valkey.url, Settings(redis_url=valkey.url), ENVELOPE)
    seen: list[bool] = []

    def meanwhile() -> None:
        until(lambda: calls() > before, 10, "the server was at it")
        seen.append(True)

    def calls() -> int:
        return int(valkey.client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])

    before = calls()
    assert store.run(replace(nodes.drain("nobody", "no"), meanwhile=meanwhile)).ok
    assert seen == [True]
    store.close()


def test_a_connection_lost_meanwhile_is_made_again(valkey: Any) -> None:
    store = SyncStore(valkey.url, Settings(redis_url=valkey.url), ENVELOPE)
    tries: list[int] = []

    def meanwhile() -> None:
        tries.append(len(tries))
        if len(tries) == 1:
            valkey.client.client_kill_filter(_type="normal", skipme=True)

    assert store.run(replace(nodes.drain("nobody", "no"), meanwhile=meanwhile)).ok
    assert 1 <= len(tries) <= 2  # the answer may have come before the cut
    store.close()
