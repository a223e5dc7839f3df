"""The processes that figures share: one server, one fleet at a time, peers on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from benchmarks import shapes
from benchmarks.client import Client
from benchmarks.fleet import Fleet, Pool
from benchmarks.peers.bare import Bare
from benchmarks.run import Run, run
from benchmarks.served import Served, served
from benchmarks.server import Server
from taskengine import Task

N = TypeVar("N", int, float)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said."""

    quick: bool
    peers: bool
    #: Somebody listens to the task events of both sides, as Flower would.
    listen: bool
    rounds: int
    traces: Path | None
    #: Another server's binary; None is the embedded one.
    server: Path | None = None


class Stack:
    """Servers and workers, started when first asked for and ended together."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._exits = ExitStack()
        self.server = Server(options.server)
        self._exits.callback(self.server.close)
        self.client = Client(self.server.url, self.server.client)
        self._exits.callback(self.client.close)
        self._server = self.server.describe()
        self._fleets: dict[Pool, Fleet] = {}
        self._peers: dict[bool, Bare] = {}
        #: What all figures of a quick run share.
        self._shared: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self._exits.close()

    def size(self, full: N, quick: N) -> N:
        """How much to measure with."""
        return quick if self.options.quick else full

    def fleet(self, pool: Pool = "prefork", slots: int = 2) -> Fleet:
        """A warm fleet with that pool; one of another pool ends."""
        if pool not in self._fleets:
            for other in list(self._fleets):
                self._fleets.pop(other).close()
            self._fleets[pool] = Fleet(self.client)
            self._exits.callback(self._fleets[pool].close)
            self._fleets[pool].start(pool, slots, listened=self.options.listen)
            self.run(shapes.flat(100))
            self.run(shapes.chain(20))
        return self._fleets[pool]

    def served(self) -> AbstractContextManager[Served]:
        """A server of REST on the store."""
        return self._own("served", lambda: served(self.server.url))

    def alone(self) -> AbstractContextManager[Stack]:
        """A second stack, of which nobody asks anything."""
        return self._own("alone", lambda: Stack(self.options))

    def peers(self) -> list[Bare]:
        """Bare Celery with and without task events; none unless asked for."""
        if self.options.peers and not self._peers:
            for database, events in ((1, True), (2, False)):
                self._peers[events] = Bare(self.server, database, events=events)
                self._exits.callback(self._peers[events].close)
                self._peers[events].start(listened=self.options.listen)
        return list(self._peers.values())

    def run(self, tasks: Sequence[Task]) -> Run:
        """Submit *tasks* and wait for their end."""
        return run(self.client, tasks)

    @contextmanager
    def _own(self, what: str, make: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
        """Give the figure one of its own; a quick run, which measures nothing, makes one for all figures."""
        if not self.options.quick:
            with make() as own:
                yield own
            return
        if what not in self._shared:
            self._shared[what] = self._exits.enter_context(make())
        yield self._shared[what]

    def describe(self) -> dict[str, object]:
        """What a reader must know to compare."""
        options = self.options
        return {
            "pool": "prefork 2",
            "rounds": options.rounds,
            "quick": options.quick,
            "events_heard": options.listen,
            "server": self._server,
        }
