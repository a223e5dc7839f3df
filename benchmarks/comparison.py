"""A figure beside bare Celery, with and without task events, measured in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.figure import Figure, rounded
from benchmarks.peers.bare import Bare
from benchmarks.run import Run, drain_rate
from benchmarks.stack import Stack
from benchmarks.turns import in_turns
from taskengine import Task


@dataclass(frozen=True, slots=True)
class Ours:
    """The engine's runs of one shape, a fresh graph each."""

    stack: Stack
    make: Callable[[], Sequence[Task]]
    runs: list[Run] = field(default_factory=list)

    def rate(self) -> float:
        """Run once more: tasks a second."""
        self.runs.append(self.stack.run(self.make()))
        return self.runs[-1].rate

    def drain_rates(self) -> list[float]:
        """Of every run so far."""
        return [drain_rate(self.stack.client, run) for run in self.runs]

    def shares(self) -> dict[str, float | None]:
        """Where the client's time went in the fastest run, in seconds."""
        best = max(self.runs, key=lambda run: run.rate)
        reading = best.read_seconds - best.seconds
        return {"submit_seconds": rounded(best.submit_seconds), "then_reading_seconds": rounded(reading)}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared. Its ratio is reported; what must hold is between two checkouts (:mod:`benchmarks.pairs`)."""

    name: str
    unit: str
    #: One measurement of ours, in *unit*.
    ours: Callable[[], float]
    #: One measurement of a peer, in *unit*.
    theirs: Callable[[Bare], float]
    #: The better of two values.
    best: Callable[[list[float]], float]


def compare(stack: Stack, what: Comparison, runs: Ours, **config: Any) -> Iterator[Figure]:
    """The figure beside each peer, or alone when no peer is asked for."""
    stack.fleet()
    peers = stack.peers()
    sides = {"ours": what.ours} | {peer.name: lambda peer=peer: what.theirs(peer) for peer in peers}
    found = in_turns(stack.options.rounds, sides)
    rounds = {name: [rounded(value) for value in values] for name, values in found.items()}
    about = stack.describe() | config | runs.shares() | {"all": rounds}
    ours = what.best(found["ours"])
    if not peers:
        yield Figure(what.name, ours, what.unit, config=about)
    for peer in peers:
        theirs = what.best(found[peer.name])
        yield Figure(what.name, ours, what.unit, theirs, config=about | {"peer": peer.name})
