"""Processor time that an empty task costs, by process: what is left when a machine is busy with other things."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

import psutil

from benchmarks import shapes
from benchmarks.figure import Figure, rounded
from benchmarks.stack import Stack
from taskengine import Task


def measure(stack: Stack) -> Iterator[Figure]:
    """Microseconds a task, submit included: all of them, and each process that has a part in it."""
    yield from _of(stack, "flat", stack.size(10_000, 100), shapes.flat)
    yield from _of(stack, "layered", stack.size(5_000, 100), shapes.layered)
    yield from _of(stack, "chain", stack.size(1_000, 50), shapes.chain)


def _of(stack: Stack, shape: str, n: int, make: Callable[[int], list[Task]]) -> Iterator[Figure]:
    parts = {**stack.fleet().pids(), "server": [stack.server.pid], "client": [os.getpid()]}
    found = []
    for _ in range(stack.options.rounds):
        tasks = make(n)
        before = _used(parts)
        stack.run(tasks)
        after = _used(parts)
        found.append({name: 1e6 * (after[name] - before[name]) / n for name in parts})
    best = min(found, key=lambda used: sum(used.values()))
    about = stack.describe() | {"tasks": n, "all": [rounded(sum(used.values())) for used in found]}
    yield Figure(f"processor.{shape}", sum(best.values()), "us a task", config=about)
    for name, used in best.items():
        yield Figure(f"processor.{shape}.{name}", used, "us a task", config={"tasks": n})


def _used(parts: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Seconds in user and system mode."""
    return {name: sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids) for name, pids in parts.items()}
