"""A threads pool asks for its next message when a thread ends, not at the loop's next timer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

from celery.concurrency.solo import TaskPool as SoloPool
from celery.concurrency.thread import TaskPool as ThreadsPool

from workers.thread_pool_wakeup import wake_when_a_thread_ends


def test_the_end_of_a_thread_is_a_turn_of_the_loop() -> None:
    woken = threading.Event()

    def call_soon(turn: Callable[[], None]) -> None:
        turn()
        woken.set()

    pool = ThreadsPool(2)
    pool.executor.submit(int).result()
    wake_when_a_thread_ends(SimpleNamespace(pool=pool, hub=SimpleNamespace(call_soon=call_soon)))
    pool.on_apply(lambda: None, (), {}, lambda _: None, lambda *_: None)
    assert woken.wait(5)
    pool.executor.shutdown()


def test_another_pool_is_left_alone() -> None:
    pool = SoloPool(1)
    before = pool.on_apply
    wake_when_a_thread_ends(SimpleNamespace(pool=pool, hub=SimpleNamespace(call_soon=None)))
    assert pool.on_apply is before
