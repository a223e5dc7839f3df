"""How fast one client submits a large graph: checked, ranked, staged, committed and set free."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks import shapes
from benchmarks.figure import Figure, Must
from benchmarks.stack import Stack


def measure(stack: Stack) -> Iterator[Figure]:
    """Tasks a second until the submit call returned; its workers begin meanwhile."""
    n = stack.size(10_000, 500)
    stack.fleet()
    rates = []
    for _ in range(stack.options.rounds):
        done = stack.run(shapes.layered(n))
        rates.append(n / done.submit_seconds)
    about = stack.describe() | {"tasks": n, "shape": "layered", "all": [round(rate) for rate in rates]}
    yield Figure("submit", max(rates), "tasks/s", must=Must("value", ">=", 5000), config=about)
    yield Figure(
        "submit.build", n / _seconds_to_build(n), "tasks/s", config={"tasks": n, "what": "Task(…) alone"}
    )


def _seconds_to_build(n: int) -> float:
    begin = time.perf_counter()
    shapes.layered(n)
    return time.perf_counter() - begin
