"""A server, a store, coordinators in threads, and a worker that is only its calls: claim, report, beat."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from threading import Event, Thread
from typing import Any, TypeVar
from uuid import uuid4

from taskengine.coordinator import Coordinator
from taskengine.coordinator.duty import Duty, DutyContext, Store
from taskengine.core.identity import execution_id
from taskengine.models import Task, TaskStatus
from taskengine.settings import Settings
from taskengine.store import coordination, executions, graphs, nodes, tasks
from taskengine.store.call import Call, Operation
from taskengine.store.executions import Report, Slot
from taskengine.store.keys import Keys
from taskengine.store.nodes import Fleet
from taskengine.store.records import Record, record
from taskengine.store.replies import Assignment
from taskengine.store.sync import SyncStore

T = TypeVar("T")
#: A fifth of the defaults.
#: A fifth of the defaults, but for the lease: a node here beats when its test says so, and a machine may stand still in
#: between.
QUICK = {
    "heartbeat_seconds": 0.4, "lease_seconds": 10.0, "claim_seconds": 2.0, "leader_seconds": 0.8,
    "sweep_seconds": 0.4,
}  # fmt: skip
ENVELOPE = '{"id":"@ID@","token":@TOKEN@,"queue":"@QUEUE@","priority":@PRIORITY@,"tag":"@TAG@"}'

#: Beats count up, also over nodes of one name: an old number would be a late copy.
_BEATS = count(1)


def until(ask: Callable[[], T], seconds: float = 60.0, what: str = "") -> T:
    """The first truthy answer; AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or ask}"
        time.sleep(0.005)
    return answer


class Bench:
    """One namespace on a test's server, with shortened clocks."""

    def __init__(self, server: Any, **clocks: Any) -> None:
        self.server = server
        # Copied: a test may have clocks that contradict each other, such as a lease that lapses at once.
        self.settings = Settings(redis_url=server.url, **QUICK).model_copy(update=clocks)
        self.keys = Keys(self.settings.namespace)
        self._stores: list[SyncStore] = []
        self.store = self.new_store()

    def new_store(self) -> SyncStore:
        """Another connection to the same."""
        self._stores.append(SyncStore(self.server.url, self.settings, ENVELOPE))
        return self._stores[-1]

    def close(self) -> None:
        for store in self._stores:
            store.close()

    def run(self, work: Call[T] | Operation[T]) -> T:
        return self.store.run(work)

    # -- clients

    def submit(self, *new: Task, run: str | None = None) -> list[str]:
        """Submit one graph, dependencies first; ids."""
        return self.run(graphs.submit(run or str(uuid4()), records(new)))

    def create(self, new: Task, run: str | None = None) -> str:
        """Submit one lone task; its id."""
        answer = self.run(tasks.create(run or str(uuid4()), record(new, 1.0)))
        assert answer.ok, answer
        return answer.text()

    def statuses(self, ids: Sequence[str]) -> list[str]:
        found: list[str] = []
        for at in range(0, len(ids), 256):
            found += self.run(tasks.statuses(ids[at : at + 256]))
        return found

    def task(self, id: str) -> Task:
        (found,) = self.run(tasks.read([id]))
        assert found is not None, id
        return found

    def until_status(self, ids: Sequence[str], status: TaskStatus, seconds: float = 60.0) -> None:
        until(lambda: set(self.statuses(ids)) == {status.value}, seconds, f"all {status}")

    @property
    def fleet(self) -> Fleet:
        return self.run(nodes.fleet())

    def key_names(self) -> set[str]:
        """Every key, without those that go by themselves."""
        client = self.server.client
        return {name.decode() for name in client.scan_iter(count=1000) if client.ttl(name) < 0}

    # -- workers

    def node(self, name: str = "n1", slots: int = 2, queues: str = "lint=lint @lint=lint", host: str = "") -> Node:
        """A worker that has beaten once."""
        node = Node(self, name, slots, queues, host)
        node.beat()
        return node

    # -- coordinators

    def elect(self, id: str = "test", seconds: float = 600.0) -> str:
        """Lead; the term."""
        answer = self.run(coordination.elect(id, round(seconds * 1000)))
        assert answer.ok, answer
        return answer.text()

    def run_duty(
        self, duty: Duty, term: str | None = None, seconds: float = 30.0, store: Store | None = None
    ) -> DutyContext:
        """Give *duty* one turn in *term* (None: lead first); the turn."""
        ends = time.monotonic() + seconds
        context = DutyContext(store or self.store, self.keys, self.settings, term or self.elect(), time.monotonic, ends)
        duty.run_once(context)
        return context

    @contextmanager
    def coordinated(self, id: str = "c1", store: Store | None = None) -> Iterator[Coordinator]:
        """A coordinator in a thread of its own."""
        stop = Event()
        coordinator = Coordinator(store or self.new_store(), self.settings, id)
        thread = Thread(target=coordinator.run, args=(stop,), name=id)
        thread.start()
        try:
            yield coordinator
        finally:
            stop.set()
            thread.join(60)
            assert not thread.is_alive()


