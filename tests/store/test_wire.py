"""Connections of scripts: one for each living thread, none shared by two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread
from typing import Any

from taskengine.settings import Settings
from taskengine.store import nodes
from taskengine.store.sync import SyncStore

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
