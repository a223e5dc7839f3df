"""Wakes Celery's event loop when a thread of its pool is done.

With ``worker_disable_prefetch`` kombu asks for no message while every slot is busy, and asks again on the loop's next
turn. A pool child's result arrives on a pipe that the loop watches; a thread's end makes no such noise, so all slots
of a threads pool stood idle for up to a second at the end of each slice (measured: a trace of short tasks took 1.77
instead of 1.12 times its lower bound).
"""

from __future__ import annotations

from typing import Any

from celery.concurrency.thread import TaskPool as ThreadsPool


def wake_when_a_thread_ends(worker: Any) -> None:
    """Make every thread's end a turn of the loop; does nothing for another pool, or without a loop."""
    pool, hub = worker.pool, getattr(worker, "hub", None)
    if not isinstance(pool, ThreadsPool) or hub is None:
        return
    start = pool.on_apply

    def on_apply(*args: Any, **kwargs: Any) -> Any:
        result = start(*args, **kwargs)
        result.f.add_done_callback(lambda _: hub.call_soon(_nothing))
        return result

    pool.on_apply = on_apply  # type: ignore[method-assign]  # Celery has no seam for it


def _nothing() -> None:
    """What the loop is woken for: it asks for messages on each turn."""
