"""What a finished task keeps in Redis until its retention ends."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks import shapes
from benchmarks.figure import Figure, Must
from benchmarks.stack import Stack

#: What a reader of the number would not call the task's.
_NOT_DATA = (
    "mem_aof_buffer",
    "mem_clients_normal",
    "mem_replication_backlog",
    "mem_overhead_db_hashtable_rehashing",
)


def measure(stack: Stack) -> Iterator[Figure]:
    """Bytes a task: empty result, three dependencies, list filters, five events.

    The fifth event is its release: each is submitted on hold and started by name, the last layers first, so
    that nothing runs before all were released.
    """
    n = stack.size(10_000, 100)
    stack.fleet()
    client = stack.client
    before = bytes_used(stack)
    ids = client.submit(shapes.held(n))
    for id in reversed(ids):
        client.api.execute_task(id, wait=False)
    client.read(ids)
    used = bytes_used(stack) - before
    run_id = str(client.raw.hget(client.keys.of("task", ids[0]), "run"))
    events = int(client.raw.xlen(client.keys.of("events", run_id)))
    about = stack.describe() | {
        "tasks": n,
        "dependencies": shapes.PARENTS,
        "events_a_task": round(events / n, 2),
    }
    yield Figure("memory", used / n, "bytes a task", must=Must("value", "<=", 1500), config=about)


def bytes_used(stack: Stack) -> int:
    """Memory in use for data, once everything is quiet."""
    # The fleet falls silent meanwhile, and the server frees its buffers.
    time.sleep(stack.size(3.0, 0.2))
    info = stack.client.raw.info("memory")
    return int(info["used_memory"]) - sum(int(info.get(name, 0)) for name in _NOT_DATA)
