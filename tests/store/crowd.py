"""A store that holds something of each kind, as much as a test asks for, and each script as a call that works in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from taskengine.agents import Reference
from taskengine.core.instructions import CloseTask
from taskengine.models import Task
from taskengine.models.agent import AgentRecord, Limit
from taskengine.models.question import Question
from taskengine.store import (
    agents,
    api_keys,
    changes,
    coordination,
    dead_letters,
    deadlines,
    decisions,
    estimates,
    executions,
    graph_nodes,
    graphs,
    hosts,
    inspection,
    kept,
    limits,
    needs,
    nodes,
    old_turns,
    pauses,
    quarantine,
    queue_view,
    remote,
    results,
    retention,
    runs,
    sketches,
    step_values,
    steps,
    tasks,
    workflows,
)
from taskengine.store.decisions import Decision
from taskengine.store.records import index_names

from .world import World, eid


@dataclass(frozen=True)
class Size:
    """How much of everything there is."""

    queues: int
    nodes: int
    #: Agents that nobody offers, each with tasks pinned to it.
    agents: int = 1
    #: Paused runs under which a timer stands and nothing else.
    pauses: int = 1
    #: Dependents of a task that has some.
    dependents: int = 1
    #: Tasks and timers that each paused run holds aside.
    held: tuple[int, ...] = (1,)
    #: READY tasks in a queue, of a paused run or pinned to an agent that nobody offers.
    heads: int = 1
    #: Tasks whose dependents are still being told.
    releases: int = 1
    #: READY tasks at the end of the first queue, and timers to come.
    waiting: int = 1
    #: Limits with a name; agents share two of them and have one of their own.
    limits: int = 0
    #: Each node is on a host of its own, and 17 demands wait for room in each queue.
    hosts: bool = False

    @property
    def queue_names(self) -> list[str]:
        return [f"q{n}" for n in range(self.queues)]

    @property
    def pinned(self) -> list[str]:
        return [f"@a{n}" for n in range(self.agents)]

    @property
    def offer(self) -> str:
        return " ".join(["own=own", *(f"{queue}=bot" for queue in self.queue_names)])


def scheduled(world: World, number: int) -> list[Task]:
    soon = datetime.now(UTC) + timedelta(seconds=5)
    return [world.task("scheduled", capability="q0", scheduled_at=soon) for _ in range(number)]


@dataclass
class Crowd:
    """Something of everything, and some tasks that a script can be told."""

    world: World
    size: Size
    #: Runs with an attempt of its own; RUNNING.
    running: Task
    #: FAILED, with dependents that wait to hear of it again.
    failed: Task
    #: READY and PENDING ones with dependents each.
    ready: Task
    waiting: Task
    paused: Task
    over: Task
    #: Paused ones that hold tasks and timers aside.
    runs: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, world: World, size: Size) -> Crowd:
        names = ("running", "failed", "ready", "waiting", "paused", "over")
        each = {name: world.task(name, capability="own") for name in names}
        each["waiting"] = world.task("waiting", each["failed"], capability="own")
        crowd = cls(world, size, **each)
        crowd._make()
        return crowd

    def _make(self) -> None:
        world, size = self.world, self.size
        for task in (self.over, self.failed):
            world.create(task)
            told = self._start()
            world.report(told, self.slot("first"), "failed" if task is self.failed else "completed")
        world.create(self.waiting)
        wide = (self.running, self.failed, self.ready, self.waiting, self.paused)
        world.create(self.running)
        self._start()
        world.run(nodes.drain("n0", "x"))
        for task in (self.ready, self.paused):
            world.create(task)
        for parent in wide:
            queues = (f"q{n % size.queues}" for n in range(size.dependents))
            world.submit(*(world.task("child", parent, capability=queue) for queue in queues))
        world.run(tasks.pause(str(self.paused.id), "ann", None, None))
        self._hold_aside()
        self._make_heads()
        world.raw.zadd(world.keys.fixed("releases"), {str(uuid4()): 1 for _ in range(size.releases)})
        for n in range(size.pauses):
            world.raw.zadd(world.keys.of("suspended", f"run:{n}"), {f"schedule:{uuid4()}": 1})
            world.raw.sadd(world.keys.fixed("suspending"), f"run:{n}")
            world.raw.hset(world.keys.fixed("pauses"), f"run:{n}", '1 {"by":"x","until":null,"why":null}')
            world.raw.hset(world.keys.fixed("pauses"), f"agent:p{n}", '1 {"by":"x","until":null,"why":null}')
            world.raw.hset(world.keys.fixed("pauses"), f"cap:p{n}", '1 {"by":"x","until":null,"why":null}')
        world.raw.sadd(world.keys.fixed("open_queues"), coordination.PAUSED)
        self._wait()
        self._limit()
        for n in range(size.nodes):
            queues = size.offer.replace("=bot", f"=bot{n}")
            world.raw.zadd(world.keys.fixed("nodes"), {f"m{n}": 2**53})
            world.raw.hset(world.keys.of("node", f"m{n}"), mapping={"slots": 5, "queues": queues, "until": 2**53})
            world.raw.sadd(world.keys.fixed("free_nodes"), f"m{n}")
            for queue in size.offer.split():
                world.raw.sadd(world.keys.of("offers", queue.partition("=")[0]), f"m{n}")
        if size.hosts:
            self._wait_for_room()

    def _wait_for_room(self) -> None:
        """A host for each node, with what 20 executions reserve, and as many demands in each queue as there may be."""
        raw, keys = self.world.raw, self.world.keys
        for n in range(self.size.nodes):
            raw.hset(keys.fixed("hosts"), f"h{n}", "cpu_cores=4000")
            raw.sadd(keys.of("host_nodes", f"h{n}"), f"m{n}")
            raw.hset(keys.of("node", f"m{n}"), "host", f"h{n} cpu_cores=4000")
            raw.hset(keys.of("reserved", f"h{n}"), mapping={f"e{k}": "cpu_cores=100" for k in range(20)})
        for queue in self.size.queue_names:
            demands = [1 + n / 100 for n in range(17)]
            waiting = [
                self.world.task("waits", capability=queue, resource_requirements={"cpu_cores": cores})
                for cores in demands
            ]
            self.world.submit(*waiting)
            for task in waiting:
                fields = self.world.fields("task", task.id)
                scope = f"room:{queue}|{fields['dem']}"
                member = f"{int(fields['no']):012d}{task.id}"
                raw.zrem(keys.of("ready", queue), member)
                raw.zadd(keys.of("park", scope), {member: float(fields["sc"])})
                raw.hset(keys.of("task", task.id), "park", scope)
                raw.sadd(keys.of("room_waits", queue), fields["dem"])
            raw.sadd(keys.fixed("room_queues"), queue)
        raw.sadd(keys.fixed("open_queues"), coordination.SHORT)

    def _start(self) -> Any:
        self.world.beat("n0", queues=self.size.offer, slots=1)
        answer = self.world.claim(self.slot("first"), *self._granted())
        assert answer.assignment is not None
        return answer.assignment

    def _granted(self) -> tuple[str, int]:
        granted = self.world.granted()
        return (granted[0], 1) if granted else ("none", 1)

    def slot(self, name: str, node: str = "n0") -> executions.Slot:
        return self.world.slot(name, node, self.size.offer)

    def _hold_aside(self) -> None:
        """Runs that are paused, with tasks and timers that wait for the end of it."""
        world, keys = self.world, self.world.keys
        for number in self.size.held:
            parked = [world.task("parked", capability=f"q{n % self.size.queues}") for n in range(number)]
            stands = scheduled(world, number)
            run = world.submit(*parked, *stands)
            self.runs.append(run)
            world.run(pauses.pause(f"run:{run}", "ann", None, datetime.now(UTC) + timedelta(seconds=60)))
            pipe = world.raw.pipeline()
            for task in parked:
                pipe.hmget(keys.of("task", task.id), "no", "sc")
            for task, (no, score) in zip(parked, pipe.execute(), strict=True):
                member = f"{int(no):012d}{task.id}"
                pipe.zrem(keys.of("ready", task.queue), member)
                pipe.zadd(keys.of("park", f"run:{run}"), {member: float(score)})
                pipe.hset(keys.of("task", task.id), "park", f"run:{run}")
            pipe.sadd(keys.fixed("suspending"), f"run:{run}")
            for task in stands:
                pipe.zrem(keys.fixed("timers"), f"schedule:{task.id}")
                pipe.zadd(keys.of("suspended", f"run:{run}"), {f"schedule:{task.id}": 1})
            pipe.sadd(keys.fixed("suspending"), f"run:{run}")
            pipe.execute()

    def _make_heads(self) -> None:
        """READY tasks of a paused run in every queue, and of agents that nobody offers."""
        world, size = self.world, self.size
        heads = (world.task("head", capability=queue) for queue in size.queue_names * size.heads)
        run = world.submit(*heads)
        world.run(pauses.pause(f"run:{run}", "ann", None, None))
        world.submit(*(world.task("fit", capability="q0") for _ in range(20)))
        names = [queue[1:] for queue in size.pinned] * size.heads
        world.submit(*(world.task("pinned", capability="own", assigned_to=name) for name in names))

    def stored(self) -> Stored:
        """All of it, to be put back for a script that finds what the one before found."""
        raw = self.world.raw
        return Stored(self, {name: raw.dump(name) for name in raw.scan_iter(count=1000)})

    def _wait(self) -> None:
        """Fill a queue and the timers behind whatever a script would look at."""
        raw, keys, at = self.world.raw, self.world.keys, 2**53
        for first in range(0, self.size.waiting, 10_000):
            ids = [f"{n:08}-0000-4000-8000-000000000000" for n in range(first, min(first + 10_000, self.size.waiting))]
            raw.zadd(keys.of("ready", "q0"), {f"{n + 10**9:012}{id}": at for n, id in enumerate(ids)})
            raw.zadd(keys.fixed("timers"), {f"schedule:{id}": at for id in ids})
        raw.sadd(keys.fixed("queues"), "q0")
        raw.sadd(keys.fixed("open_queues"), "q0")

    def _limit(self) -> None:
        """Agents that have room for one more, by a hair."""
        world, number = self.world, self.size.limits
        for n in range(number):
            world.run(limits.put(Limit(name=f"l{n}", in_flight=1, requests_per_minute=60, tokens_per_day=10**9)))
        for n in range(self.size.nodes if number else 0):
            shared = (f"l{(2 * n) % number}", f"l{(2 * n + 1) % number}")
            bot = AgentRecord(id=f"bot{n}", type="claude", capabilities={"q0"}, max_concurrency=1, limits=shared)
            world.run(agents.register(bot, 0))

    def resume_by_hand(self) -> None:
        """The pauses are over, and what they held aside is still there."""
        for run in self.runs:
            self.world.raw.hdel(self.world.keys.fixed("pauses"), f"run:{run}")


@dataclass(frozen=True)
class Stored:
    """A crowd as it was made: making one takes seconds."""

    crowd: Crowd
    values: dict[bytes, bytes]

    def put_back(self, world: World) -> Crowd:
        world.raw.flushall()
        pipe = world.raw.pipeline()
        for name, value in self.values.items():
            pipe.restore(name, 0, value, replace=True)  # a late answer lets the client send it again
        pipe.execute()
        world.elect()
        world.broken = True  # made by hand
        return replace(self.crowd, world=world)


def commands_of(world: World, call: Any) -> int:
    """Redis commands that a script sends, its own included."""
    used = world.raw.info("commandstats")
    world.run(call)
    using = world.raw.info("commandstats")
    return int(sum(stat["calls"] - used.get(what, {"calls": 0})["calls"] for what, stat in using.items()))


def _register_agent(crowd: Crowd) -> Any:
    """One that may do more from now on."""
    bot = AgentRecord(id="bot0", type="claude", capabilities={"q0"}, max_concurrency=50)
    return agents.register(bot, 1 if crowd.size.limits else 0)


def _unregister_agent(crowd: Crowd) -> Any:
    names = tuple(f"l{n}" for n in range(min(8, crowd.size.limits)))
    crowd.world.run(agents.register(AgentRecord(id="gone", type="claude", capabilities={"q0"}, limits=names), 0))
    return agents.unregister("gone")


def _seen(crowd: Crowd, task: Task) -> Any:
    (seen,) = crowd.world.run(decisions.snapshots([Decision("0-1", str(task.id), str(crowd.failed.id), "f")]))
    assert seen is not None
    return seen


def _told(crowd: Crowd) -> tuple[str, int]:
    return eid(crowd.running), 1


def _lapse(crowd: Crowd) -> None:
    world = crowd.world
    for lease in world.raw.zrange(world.keys.fixed("leases"), 0, -1):
        world.raw.zadd(world.keys.fixed("leases"), {lease: 1})
    world.raw.zadd(world.keys.fixed("nodes"), {"n0": 1, "m0": 1})


def _cancelled(crowd: Crowd) -> Any:
    crowd.world.run(tasks.cancel(str(crowd.running.id), "no"))
    return executions.end_cancelled(*_told(crowd))


def _answer(crowd: Crowd) -> Any:
    world, id = crowd.world, str(crowd.paused.id)
    world.raw.hset(world.keys.of("task", id), mapping={"ask": '1 {"id":"q","text":"why?"}', "xx": 1})
    return next(kept.answer_question(id, kept.Asked(Question(id="q", text="why?"), 1), "yes", "ann"))


def _end_pauses(crowd: Crowd) -> Any:
    due = {f"resume:run:{run}": 1 for run in crowd.runs}
    crowd.world.raw.zadd(crowd.world.keys.fixed("timers"), due)
    return coordination.fire_timers(crowd.world.term)


def _stage(crowd: Crowd) -> Any:
    size = crowd.size
    new = (crowd.world.task("new", capability=f"q{n % size.queues}") for n in range(min(256, size.dependents)))
    batch = crowd.world.staged(*new)
    crowd.world.run(graphs.commit(batch))
    return coordination.settle_batch(batch)


def _unpark(crowd: Crowd) -> Any:
    crowd.resume_by_hand()
    return coordination.unpark(crowd.world.term)


def _update(crowd: Crowd) -> Any:
    new = crowd.world.record(crowd.ready)
    edges = tasks.EdgeChange()
    return next(tasks.update(str(crowd.ready.id), "0", new, 1, "", before_first_run=False, edges=edges, due=None))


def _prune(crowd: Crowd) -> Any:
    world, run = crowd.world, crowd.world.run_of(crowd.over.id)
    at = int(world.raw.zscore(world.keys.fixed("finished"), run))
    return retention.prune(world.term, retention.Pass(run, at), [(str(crowd.over.id), "")], last=True)


def _withdraw(crowd: Crowd) -> Any:
    crowd.world.raw.zadd(crowd.world.keys.fixed("granted_all"), {eid(uuid4()): 1 for _ in range(64)})
    return coordination.withdraw(crowd.world.term)


def _workflow(crowd: Crowd) -> tuple[str, str]:
    """A workflow that has just been started, and what a decision about it rests on."""
    world, id = crowd.world, uuid4()
    world.run(workflows.put_definition("d", "{}"))
    row = steps.step_record(id, "", "w", score=1, sha="s", k="workflow")
    world.run(workflows.start(workflows.Start(str(id), "d", "{}", "w", "ann", row, {})))
    return str(id), _rests_on(crowd, str(id))


def _rests_on(crowd: Crowd, id: str) -> str:
    (facts,) = crowd.world.run(steps.look([(id, "")]))
    assert facts is not None
    return facts.revision


def _expand(crowd: Crowd) -> Any:
    id, seen = _workflow(crowd)
    size, number = crowd.size, min(steps.PIECE, crowd.size.dependents)
    rows = [crowd.world.record(crowd.world.task("child", capability=f"q{n % size.queues}")) for n in range(number)]
    rows = [replace(new, row={**new.row, "rare": f"up {id} fr {id}"}) for new in rows]
    return steps.expand(crowd.world.term, "", id, seen, steps.Piece(rows, len(rows)))


def _old_turns(crowd: Crowd) -> Any:
    """The operation that erases all children of a step, which are over."""
    verb = _expand(crowd)
    crowd.world.run(verb)
    id, term = str(verb.args[2]), crowd.world.term
    ids = crowd.world.run(next(old_turns.erase_old_turns(term, "", id, 0)))
    crowd.world.run(tasks.cancel_all(ids, "no"))
    return old_turns.erase_old_turns(term, "", id, 0)


def _erase_old_turns(crowd: Crowd) -> Any:
    operation = _old_turns(crowd)
    read = operation.send(crowd.world.run(next(operation)))
    return operation.send(crowd.world.run(read))


def _retry_scope(crowd: Crowd) -> Any:
    verb = _close_scope(crowd)
    crowd.world.run(verb)
    id, term = str(verb.args[2]), crowd.world.term
    crowd.world.run(steps.end(term, "", id, _rests_on(crowd, id), steps.Ending("failed")))
    return steps.retry_scope(term, "", id, _rests_on(crowd, id))


def _next_item(crowd: Crowd) -> Any:
    verb = _expand(crowd)
    crowd.world.run(verb)
    id = str(verb.args[2])
    crowd.world.raw.hset(crowd.world.keys.of("task", id), "nx", 1)
    return steps.next_item(crowd.world.term, "", id, _rests_on(crowd, id))


def _close_scope(crowd: Crowd) -> Any:
    verb = _expand(crowd)
    crowd.world.run(verb)
    id = str(verb.args[2])
    return steps.end_children(crowd.world.term, "", id, _rests_on(crowd, id), "failed", "r")


def _erase_old_turns(crowd: Crowd) -> Any:
    world = crowd.world
    verb = _expand(crowd)
    world.run(verb)
    id = str(verb.args[2])
    world.raw.hset(world.keys.of("task", id), "st", "running")
    operation = old_turns.erase_old_turns(world.term, "", id, 0)
    old = world.run(next(operation))
    for child in old:
        world.raw.hset(world.keys.of("task", child), mapping={"st": "completed", "up": id})
    call = operation.send(old)
    while call.name != "erase_old_turns":
        call = operation.send(world.run(call))
    return call


def _end_step(crowd: Crowd) -> Any:
    id, seen = _workflow(crowd)
    crowd.world.raw.sadd(
        crowd.world.keys.of("condition_waiters", id), *(str(uuid4()) for _ in range(crowd.size.dependents))
    )
    return steps.end(crowd.world.term, "", id, seen, steps.Ending("completed", sets={"a": "1"}))


#: Every script that has a budget: the call that makes it want too much.
def _lose_remote(crowd: Crowd) -> Any:
    posted = Reference("codegen", "posted")
    found = crowd.world.run(
        remote.detach(crowd.slot("first"), eid(crowd.running), 1, posted, poll_ms=0, taken_up=False, pull=False)
    )
    assert found.word == "ok"
    return remote.lose([(eid(crowd.running), 1, "gone")])


WANTS: dict[str, Callable[[Crowd], Any]] = {
    "set_limit": lambda _: limits.put(Limit(name="l0", in_flight=2)),
    "register_agent": _register_agent,
    "unregister_agent": _unregister_agent,
    "heartbeat": lambda c: nodes.heartbeat("new", 1, "{}", 50, c.size.offer, "", []),
    "cancel": lambda c: tasks.cancel_all([str(c.ready.id), str(c.paused.id), str(c.waiting.id)], "no"),
    "claim": lambda c: executions.claim(c.slot("new", "m1"), "r", "none", 1),
    "close_by_rule": lambda c: decisions.close_by_rule(
        c.world.term, "", _seen(c, c.waiting), CloseTask(str(c.waiting.id), "r", str(c.failed.id), failed_before=True)
    ),
    "end_children": _close_scope,
    "continue_releases": lambda c: coordination.continue_releases(c.world.term),
    "create": lambda c: next(tasks.create(str(uuid4()), c.world.record(c.world.task("new", capability="q0")))),
    "delete": lambda c: tasks.delete_all([(str(c.over.id), index_names(c.over))], c.world.since()),
    "end_cancelled": _cancelled,
    "end_step": _end_step,
    "erase_old_turns": _erase_old_turns,
    "expand_step": _expand,
    "execute": lambda c: next(tasks.execute(str(c.ready.id), "a1")),
    "settle_batch": _stage,
    "fire_timers": _end_pauses,
    "grant": lambda c: coordination.grant(c.world.term, [*c.size.queue_names, *c.size.pinned]),
    "detach": lambda c: remote.detach(
        c.slot("first"), eid(c.running), 1, Reference("codegen", "posted"), poll_ms=0, taken_up=False, pull=True
    ),
    "lose_remote": _lose_remote,
    "hand_back": lambda c: executions.hand_back([_told(c)], "why"),
    "hold": lambda c: tasks.hold_all([str(c.ready.id)], held=True),
    "remove_node": lambda _: nodes.remove_node("n0"),
    "continue_delete": lambda c: coordination.continue_delete("", str(c.over.id)),
    "next_item": _next_item,
    "pause_task": lambda c: tasks.pause_all([str(c.ready.id)], "ann", None, None),
    "prune": _prune,
    "reopen": lambda c: tasks.reopen_all([str(c.failed.id)]),
    "report": lambda c: executions.report(
        c.slot("first"), [executions.Report(str(c.running.id), 1, "completed", "own")], pull=False
    ),
    "reprioritise": lambda c: _second(tasks.reprioritise([str(c.ready.id)], 5), c),
    "retry_scope": _retry_scope,
    "rescue": lambda c: (_lapse(c), coordination.rescue(c.world.term))[1],
    "resume": lambda c: pauses.resume(f"run:{c.runs[0]}", "ann"),
    "answer": _answer,
    "resume_task": lambda c: tasks.resume_all([str(c.paused.id)]),
    "time_out": lambda c: executions.time_out(*_told(c), retry_ms=None, error="late"),
    "start_by_rule": lambda c: decisions.start_by_rule(c.world.term, "", _seen(c, c.waiting)),
    "unpark": _unpark,
    "update": _update,
    "withdraw": _withdraw,
}


def _second(story: Any, crowd: Crowd) -> Any:
    return story.send(crowd.world.run(next(story)))


def _poll(crowd: Crowd) -> Any:
    decision = Decision("0-1", str(crowd.waiting.id), str(crowd.failed.id), "f")
    return next(decisions.snapshots([decision]))


def _stage_some(crowd: Crowd) -> Any:
    return graphs.stage("b", str(uuid4()), [crowd.world.record(crowd.world.task("new", capability="q0"))])


def _staged(crowd: Crowd) -> str:
    return crowd.world.staged(crowd.world.task("new", capability="q0"))


def _start_workflow(crowd: Crowd) -> Any:
    id = uuid4()
    crowd.world.run(workflows.put_definition("d", "{}"))
    row = steps.step_record(id, "", "w", score=1, sha="s", k="workflow")
    return workflows.start(workflows.Start(str(id), "d", "{}", "w", "ann", row, {}))


def _put_frame(crowd: Crowd) -> Any:
    id, _ = _workflow(crowd)
    frame = workflows.Frame(
        str(uuid4()), workflow=id, digest="d", context="{}", path="inner", depth=1, variables={"x": "1"}
    )
    return workflows.put_frame(crowd.world.term, frame)


def _register(crowd: Crowd) -> Any:
    """The 22nd definition of a name: of these the oldest makes room."""
    for number in range(21):
        crowd.world.run(workflows.put_definition(f"d{number}", "{}"))
        crowd.world.run(workflows.register("w", f"d{number}", "ann"))
    crowd.world.run(workflows.put_definition("d", "{}"))
    return workflows.register("w", "d", "ann")


def _list(crowd: Crowd) -> Any:
    return next(tasks.find(0, 100, ["s:failed"]))


#: Every other script: a call of it in which one or a handful of things are named.
ASKS: dict[str, Callable[[Crowd], Any]] = {
    "add_dependency": lambda c: next(tasks.add_dependency(str(c.waiting.id), str(c.over.id), "0", "")),
    "lift_aged": lambda c: coordination.lift_aged(c.world.term, "q0", 0, 1),
    "start_waiting": lambda c: steps.start_waiting(
        c.world.term, "", str(c.ready.id), "", "0", steps.Waiting(1, signal="go")
    ),
    "ask_condition_waiters": lambda c: steps.ask_condition_waiters(c.world.term, "", str(c.ready.id)),
    "commit_graph": lambda c: graphs.commit(_staged(c)),
    "drain": lambda _: nodes.drain("m0", "x"),
    "drop_decision": lambda c: decisions.drop_decisions(c.world.term, ["0-1"]),
    "drop_dead_letter": lambda c: dead_letters.drop(str(c.failed.id)),
    "drop_messages": lambda _: quarantine.drop(quarantine._stored(["{}"])),
    "read_fleet": lambda _: next(nodes.fleet()),
    "read_execution_heads": lambda c: next(executions.read_heads([eid(c.running)])),
    "inspect": lambda c: inspection.look([(str(c.ready.id), "")]),
    "inspect_members": lambda _: next(inspection.members("ready", "q0")),
    "inspect_runs": lambda c: next(inspection.runs([c.world.run_of(c.ready.id)])),
    "inspect_tally": lambda _: next(inspection.tally()),
    "put_payload": lambda _: executions.put_payload("n", "{}"),
    "put_order": lambda c: graphs.put_order(_staged(c), 0, b""),
    "elect": lambda _: coordination.elect("c1", 60_000),
    "update_estimates": lambda _: estimates.update_estimates({"q0": 1.5}),
    "list": _list,
    "read_step_decisions": lambda c: steps.look([(str(c.ready.id), "")]),
    "match_ids": lambda c: next(tasks.begin_alike(str(c.ready.id)[:8], 5)),
    "read_dependencies": lambda c: next(needs.needs([str(c.waiting.id)])),
    "note_deadlines": lambda c: deadlines.note(c.world.term, [deadlines.Finding(str(c.ready.id), 1, "risk")]),
    "read_graph_nodes": lambda c: next(graph_nodes.graph_nodes([str(c.ready.id)])),
    "read_outputs": lambda c: next(results.with_results([c.world.read(c.over.id)])),
    "pause": lambda _: pauses.pause("cap:q0", "ann", "why", None),
    "put_definition": lambda _: workflows.put_definition("d", "{}"),
    "put_frame": _put_frame,
    "put_items": lambda c: next(steps.put_items(c.world.term, str(c.ready.id), ['"a"'] * c.size.dependents)),
    "read": lambda c: next(tasks.read([str(c.ready.id)])),
    "read_changes": lambda c: next(changes._read({c.world.run_of(c.ready.id): 0})),
    "read_executions": lambda c: executions.of_task(str(c.over.id)),
    "read_graph": lambda _: graphs.read_graph("k", 0),
    "read_items": lambda c: step_values.items(str(c.ready.id), [0]),
    "read_logs": lambda c: executions.logs(eid(c.over), 0, 0, 1),
    "read_old_turns": lambda c: next(_old_turns(c)),
    "read_nodes": lambda _: next(nodes.every_node()),
    "read_queues": lambda _: next(nodes._queues("queues")),
    "read_range": lambda c: retention.read_range(c.world.run_of(c.ready.id), 0),
    "read_runs": lambda c: next(runs.read([c.world.run_of(c.ready.id)])),
    "find_runs": lambda _: runs.find(None, 1000, created_by="nobody"),
    "find_workflows": lambda _: workflows.find(None, 1000, created_by="nobody"),
    "find_dead_letters": lambda _: dead_letters.find(None, 0, 1000, "nobody's"),
    "read_steps": lambda c: next(steps.read([str(c.ready.id)])),
    "read_values": lambda c: next(
        step_values._read(step_values.Where(str(c.ready.id), str(c.ready.id), "", None, "a"), ["x"], ["a"])
    ),
    "read_workflows": lambda c: next(workflows.read(str(c.ready.id))),
    "register": _register,
    "resign": lambda _: coordination.resign("c1"),
    "sketch": lambda c: next(sketches.of_run(c.world.run_of(c.ready.id), 1)),
    "run_counts": lambda c: next(runs.counts([c.world.run_of(c.ready.id)])),
    "poll_take": lambda _: remote.poll_take("own", "n0", 1000),
    "note_polled": lambda c: remote.note_polled([remote.Polled(eid(c.running), 1, 1000)]),
    "take_overdue": lambda c: remote.take_overdue(c.world.term, 64),
    "read_running": lambda _: next(pauses.running(["all"])),
    "append_logs": lambda c: executions.append_logs(eid(c.running), 1),
    "set_variables": lambda c: workflows.set_variables(str(c.ready.id), {"x": "1"}, None),
    "signal": lambda c: workflows.signal(str(c.ready.id), "go", "1", "{}"),
    "put_api_key": lambda _: api_keys.put("k", "sha", "bot", "read", None, 60),
    "admit": lambda _: api_keys.admit("k", "sha", "r"),
    "open_session": lambda _: api_keys.open_session("k", "sha", "s", "secret", 1000),
    "close_session": lambda _: api_keys.close_session("k", "s"),
    "renew_api_key": lambda _: api_keys.renew("k", "sha", 1000),
    "revoke_api_key": lambda _: api_keys.revoke("k"),
    "read_api_keys": lambda _: next(api_keys.every_key()),
    "remove_limit": lambda _: limits.remove("l0"),
    "read_hosts": lambda _: next(hosts.every_host()),
    "look_after_hosts": lambda c: hosts.look_after(c.world.term, 0),
    "read_limits": lambda _: next(limits.every_limit()),
    "inspect_limits": lambda _: next(inspection.limits([f"l{n}" for n in range(inspection.PIECE)])),
    "permit": lambda c: limits.permit(eid(c.running), 1, 1, (1, 10, 10)),
    "observe": lambda _: limits.observe("bot0", 0, 0, 0),
    "read_queue_view": lambda c: next(queue_view.queue_view(str(c.ready.id))),
    "read_decision_inputs": _poll,
    "stage": _stage_some,
    "stage_edges": lambda c: graphs.stage_edges("b", str(c.ready.id), [str(c.over.id)]),
    "start_workflow": _start_workflow,
    "read_statuses": lambda c: tasks.statuses([str(c.ready.id)]),
    "sweep_batch": lambda c: coordination.sweep_batch(_staged(c), ""),
    "watch_logs": lambda c: executions.watch_logs(str(c.ready.id), 0),
    "watch_task": lambda c: tasks.watch(str(c.ready.id)),
    "read_deadline_weights": lambda c: next(deadlines.read_weights([str(c.ready.id)])),
}
