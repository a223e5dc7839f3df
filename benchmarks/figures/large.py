"""What large graphs cost: the time a task, and the longest that one script holds the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from benchmarks import shapes
from benchmarks.figure import Figure, Must
from benchmarks.run import drain_rate
from benchmarks.scripts import ScriptTimes
from benchmarks.stack import Stack


def measure(stack: Stack) -> Iterator[Figure]:
    """The layered graph small and large, and the fan; scripts are watched during the two large ones."""
    small_n, large_n, fan_n = stack.size(1000, 100), stack.size(100_000, 500), stack.size(10_000, 300)
    stack.fleet()
    with ScriptTimes(stack.client, stack.server.pid) as scripts, scripts.fixed:
        # The small ones run beside the fixed script as the large ones do: cost compares both.
        small = [stack.run(shapes.layered(small_n)) for _ in range(stack.options.rounds)]
        best = max(small, key=lambda done: done.rate)
        scripts.take()
        yield from _longest(stack, scripts, "fan", stack.run(shapes.fan(fan_n)).ids)
        large = stack.run(shapes.layered(large_n))
        yield from _longest(stack, scripts, "layered", large.ids)
    about = stack.describe() | {
        "tasks": [large_n, small_n],
        "ms_a_task": [1000 / large.rate, 1000 / best.rate],
    }
    yield Figure("cost", best.rate / large.rate, "large ÷ small", must=Must("value", "<=", 1.3), config=about)
    rates = drain_rate(stack.client, large), drain_rate(stack.client, best)
    about = stack.describe() | {"tasks": [large_n, small_n], "ms_a_task": [1000 / rate for rate in rates]}
    yield Figure("cost.drain", rates[1] / rates[0], "large ÷ small", config=about)


def _longest(stack: Stack, scripts: ScriptTimes, shape: str, ids: Sequence[object]) -> Iterator[Figure]:
    slow = scripts.take()
    about = stack.describe() | {"tasks": len(ids), "peer": "a fixed script"} | asdict(slow)
    longest = max(slow.longest_ms.values(), default=0.0)
    yield Figure(
        f"script.{shape}", longest, "ms", slow.fixed_longest_ms, must=Must("value", "<=", 10), config=about
    )