def records(new: Sequence[Task]) -> list[Record]:
    return [record(task, 1.0) for task in new]


def lint(name: str, *on: Task, **more: Any) -> Task:
    """A task that waits for *on*."""
    return Task(name=name, capability="lint", depends_on={task.id for task in on}, **more)


class Node:
    """A worker node without a process; each slot is one message in hand."""

    def __init__(self, bench: Bench, name: str, slots: int, queues: str, host: str = "") -> None:
        self._bench = bench
        self.name = name
        self.slots = slots
        self.queues = queues
        self.host = host

    def beat(self, *live: Slot) -> nodes.HeartbeatReply:
        messages = [f"{slot.message}|{slot.pid}" for slot in live]
        beat = nodes.heartbeat(
            self.name, next(_BEATS), "{}", self.slots, self.queues, "", messages, host=self.host
        )
        return self._bench.run(beat)

    def slot(self, number: int = 1) -> Slot:
        return Slot(self.name, f"slot{number}", f"{self.name}-message{number}", os.getpid(), self.queues)

    def claim(self, slot: Slot, task: str = "", attempt: int = 1) -> Assignment | None:
        """Take the granted execution of *task*, or whatever is best."""
        execution = str(execution_id(task, attempt)) if task else "none"
        return self._bench.run(executions.claim(slot, str(uuid4()), execution, attempt)).assignment

    def take(self, slot: Slot, seconds: float = 60.0) -> Assignment:
        """Wait for something to run, granted or not."""

        def ask() -> Assignment | None:
            self.beat(slot)
            return self.claim_any(slot)

        found = until(ask, seconds, "something to run")
        assert found is not None
        return found

    def report(
        self, slot: Slot, told: Assignment, disposition: str = "completed", *, pull: bool = True, retry_ms: int = 0
    ) -> Assignment | None:
        """End an execution; the next one."""
        error = "" if disposition == "completed" else f"{told.name} broke"
        kind = "" if disposition == "completed" else "crash"
        done = Report(
            told.task_id, told.attempt, disposition, "lint", output="{}", error=error, error_kind=kind,
            retry_ms=retry_ms,
        )  # fmt: skip
        return self._bench.run(executions.report(slot, [done], pull=pull)).assignment

    def work(self, verdicts: dict[str, str] | None = None, *, most: int = 10_000) -> list[str]:
        """Run what can be run now, *verdicts* by task name; names in order."""
        slot, done = self.slot(), []
        self.beat(slot)
        beaten = time.monotonic()
        told = self.claim_any(slot)
        while told is not None:
            if time.monotonic() - beaten > self._bench.settings.heartbeat_seconds:
                self.beat(slot)
                beaten = time.monotonic()
            done.append(told.name)
            if len(done) % 100 == 0:  # a node that works for longer than a lease beats meanwhile
                self.beat(slot)
            goes_on = len(done) < most
            told = self.report(slot, told, (verdicts or {}).get(told.name, "completed"), pull=goes_on)
            if told is None and goes_on:
                told = self.claim_any(slot)
        return done

    def claim_any(self, slot: Slot) -> Assignment | None:
        """Take what is granted, else the best."""
        # Again what is granted: a coordinator may grant between the two looks.
        return self._claim_granted(slot) or self.claim(slot) or self._claim_granted(slot)

    def _claim_granted(self, slot: Slot) -> Assignment | None:
        """Claim the oldest outstanding grant, as the delivery of its message does."""
        client, keys = self._bench.server.client, self._bench.keys
        for execution in client.zrange(keys.fixed("granted_all"), 0, -1):
            id, attempt = client.hmget(keys.of("exec", execution.decode()), "task", "att")
            if id is not None:
                return self.claim(slot, id.decode(), int(attempt))
        return None
