"""What a loop of many turns keeps."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import workflows
from benchmarks.figure import Figure, Must
from benchmarks.figures.memory import bytes_used
from benchmarks.scripts import ScriptTimes, Slow
from benchmarks.stack import Stack


def measure(stack: Stack) -> Iterator[Figure]:
    """Memory of the server after many turns beside the same after a hundred: with no history, and all of it.

    A run's history is bounded by ``max_events``, whatever the run consists of. What lapses by itself within ten
    minutes is gone before anybody looks: the mark of each message that claimed, 150 bytes, and the slow log of this
    very measurement, which holds the arguments of thousands of scripts.
    """
    few, many = stack.size(100, 30), stack.size(10_000, 150)
    stack.fleet()
    with ScriptTimes(stack.client, stack.server.pid) as times, times.fixed:
        used, history, _, _ = _after(stack, few, times)
        then, events, took, slow = _after(stack, many, times)
    about = stack.describe() | {"turns": many, "peer": f"{few} turns", "history_bytes": events}
    must = Must("ratio", "<=", 1.2)
    yield Figure("workflow.loop.memory", then - events - history, "B", used - history, must, about)
    yield Figure("workflow.loop.memory.whole", then, "B", used, config=about)
    yield Figure("workflow.loop", many / took, "turns/s", config=about)
    yield times.figure("workflow.loop.script", slow, about)


def _after(stack: Stack, turns: int, times: ScriptTimes) -> tuple[int, int, float, Slow]:
    """Bytes in use after a loop, bytes of its history, the seconds that it took, and its slow scripts."""
    client = stack.client
    flow = workflows.loop(turns, workflows.task("turn"))
    took = workflows.seconds(client, flow)
    slow = times.take()
    for claim in client.raw.scan_iter(client.keys.of("claim", "*"), count=1000):
        client.raw.delete(claim)
    events = client.raw.memory_usage(client.keys.of("events", flow.id), samples=0)
    return bytes_used(stack), int(events or 0), took, slow
