"""A worker in the calling thread: the node of a real one, its runner and its enforcement, without Celery.

It takes wake-ups from the queues by hand and beats when its clock is turned. Each message runs one task (the slice is
0 s), so that between two steps nothing is running.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

from taskengine.agent import Registry
from taskengine.models import Outcome
from taskengine.models.agent import AgentRecord
from taskengine.store import agents, coordination, nodes
from taskengine.store.call import Call, Operation
from taskengine.store.keys import Keys
from taskengine.store.replies import Assignment
from taskengine.store.sync import SyncStore
from taskengine.testing.clock import Clock
from taskengine.transport.wakeup import WakeUp, take
from workers import capture
from workers.agents.remote_run import RemoteRun
from workers.agents.serving import as_told
from workers.enforcement import Enforcement
from workers.log_buffer import LogBuffer
from workers.log_sender import LogSender
from workers.poller import Poller
from workers.process import LocalRuns, Node, Running, WorkerProcess
from workers.queues import Served, everything, offer
from workers.recycling import Limits
from workers.runner import Runner
from workers.shared_store import Awaits
from workers.slot_table import SlotTable
from workers.unsent import Unsent

T = TypeVar("T")
#: Share of a lease after which the node beats again.
_BEAT = 1 / 4


class Ledger:
    """Who is told of executions: how often each task ran, by name."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()

    def started(self, assignment: Assignment, agent: str) -> None:  # noqa: ARG002  # it is told both
        """Tell that an execution began."""
        self.ran[assignment.name] += 1

    def ended(self, assignment: Assignment, outcome: Outcome, became: str) -> None:
        """Nobody is waiting for this."""

    def closed(self, execution: str, became: str, why: str) -> None:
        """Nobody is waiting for this."""

    def take_over(self, notes: Iterable[bytes]) -> None:
        """No child of it dies."""

    def hurry(self) -> None:
        """Do nothing: nothing waits here."""

    def flush(self) -> None:
        """Do nothing: nothing waits here."""

    def close(self, seconds: float) -> None:
        """Do nothing: nothing waits here."""

    def hold_still_at_forks(self) -> None:
        """Do nothing: no thread sends here."""


class _AtTheEnd(LogSender):
    """Carries nothing while an agent runs: what it said is sent before its report, by the thread that runs it."""

    def wake(self, log_buffer: LogBuffer) -> None:
        """Who could look meanwhile?"""


@dataclass(slots=True)
class _InlineNode(Node):
    """A node whose processes share the store of the engine."""

    store: SyncStore

    def connect(
        self, answer_seconds: float = 0.0, busy_poll_seconds: float = 0.0, shared: int = 0  # noqa: ARG002
    ) -> SyncStore:
        return self.store


    def connect_async(self) -> Awaits:
        return _Awaited(self.store)


@dataclass(frozen=True, slots=True)
class _Awaited:
    """The store of the engine for coroutines: one process, and nobody whom it could hold up."""

    store: SyncStore

    async def run(self, work: Call[T] | Operation[T]) -> T:
        return self.store.run(work)


class _Died(BaseException):  # no error: a worker's death in the middle of an execution
    """Not an Exception: nothing in a process survives its SIGKILL."""


class _InlineProcess(WorkerProcess):
    """A process that may be told to die as soon as it has begun something."""

    def __init__(self, node: Node, dies: Callable[[], bool]) -> None:
        super().__init__(node)
        self.log_sender = _AtTheEnd(self.store)
        self._dies = dies
        self.hears = None
        capture.remove()  # in a test's own process only while an agent runs

    def running(self, execution: str) -> Running:
        if self._dies():
            raise _Died
        return super().running(execution)


