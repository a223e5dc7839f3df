"""Agents that take 1 and 10 ms, a threads pool, and what a flood of short tasks does to one that is urgent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import quantiles

from benchmarks import shapes
from benchmarks.agents import COUNT, NAP
from benchmarks.figure import Figure, Must
from benchmarks.run import moments
from benchmarks.stack import Stack
from taskengine import Task, TaskPriority

#: Seconds between two urgent tasks; odd, to meet every place in a batch.
_PAUSE = 0.0237


def measure(stack: Stack) -> Iterator[Figure]:
    """Rates first; the flood last."""
    stack.fleet()
    about = stack.describe()
    for ms, full in ((1, 2000), (10, 600)):
        n = stack.size(full, 60)
        rates = [stack.run(_naps(n, ms)).rate for _ in range(stack.options.rounds)]
        yield Figure(f"agent.{ms}ms", max(rates), "tasks/s", config=about | {"tasks": n})
    yield _urgent(stack, about)
    stack.fleet("threads", 8)
    n = stack.size(3000, 300)
    rates = [stack.run(shapes.flat(n)).rate for _ in range(stack.options.rounds)]
    yield Figure("flat.threads", max(rates), "tasks/s", config=stack.describe() | {"tasks": n})


def _naps(n: int, ms: int) -> list[Task]:
    return [Task(name=f"nap {ms} ms", capability=NAP, input={"seconds": ms / 1000}) for _ in range(n)]


def _urgent(stack: Stack, about: dict[str, object]) -> Figure:
    """READY to running of CRITICAL tasks beside LOW ones that wait in any number."""
    n, seconds = stack.size(30_000, 600), stack.size(4.0, 0.5)
    flood = [Task(name=f"low{i}", capability=COUNT, priority=TaskPriority.LOW) for i in range(n)]
    stack.client.api.create_tasks(flood)
    urgent = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        task = Task(name="urgent", capability=COUNT, priority=TaskPriority.CRITICAL)
        stack.client.api.create_task(task)
        urgent.append(task.id)
        time.sleep(_PAUSE)
    stack.client.see_the_end([*urgent, *(task.id for task in flood)])
    spans = [start - ready for ready, start in moments(stack.client, urgent, "rdy", "sta")]
    p99 = quantiles(spans, n=100, method="inclusive")[98]
    return Figure("urgent.p99", p99, "ms", must=Must("value", "<=", 10), config=about | {"tasks": len(urgent)})
