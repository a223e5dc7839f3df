"""What a loop of many turns keeps."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import workflows
from benchmarks.figure import Figure, Must
from benchmarks.figures.memory import bytes_used
from benchmarks.scripts import ScriptTimes
from benchmarks.stack import Stack


def measure(stack: Stack) -> Iterator[Figure]:
    """Memory of the server after many turns beside the same after a hundred: with no history, and all of it.

    A run's history is bounded by ``max_events``, whatever the run consists of.
    """
    few, many = stack.size(100, 30), stack.size(10_000, 150)
    stack.fleet()
    with ScriptTimes(stack.client, stack.server.pid) as times, times.fixed:
        used, history, _ = _after(stack, few)
        then, events, took = _after(stack, many)
        slow = times.take()
    about = stack.describe() | {"turns": many, "peer": f"{few} turns", "history_bytes": events}
    must = Must("ratio", "<=", 1.2)
    yield Figure("workflow.loop.memory", then - events - history, "B", used - history, must, about)
    yield Figure("workflow.loop.memory.whole", then, "B", used, config=about)
    yield Figure("workflow.loop", many / took, "turns/s", config=about)
    yield times.figure("workflow.loop.script", slow, about)


def _after(stack: Stack, turns: int) -> tuple[int, int, float]:
    """Bytes in use after a loop, bytes of its history, and the seconds that it took."""
    flow = workflows.loop(turns, workflows.task("turn"))
    took = workflows.seconds(stack.client, flow)
    events = stack.client.raw.memory_usage(stack.client.keys.of("events", flow.id), samples=0)
    return bytes_used(stack), int(events or 0), took
