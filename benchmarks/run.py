"""One measured run: how long the client waited, and what the server's clock says of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from benchmarks.client import Client
from taskengine import Task

_PIECE = 500


@dataclass(frozen=True, slots=True)
class Run:
    """A graph that ran to its end."""

    ids: tuple[UUID, ...]
    #: From before the submit call to the last terminal state that the waiting client saw.
    seconds: float
    #: From before the submit call to its return.
    submit_seconds: float
    #: From before the submit call until the client had read every task and result, too.
    read_seconds: float

    @property
    def rate(self) -> float:
        """Tasks a second."""
        return len(self.ids) / self.seconds


def run(client: Client, tasks: Sequence[Task]) -> Run:
    """Submit *tasks*, wait for all of them, and read them."""
    begin = time.perf_counter()
    ids = client.submit(tasks)
    submitted = time.perf_counter()
    client.see_the_end(ids)
    seen = time.perf_counter()
    client.read(ids)
    return Run(tuple(ids), seen - begin, submitted - begin, time.perf_counter() - begin)


def drain_rate(client: Client, done: Run) -> float:
    """Tasks a second between the first start and the last end, by the server's clock."""
    times = moments(client, done.ids, "sta", "fin")
    seconds = (max(end for _, end in times) - min(start for start, _ in times)) / 1000
    return len(done.ids) / max(seconds, 0.001)


def moments(client: Client, ids: Sequence[UUID], *names: str) -> list[tuple[int, ...]]:
    """Stored times of tasks, in milliseconds of the server's clock."""
    found: list[tuple[int, ...]] = []
    for at in range(0, len(ids), _PIECE):
        with client.raw.pipeline(transaction=False) as pipe:
            for id in ids[at : at + _PIECE]:
                pipe.hmget(client.keys.of("task", id), list(names))
            found += [tuple(int(value) for value in values) for values in pipe.execute()]
    return found
