"""Tasks one after the other, beside Celery's chain."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import shapes
from benchmarks.comparison import Comparison, Ours, compare
from benchmarks.figure import Figure
from benchmarks.stack import Stack


def measure(stack: Stack) -> Iterator[Figure]:
    """Milliseconds from one task's turn to the next one's, submit included, and without it."""
    n, peers_n = stack.size(300, 50), stack.size(300, 20)
    ours = Ours(stack, lambda: shapes.chain(n))
    what = Comparison(
        "chain",
        "ms a hop",
        lambda: 1000 / ours.rate(),
        lambda peer: 1000 * peer.chain(peers_n) / peers_n,
        min,
    )
    yield from compare(stack, what, ours, tasks=n, peer_tasks=peers_n)
    about = stack.describe() | {"tasks": n}
    yield Figure("chain.drain", 1000 / max(ours.drain_rates()), "ms a hop", config=about)