@dataclass(slots=True)
class Worker:
    """One node with *slots* slots; agents that wait for other tasks hold theirs meanwhile."""

    store: SyncStore
    registry: Registry
    clock: Clock
    slots: int
    ledger: Ledger = field(default_factory=Ledger)
    #: How many of the next executions end with their worker's death.
    deaths: int = 0
    _process: _InlineProcess = field(init=False)
    _node: _InlineNode = field(init=False)
    _enforcement: Enforcement = field(init=False)
    _poller: Poller = field(init=False)
    _incarnations: Iterator[int] = field(default_factory=lambda: count(1))
    _beats: Iterator[int] = field(init=False)
    #: Ids of the messages that it works on.
    _in_hand: list[str] = field(default_factory=list)
    _beat_at: float = float("-inf")
    #: What somebody registered of its agents, and the number of changes of that.
    _records: dict[str, AgentRecord] = field(default_factory=dict)
    _revision: int = 0

    def __post_init__(self) -> None:
        self._start()
        self.clock.on_advance(self._keep_up)

    @property
    def is_busy(self) -> bool:
        """Whether an agent of it runs right now, so that the caller is one."""
        return bool(self._in_hand)

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that its agents serve."""
        return self._offered()

    def work(self, most: int) -> int:
        """Run what was granted, *most* executions at most; how many."""
        self._publish()
        if self._remotes():
            self._poller.turn()
            self._poller.settle()
        ran = 0
        while ran < most and self._node.queues.text and (message := self._take()) is not None:
            ran += self._run(message)
        return ran

    def lose(self) -> None:
        """Die: what runs is LOST, a new incarnation takes over, and what the old one still reports is fenced."""
        self.store.run(nodes.remove_node(self._node.name))
        self._in_hand.clear()
        self._start()
        self._publish()

    def next_poll_ms(self) -> int | None:
        """When something that holds no slot is to be asked about, or ended; None when nothing is."""
        keys = Keys(self.store.settings.namespace)
        places = [keys.of("remote", name) for name in self._remotes()]
        found = [self.store.run(coordination.first_score(place)) for place in (*places, keys.fixed("overdue"))]
        due = min((ms for ms in found if ms is not None), default=None)
        now = self.clock.micros // 1000
        # What is due and was not taken waits for a service that failed, or for a poller that died to be forgotten.
        return due if due is None or due > now else now + 1000

    def _remotes(self) -> dict[str, RemoteRun]:
        return {agent.name: agent.remote for agent in self.registry if agent.remote is not None}

    def _start(self) -> None:
        self._node = _InlineNode(
            settings=self.store.settings, registry=self.registry, make_events=lambda _: self.ledger, url="",
            name=f"inline#{next(self._incarnations)}", hostname="inline", queues=Served({}), forks=False,
            slot_table=SlotTable(),
            local=LocalRuns(), unsent=Unsent(0), limits=Limits(), store=self.store,
        )  # fmt: skip
        self._process = _InlineProcess(self._node, self._dies)
        self._poller = Poller(self._remotes, self.store, self._node.name, self.ledger, self.clock.seconds)
        self._enforcement = Enforcement(self._node, self.store, self.ledger)
        self._beats = count(1)
        self._beat_at = float("-inf")

    def _dies(self) -> bool:
        if self.deaths:
            self.deaths -= 1
            return True
        return False

    def _take(self) -> WakeUp | None:
        return self.store.run(take(Keys(self.store.settings.namespace), self._offered()))

    def _offered(self) -> tuple[str, ...]:
        able = self._able()
        return offer(able, None).queues if len(able) else ()

    def _able(self) -> Registry:
        """Return its agents with what their records say that they can do."""
        if not self._records:
            return self.registry
        made = Registry()
        for agent in self.registry:
            if (told := as_told(agent, self._records.get(agent.name))) is not None:
                made.add(told)
        return made

    def _follow(self) -> None:
        """Read the records of its agents where something changed; nobody registered one in most tests."""
        revision = self.store.run(agents.revision(Keys(self.store.settings.namespace)))
        if revision != self._revision:
            names = [agent.name for agent in self.registry]
            found = self.store.run(agents.read_all(names))
            found.refuse_unreadable(names)
            self._records = {name: stored.record for name, stored in found.agents.items()}
            self._revision = revision

    def _run(self, message: WakeUp) -> int:
        self._in_hand.append(message.execution_id)
        capture.install()
        try:
            return Runner.of(self._process, message.execution_id).work(message.token)
        except _Died:
            self.lose()
            return 1
        finally:
            if message.execution_id in self._in_hand:
                self._in_hand.remove(message.execution_id)
            if not self._in_hand:
                capture.remove()

    def _publish(self) -> None:
        """Beat if agents came or went, or if the last beat is a while ago."""
        self._follow()
        able = self._able()
        queues = Served(everything(able) if len(able) else {})
        is_late = self.clock.seconds() - self._beat_at > self.store.settings.lease_seconds * _BEAT
        if queues.text != self._node.queues.text or is_late:
            self._node.queues = queues
            self._beat()

    def _beat(self) -> None:
        self._beat_at = self.clock.seconds()
        free = max(0, self.slots - self._enforcement.occupied)
        live = [f"{message}|{os.getpid()}" for message in self._in_hand]
        name, queues = self._node.name, self._node.queues.text
        answer = self.store.run(nodes.heartbeat(name, next(self._beats), '{"pool":"inline"}', free, queues, "", live))
        self._enforcement.enforce(answer.held, answer.server_ms)

    def _keep_up(self) -> None:
        """Beat while an agent runs: it turned the clock, and its lease and its timeout go by it."""
        if self.is_busy:
            self._beat()
