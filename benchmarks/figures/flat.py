"""Tasks that wait for nothing, beside Celery's ``apply_async`` of a counting task."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import shapes
from benchmarks.comparison import Comparison, Ours, compare
from benchmarks.figure import Figure
from benchmarks.stack import Stack


def measure(stack: Stack) -> Iterator[Figure]:
    """Submit and drain together, then the drain alone."""
    n, peers_n = stack.size(3000, 300), stack.size(1500, 100)
    ours = Ours(stack, lambda: shapes.flat(n))
    together = Comparison("flat", "tasks/s", ours.rate, lambda peer: peers_n / peer.flat(peers_n), max)
    yield from compare(stack, together, ours, tasks=n, peer_tasks=peers_n)
    waiting = iter(ours.drain_rates())
    alone = Comparison(
        "flat.drain", "tasks/s", lambda: next(waiting), lambda peer: peers_n / peer.drain(peers_n), max
    )
    yield from compare(stack, alone, ours, tasks=n, peer_tasks=peers_n)
