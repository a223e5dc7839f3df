"""Steps of a workflow one after the other, beside a chain of plain tasks and beside Celery's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks import shapes, workflows
from benchmarks.figure import Figure, Must, rounded
from benchmarks.stack import Stack
from benchmarks.turns import in_turns


def measure(stack: Stack) -> Iterator[Figure]:
    """Milliseconds a step, start included, in turns with the same number of plain tasks."""
    n, peers_n = stack.size(300, 30), stack.size(300, 20)
    stack.fleet()
    client = stack.client

    def steps(*, reads: bool) -> Callable[[], float]:
        return lambda: 1000 * workflows.seconds(client, workflows.chain(n, reads=reads)) / n

    sides: dict[str, Callable[[], float]] = {
        "steps": steps(reads=False),
        "reading": steps(reads=True),
        "tasks": lambda: 1000 * stack.run(shapes.chain(n)).seconds / n,
    }
    peers = {peer.name: lambda peer=peer: 1000 * peer.chain(peers_n) / peers_n for peer in stack.peers()}
    found = in_turns(stack.options.rounds, sides | peers)
    best = {name: min(values) for name, values in found.items()}
    rounds = {name: [rounded(value) for value in values] for name, values in found.items()}
    about = stack.describe() | {"steps": n, "all": rounds}
    yield _beside(best, "steps", "tasks", 1.3, about)
    yield _beside(best, "reading", "tasks", 2.0, about)
    for peer in peers:
        yield _beside(best, "steps", peer, 1 / 6, about)


def _beside(best: dict[str, float], ours: str, peer: str, limit: float, about: dict[str, object]) -> Figure:
    must = Must("ratio", "<=", limit)
    return Figure(f"workflow.chain.{ours}", best[ours], "ms a step", best[peer], must, about | {"peer": peer})
