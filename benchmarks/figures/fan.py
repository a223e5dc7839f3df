"""One task, 1 000 that wait for it, one that waits for them, beside Celery's chord (header and body)."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import shapes
from benchmarks.comparison import Comparison, Ours, compare
from benchmarks.figure import Figure
from benchmarks.peers.bare import Bare
from benchmarks.stack import Stack


def measure(stack: Stack) -> Iterator[Figure]:
    """The whole, and the drain alone."""
    n, peers_n = stack.size(1000, 100), stack.size(1000, 50)
    ours = Ours(stack, lambda: shapes.fan(n))

    def theirs(peer: Bare) -> float:
        return (peers_n + 1) / peer.chord(peers_n)

    what = Comparison("fan", "tasks/s", ours.rate, theirs, max)
    yield from compare(stack, what, ours, tasks=n + 2, peer_tasks=peers_n + 1)
    yield Figure("fan.drain", max(ours.drain_rates()), "tasks/s", config=stack.describe() | {"tasks": n + 2})
