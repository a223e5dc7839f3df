"""A layered graph, three parents a task, beside bare Celery's flat rate: canvas cannot express it."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import shapes
from benchmarks.comparison import Comparison, Ours, compare
from benchmarks.figure import Figure
from benchmarks.stack import Stack


def measure(stack: Stack) -> Iterator[Figure]:
    """The whole, and the drain alone."""
    n, peers_n = stack.size(2000, 300), stack.size(1500, 100)
    ours = Ours(stack, lambda: shapes.layered(n))
    what = Comparison(
        "layered",
        "tasks/s",
        ours.rate,
        lambda peer: peers_n / peer.flat(peers_n),
        max,
    )
    shape = {"width": shapes.WIDTH, "parents": shapes.PARENTS}
    yield from compare(stack, what, ours, tasks=n, peer_tasks=peers_n, **shape)
    about = stack.describe() | {"tasks": n} | shape
    yield Figure("layered.drain", max(ours.drain_rates()), "tasks/s", config=about)
