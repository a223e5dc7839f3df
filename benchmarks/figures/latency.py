"""From READY to running on a fleet that has nothing else to do: grant, message, claim."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import quantiles
from uuid import UUID

from benchmarks import shapes
from benchmarks.figure import Figure, Must
from benchmarks.run import moments
from benchmarks.stack import Stack

#: Seconds between two tasks: the slot of the last one is idle again; odd, to meet every timer's phase.
_PAUSE = 0.0137


def measure(stack: Stack) -> Iterator[Figure]:
    """One task after the other, each alone; the server's clock has steps of 1 ms."""
    n = stack.size(500, 60)
    stack.fleet()
    ids: list[UUID] = []
    waits = []
    for _ in range(n):
        done = stack.run(shapes.flat(1))
        ids += done.ids
        waits.append(1000 * done.seconds)
        time.sleep(_PAUSE)
    spans = [start - ready for ready, start in moments(stack.client, ids, "rdy", "sta")]
    about = stack.describe() | {"tasks": n}
    yield Figure("latency.p50", _quantile(spans, 50), "ms", must=Must("value", "<=", 10), config=about)
    yield Figure("latency.p99", _quantile(spans, 99), "ms", must=Must("value", "<=", 50), config=about)
    yield Figure(
        "latency.client.p50", _quantile(waits, 50), "ms", config=about | {"clock": "submit to seen end"}
    )


def _quantile(values: list[int] | list[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]
