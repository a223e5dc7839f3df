"""A small engine for store tests: one driver on one server, tasks made in a line, time turned by hand.

Time never passes in these tests: :meth:`World.age` moves every stored moment into the past instead, on a real
server and on a fake one alike.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID, uuid4

from taskengine.core.decide import Snapshot, Stimulus, decide
from taskengine.core.identity import execution_id
from taskengine.core.instructions import CloseTask, Nothing, ReopenTask, StartTask
from taskengine.models import Task
from taskengine.settings import Settings
from taskengine.store import coordination, decisions, executions, graphs, needs, nodes, tasks
from taskengine.store.aio import AsyncStore
from taskengine.store.call import Call, Operation
from taskengine.store.decisions import Decision
from taskengine.store.executions import Answer, Report, Slot
from taskengine.store.invariants import check_invariants
from taskengine.store.keys import Keys
from taskengine.store.nodes import HeartbeatReply
from taskengine.store.records import record
from taskengine.store.replies import Assignment, Reply

T = TypeVar("T")
ENVELOPE = '{"id":"@ID@","token":@TOKEN@,"queue":"@QUEUE@","priority":@PRIORITY@,"tag":"@TAG@"}'
QUEUES = "lint=lint @lint=lint"
#: Sorted sets whose scores are moments, in milliseconds.
_MOMENTS = ("nodes", "leases", "granted_all", "timers", "batches", "finished", "releases", "deadlines", "overdue")
#: Fields of hashes that are moments, by which scripts decide.
_MOMENT_FIELDS = (
    ("node", "until"), ("task", "tend"), ("task", "rdy"), ("exec", "hb"), ("exec", "dl"), ("exec", "cq"),
    ("exec", "wat"),
    ("limit", "until"),
)  # fmt: skip
#: The same, in microseconds.
_CLOCKS = tuple(("limit", bucket) for bucket in ("rt", "it", "ot"))


class Runs(Protocol):
    """What a driver does for these tests, blocking."""

    settings: Settings

    def run(self, work: Call[T] | Operation[T]) -> T: ...


class Awaited:
    """The async driver, made to block on a loop of its own."""

    def __init__(self, store: AsyncStore, loop: asyncio.AbstractEventLoop) -> None:
        self.settings = store.settings
        self._store = store
        self._loop = loop

    def run(self, work: Call[T] | Operation[T]) -> T:
        return self._loop.run_until_complete(self._store.run(work))


@dataclass
class World:
    """One namespace on one server."""

    store: Runs
    #: A blocking client of the same server that decodes nothing: for looking, never for changing (but time).
    raw: Any
    #: Makes a driver of the same kind with other settings.
    other: Callable[[Settings], Runs]
    keys: Keys = field(init=False)
    term: str = ""
    #: The test changed stored data by hand.
    broken: bool = False
    _beats: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.keys = Keys(self.store.settings.namespace)

    # -- asking

    def run(self, work: Call[T] | Operation[T]) -> T:
        return self.store.run(work)

    def status(self, id: object) -> str:
        return self.run(tasks.statuses([str(id)]))[0]

    def statuses(self, ids: Iterable[object]) -> list[str]:
        asked = [str(id) for id in ids]
        found: list[str] = []
        for at in range(0, len(asked), 256):
            found += self.run(tasks.statuses(asked[at : at + 256]))
        return found

    def read(self, id: object) -> Task:
        task = self.run(tasks.read([str(id)]))[0]
        assert task is not None
        return task

    def fields(self, kind: str, id: object) -> dict[str, str]:
        found = self.raw.hgetall(self.keys.of(kind, id))
        return {k.decode(): v.decode() for k, v in found.items()}

    def since(self) -> tasks.Since:
        """What whoever deletes something without looking says that it looked at: all that is there."""
        return self.run(needs.since(self.keys))

    def run_of(self, id: object) -> str:
        return self.fields("task", id)["run"]

    def events(self, run: object) -> list[dict[str, str]]:
        """History of a run: e (what), k (task), x (note), n (sequence)."""
        found = []
        for entry, fields in self.raw.xrange(self.keys.of("events", run)):
            words = zip("ektx", fields[b"e"].decode().split(" ", 3), strict=True)
            found.append({**dict(words), "n": entry.decode().split("-")[1]})
        return found

    def happened(self, id: object) -> list[str]:
        return [e["e"] for e in self.events(self.run_of(id)) if e["k"] == str(id)]

    def counts(self) -> dict[str, int]:
        return {status: n for status, n in self.run(nodes.fleet()).counts.items() if n}

    def ready(self, queue: str = "lint") -> list[str]:
        """Ids in a queue's ready set, best first."""
        return [m.decode()[12:] for m in self.raw.zrange(self.keys.of("ready", queue), 0, -1)]

    def granted(self) -> list[str]:
        """Executions granted and not claimed, in the order of their deadlines."""
        return [m.decode() for m in self.raw.zrange(self.keys.fixed("granted_all"), 0, -1)]

    def messages(self, queue: str = "lint") -> list[dict[str, Any]]:
        """Celery messages of a queue, the one delivered first in front."""
        found = []
        for priority in range(5):
            key = self.keys.queue_prefix() + queue + (f"\x06\x16{priority}" if priority else "")
            found += [json.loads(text) for text in reversed(self.raw.lrange(key, 0, -1))]
        return found

    def key_names(self) -> set[str]:
        return {k.decode() for k in self.raw.scan_iter(self.keys.prefix + "*", count=1000)}

    def dump(self) -> dict[str, Any]:
        """Everything stored, as values that compare."""
        return {name: self._value(name) for name in sorted(self.key_names())}

    def _value(self, name: str) -> Any:
        match self.raw.type(name).decode():
            case "hash":
                return self.raw.hgetall(name)
            case "set":
                return self.raw.smembers(name)
            case "zset":
                return self.raw.zrange(name, 0, -1, withscores=True)
            case "list":
                return self.raw.lrange(name, 0, -1)
            case "stream":
                return self.raw.xrange(name)
            case _:
                return self.raw.get(name).rstrip(b"\0")  # what a bitmap does not hold is zero

    # -- making

    def task(self, name: str = "t", *on: Task | UUID, **fields: Any) -> Task:
        depends_on = {d.id if isinstance(d, Task) else d for d in on}
        return Task(name=name, **{"capability": "lint", "created_by": "ann", "depends_on": depends_on} | fields)

    def record(self, task: Task) -> Any:
        return record(task, task.estimated_seconds)

    def create(self, task: Task, run: object = None) -> Reply:
        return self.run(tasks.create(str(run or uuid4()), self.record(task)))

    def new(self, name: str = "t", *on: Task | UUID, **fields: Any) -> Task:
        """A stored task."""
        task = self.task(name, *on, **fields)
        assert self.create(task).ok
        return task

    def submit(self, *new: Task, run: object = None, name: str = "", by: str = "") -> str:
        """A committed graph; the id of its run."""
        id = str(run or uuid4())
        self.run(graphs.submit(id, [self.record(task) for task in new], label=graphs.Label(name, by)))
        return id

    def staged(self, *new: Task, batch: str = "batch", run: str = "", chunk: int = graphs.CHUNK) -> str:
        """A graph without its commit; its batch."""
        run = run or str(uuid4())
        for at in range(0, len(new), chunk):
            answer = self.run(graphs.stage(batch, run, [self.record(task) for task in new[at : at + chunk]]))
            assert answer.ok, answer
        return batch

    def settle(self, batch: str) -> None:
        while self.run(coordination.settle_batch(batch)).number():
            pass

    # -- the fleet

    def beat(
        self, node: str = "n1", slots: int = 2, queues: str = QUEUES, drain: str = "", live: Sequence[Slot] = (),
        number: int = 0, took: bool = False, host: str = "",
    ) -> HeartbeatReply:  # fmt: skip
        """The node's next beat, or another copy of the one with that *number*."""
        messages = [f"{s.message}|{s.pid}" for s in live]
        return self.run(
            nodes.heartbeat(
                node, number or next(self._beats), "{}", slots, queues, drain, messages, took=took, host=host
            )
        )

    def slot(self, name: str = "s1", node: str = "n1", queues: str = QUEUES, pid: int = 7) -> Slot:
        return Slot(node, name, f"m-{name}", pid, queues)

    def claim(self, slot: Slot, execution: str = "none", token: int = 1, request: str = "") -> Answer:
        return self.run(executions.claim(slot, request or str(uuid4()), execution, token))

    def is_alive(self, node: str) -> bool:
        until = self.raw.zscore(self.keys.fixed("nodes"), node)
        return bool(until and until > self.run(coordination.server_ms()))

    def start(self, slot: Slot | None = None) -> Assignment:
        """Claim what may run best, granted or READY, on a node that beats."""
        slot = slot or self.slot()
        if not self.is_alive(slot.node):
            self.beat(slot.node, queues=slot.queues, slots=0)
        granted = self.granted()
        token = int(self.fields("exec", granted[0])["att"]) if granted else 1
        answer = self.claim(slot, granted[0] if granted else "none", token)
        assert answer.assignment is not None, answer
        return answer.assignment

    def report(
        self,
        told: Assignment,
        slot: Slot | None = None,
        disposition: str = "completed",
        pull: bool = False,
        **fields: Any,
    ) -> Answer:
        """The answer to one outcome; its word is ``fenced`` or ``missing`` where that outcome did not count."""
        done = Report(told.task_id, told.attempt, disposition, "lint", **fields)
        answer = self.run(executions.report(slot or self.slot(), [done], pull=pull))
        (outcome,) = answer.outcomes
        if outcome in {"ok", "overdue", "missing"}:
            return replace(answer, word=outcome, outcomes=())
        return replace(answer, word="fenced", detail=outcome, outcomes=())

    def assignment(self, task: Task) -> Assignment:
        """What the worker of a running task was told, as far as a report needs it."""
        attempt = int(self.fields("task", task.id)["att"])
        return Assignment(eid(task, attempt), str(task.id), attempt, 0, "", task.name, "{}", 0, "")

    def finish(self, *wanted: Task, disposition: str = "completed", slot: Slot | None = None, **fields: Any) -> None:
        """Run READY tasks, whichever comes first, until all of *wanted* ended."""
        open_ids = {str(task.id) for task in wanted}
        while open_ids:
            told = self.start(slot)
            ends = disposition if told.task_id in open_ids else "completed"
            assert self.report(told, slot, ends, **fields).word == "ok"
            open_ids.discard(told.task_id)

    def elect(self, id: str = "c1") -> str:
        answer = self.run(coordination.elect(id, 60_000))
        assert answer.ok, answer
        self.term = answer.text()
        return self.term

    def think(self) -> int:
        """Decide what the scripts left for thought until nothing is left, as a coordinator does; how many."""
        self.elect()
        decided = 0
        while found := self.run(decisions.decisions(self.keys)):
            for decision, seen in zip(found, self.run(decisions.snapshots(found)), strict=True):
                self._decide(decision, seen)
                decided += 1
            self.run(coordination.continue_releases(self.term))
        return decided

    def _decide(self, decision: Decision, seen: Snapshot | decisions.AsStep | None) -> None:
        assert seen is not decisions.AsStep.STEP, "a step, which the test must decide about itself"
        if seen is None:
            self.run(decisions.drop_decisions(self.term, [decision.entry]))
            return
        for instruction in decide(seen, Stimulus(decision.how)):
            match instruction:
                case CloseTask():
                    answer = self.run(decisions.close_by_rule(self.term, decision.entry, seen, instruction))
                case StartTask():
                    answer = self.run(decisions.start_by_rule(self.term, decision.entry, seen))
                case ReopenTask(id, by):
                    answer = self.run(decisions.reopen_closed(self.term, decision.entry, id, by))
                case Nothing():
                    answer = self.run(decisions.drop_decisions(self.term, [decision.entry]))
            assert answer.word in {"ok", "changed", "settling", "missing", "conflict"}, answer

    def check(self) -> None:
        """Every law of ``doctor --deep`` holds for what the test left behind, unless it broke something itself."""
        if not self.broken:
            found = self.run(check_invariants(self.keys))
            assert not found, "\n".join(map(str, found))

    def age(self, seconds: float) -> None:
        """Let *seconds* pass for everything stored: leases, deadlines, timers, beats."""
        ms = round(seconds * 1000)
        polls = [name for name in self.key_names() if name.startswith(self.keys.of("remote", ""))]
        for key in [*map(self.keys.fixed, _MOMENTS), *polls]:
            for member, score in self.raw.zrange(key, 0, -1, withscores=True):
                self.raw.zadd(key, {member: score - ms})
        for scope, story in self.raw.hgetall(self.keys.fixed("pauses")).items():
            since, _, terms = story.decode().partition(" ")
            self.raw.hset(self.keys.fixed("pauses"), scope, f"{int(since) - ms} {terms}")
        for agent, turn in self.raw.hgetall(self.keys.fixed("pollers")).items():
            node, _, until = turn.decode().rpartition(" ")
            self.raw.hset(self.keys.fixed("pollers"), agent, f"{node} {int(until) - ms}")
        for name in self.key_names():
            for kind, moment in _MOMENT_FIELDS:
                if name.startswith(self.keys.of(kind, "")) and self.raw.hexists(name, moment):
                    self.raw.hincrby(name, moment, -ms)
            for kind, moment in _CLOCKS:
                if name.startswith(self.keys.of(kind, "")) and self.raw.hexists(name, moment):
                    self.raw.hincrby(name, moment, -1000 * ms)


def became(beat: HeartbeatReply) -> dict[str, str]:
    """Executions that a beat ended as LOST -> the statuses of their tasks by that."""
    return {one.execution_id: one.became for one in beat.lost}


def eid(task: Task | UUID | str, attempt: int = 1) -> str:
    """Id of an attempt at a task."""
    return str(execution_id(str(task.id if isinstance(task, Task) else task), attempt))


def steps(work: Call[T] | Operation[T], send: Callable[[Call[Any]], Any]) -> T:
    """Drive *work* with *send* as its wire."""
    if not isinstance(work, Generator):
        return cast(T, send(work))
    try:
        step = next(work)
        while True:
            step = work.send(send(step))
    except StopIteration as end:
        return cast(T, end.value)
