"""Whatever happens in whatever order: every law of the deep check holds at the end, and all work can be finished.

Each seed is a story of some hundred verbs by clients, workers and a coordinator, with time passing, nodes dying,
copies of old calls arriving late and submitters giving up.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from taskengine.errors import ConflictError, UnknownDependencyError
from taskengine.models import Task, TaskPriority, TriggerRule
from taskengine.store import coordination, deadlines, executions, graphs, nodes, pauses, retention, tasks
from taskengine.store.call import Call
from taskengine.store.invariants import check_at_rest
from taskengine.store.records import index_names
from taskengine.store.replies import Told

from .world import World, steps

LANES = {"n1": "lint=lint @lint=lint", "n2": "lint=lint test=tester @tester=tester @lint=lint"}
OVER = {"completed", "failed", "cancelled"}


@dataclass
class Life:
    """One story."""

    world: World
    chance: random.Random
    made: list[Task] = field(default_factory=list)
    #: What slots run, as their workers know it.
    running: dict[tuple[str, str], Told] = field(default_factory=dict)
    #: Calls that a dead link may still deliver.
    past: list[Call[Any]] = field(default_factory=list)
    batches: int = 0

    def send(self, call: Call[Any]) -> Any:
        """Send a call, sometimes twice; remember it for a late copy."""
        answer = self.world.run(call)
        if not call.command and self.chance.random() < 0.1:
            self.world.run(call)
        if not call.command and call.name not in _MAY_NOT_COME_LATE:
            self.past = [*self.past[-30:], call]
        return answer

    def step(self) -> None:
        self.chance.choice(_STEPS)(self)

    def some(self, *, ended: bool | None = None) -> Task | None:
        """A task of the story, or one that is (not) over."""
        if not self.made:
            return None
        statuses = self.world.statuses(t.id for t in self.made)
        fits = [
            t for t, s in zip(self.made, statuses, strict=True) if ended is None or (s in OVER or s == "") == ended
        ]
        return self.chance.choice(fits) if fits else None

    def new_task(self) -> Task:
        chance = self.chance
        on = chance.sample(self.made[-8:], min(len(self.made[-8:]), chance.choice([0, 0, 1, 2])))
        options: dict[str, Any] = {}
        if chance.random() < 0.25:
            options["trigger_rule"] = chance.choice(list(TriggerRule))
        if chance.random() < 0.2:
            name = chance.choice(["queue_timeout", "heartbeat_timeout", "total_timeout"])
            options[name] = chance.choice([0.5, 10])
        if chance.random() < 0.1:
            options["expires_at"] = datetime.now(UTC) + timedelta(seconds=chance.choice([-5, 30]))
        match chance.randrange(8):
            case 0:
                options |= {"hold": True}
            case 1:
                options |= {"scheduled_at": datetime.now(UTC) + timedelta(seconds=chance.choice([-9, 10]))}
                if "expires_at" in options:
                    options["expires_at"] = options["scheduled_at"] + timedelta(seconds=5)
            case 2:
                options |= {"assigned_to": chance.choice(["tester", "nobody"])}
            case 3:
                options |= {"capability": "test"}
            case 4:
                options |= {"idempotency_key": f"k{chance.randrange(6)}"}
            case 5:
                options |= {"deadline": datetime.now(UTC) + timedelta(seconds=chance.choice([-9, 100]))}
        return self.world.task(f"t{len(self.made)}", *on, priority=chance.randrange(1, 6), **options)

    # Verbs.

    def create(self) -> None:
        task = self.new_task()
        answer = steps(tasks.create(self.run_id(), self.world.record(task)), self.send)
        if answer.word == "ok":
            self.made.append(task)

    def submit(self) -> None:
        first = self.new_task()
        graph = [first, *(self.world.task(f"g{n}", first) for n in range(self.chance.randrange(4)))]
        try:
            stored = steps(graphs.submit(self.run_id(), [self.world.record(t) for t in graph]), self.send)
        except (ConflictError, UnknownDependencyError):
            return
        self.made += [t for t, id in zip(graph, stored, strict=True) if id == str(t.id)]

    def stage(self) -> None:
        """A submitter that dies half-way, or whose ids another takes over."""
        self.batches += 1
        graph = [self.new_task(), self.new_task()]
        batch, run = f"batch{self.batches}", self.run_id()
        for task in graph:
            if not self.send(graphs.stage(batch, run, [self.world.record(task)])).ok:
                return
        match self.chance.randrange(4):
            case 0:
                steps(graphs.abandon(batch), self.send)
            case 1:
                if self.send(graphs.commit(batch)).ok:
                    self.made += graph
            case 2:
                task = graph[0]
                if steps(tasks.create(self.run_id(), self.world.record(task)), self.send).word == "ok":
                    self.made.append(task)

    def run_id(self) -> str:
        if self.made and self.chance.random() < 0.3:
            run = self.world.fields("task", self.chance.choice(self.made).id).get("run")
            if run:
                return run
        return str(uuid4())

    def cancel(self) -> None:
        if task := self.some(ended=False):
            steps(tasks.cancel(str(task.id), "no"), self.send)

    def reopen(self) -> None:
        if task := self.some(ended=True):
            steps(tasks.reopen(str(task.id)), self.send)

    def execute(self) -> None:
        if task := self.some():
            steps(tasks.execute(str(task.id), self.chance.choice([None, "lint"])), self.send)

    def update(self) -> None:
        task = self.some(ended=False)
        stored = self.world.run(tasks.read([str(task.id)]))[0] if task else None
        if stored is None:
            return
        revision = self.world.fields("task", stored.id).get("rev", "0")
        new = stored.model_copy(update={"priority": TaskPriority(self.chance.randrange(1, 6)), "name": "renamed"})
        record = self.world.record(new)
        story = tasks.update(
            str(stored.id), revision, record, int(record.row[7]), index_names(stored),
            before_first_run=False, edges=tasks.EdgeChange(),
        )  # fmt: skip
        steps(story, self.send)

    def pause(self) -> None:
        """Somebody pauses something, or lets it go on."""
        task = self.some(ended=False)
        scopes = ["all", "cap:lint", "agent:tester", f"run:{self.world.run_of(task.id)}" if task else "all"]
        scope, until = self.chance.choice(scopes), datetime.now(UTC) + timedelta(seconds=self.chance.choice([5, 50]))
        self.send(self.chance.choice([
            pauses.pause(scope, "ann", None, None), pauses.pause(scope, "bob", "x", until), pauses.resume(scope, "ann"),
            pauses.resume(scope, "ann"),
        ]))  # fmt: skip

    def halt(self) -> None:
        if task := self.some(ended=False):
            id, until = str(task.id), datetime.now(UTC) + timedelta(seconds=self.chance.choice([5, 50]))
            verb = self.chance.choice([
                tasks.pause(id, "ann", None, None), tasks.pause(id, "bob", "x", until), tasks.resume(id),
                tasks.resume(id), tasks.hold(id, held=True), tasks.hold(id, held=False),
            ])  # fmt: skip
            steps(verb, self.send)

    def depend(self) -> None:
        if len(self.made) < 2:
            return
        a, b = sorted(self.chance.sample(range(len(self.made)), 2))
        revision = self.world.run(tasks.edge_revision(self.world.keys))
        later, earlier = self.made[b], self.made[a]  # no cycle: only to an earlier one
        steps(tasks.add_dependency(str(later.id), str(earlier.id), revision, "sha"), self.send)

    def delete(self) -> None:
        task = self.some(ended=True)
        stored = self.world.run(tasks.read([str(task.id)]))[0] if task else None
        if stored is None or self.waited_for(stored):
            return
        revision = self.world.run(tasks.edge_revision(self.world.keys))
        steps(tasks.delete(str(stored.id), index_names(stored), revision), self.send)

    def waited_for(self, task: Task) -> bool:
        """What the API looks at before it deletes: open tasks that depend on it."""
        found = self.world.run(tasks.read([str(t.id) for t in self.made]))
        return any(t and task.id in t.depends_on and str(t.status) not in OVER for t in found)

    def beat(self) -> None:
        node = self.chance.choice(list(LANES))
        live = [self.slot(*key) for key in self.running if key[0] == node and self.chance.random() < 0.9]
        drain = "SIGTERM" if self.chance.random() < 0.05 else ""
        self.world.beat(node, slots=self.chance.randrange(4), lanes=LANES[node], live=live, drain=drain)

    def slot(self, node: str, name: str) -> executions.Slot:
        return self.world.slot(name, node, LANES[node])

    def claim(self) -> None:
        node = self.chance.choice(list(LANES))
        name = f"s{self.chance.randrange(3)}"
        granted = self.world.granted()
        id = self.chance.choice(granted) if granted else "none"
        token = int(self.world.fields("exec", id).get("att", 1)) if granted else 1
        answer = self.send(executions.claim(self.slot(node, name), str(uuid4()), id, token))
        self.running.pop((node, name), None)
        if answer.told:
            self.running[node, name] = answer.told

    def report(self) -> None:
        if not self.running:
            return
        key = self.chance.choice(list(self.running))
        told = self.running.pop(key)
        verdict = self.chance.choice(["completed"] * 4 + ["failed", "retry", "not_now", "agent_not_now", "cancelled"])
        output = '{"x":"' + "y" * self.chance.choice([0, 5000]) + '"}'
        done = executions.Report(told.execution_id, told.attempt, verdict, "lint", output=output, retry_ms=500)
        answer = self.send(executions.report(self.slot(*key), done, pull=self.chance.random() < 0.7))
        if answer.told:
            self.running[key] = answer.told

    def end(self) -> None:
        if not self.running:
            return
        key = self.chance.choice(list(self.running))
        told = self.running[key]
        e, token = told.execution_id, told.attempt
        asked = "cq" in self.world.fields("task", told.task_id)
        ends = [
            executions.time_out(e, token, retry_ms=self.chance.choice([None, 500]), error="long"),
            executions.hand_back(e, token, "stop"),
            executions.say(e, token, lines=['{"message":"x"}'], progress=0.5),
            executions.end_cancelled(e, token) if asked else None,
        ]
        call = self.chance.choice([end for end in ends if end])
        self.send(call)

    def leave(self) -> None:
        node = self.chance.choice(list(LANES))
        self.send(nodes.leave(node))
        self.running = {key: told for key, told in self.running.items() if key[0] != node}

    def coordinate(self) -> None:
        self.world.lead()
        term = self.world.term
        for call in (
            coordination.rescue(term), coordination.withdraw(term), coordination.fire_timers(term),
            coordination.unpark(term), coordination.grant(term, ["lint", "test", "@tester", "@nobody"]),
            coordination.continue_releases(term), coordination.age(term, self.chance.choice(["lint", "test"]), 0, 0),
        ):  # fmt: skip
            self.send(call)
        now, due = self.world.run(deadlines.due(self.world.keys))
        self.send(deadlines.note(term, [self.finding(id, now) for id in due]))
        for batch in self.world.run(coordination.committed(self.world.keys)):
            self.world.settle(batch)
        for batch in self.world.run(coordination.abandoned(self.world.keys, 600)):
            while self.world.run(coordination.sweep_batch(batch, term)).number():
                pass

    def finding(self, id: str, now: int) -> deadlines.Finding:
        [weight] = self.world.run(deadlines.weigh([id]))
        if weight is None or weight.is_over:
            return deadlines.Finding(id, 0, "over")
        verdict = self.chance.choice(["risk", str(now + 5000)])
        return deadlines.Finding(id, weight.deadline or 0, verdict, 1)

    def think(self) -> None:
        self.world.think()

    def age(self) -> None:
        self.world.age(self.chance.choice([1, 3, 20, 700]))

    def late_copy(self) -> None:
        if self.past:
            self.world.run(self.chance.choice(self.past))

    def prune(self) -> None:
        self.world.lead()
        for one in self.world.run(retention.expired(self.world.keys, 300)):
            now = one
            while not now.over:
                word, now = self.world.run(retention.prune_range(self.world.term, now))
                if word != "ok":
                    break


#: A copy of these after another transition does its work again, rightly: what it asks for is wanted or there again.
_MAY_NOT_COME_LATE = {
    "create", "stage", "reopen", "execute", "cancel", "delete", "leave", "sweep_batch", "pause", "pause_task",
}  # fmt: skip
_STEPS: list[Callable[[Life], None]] = [
    *[Life.create, Life.submit, Life.beat] * 2, *[Life.claim, Life.report] * 4, Life.stage, Life.cancel, Life.reopen,
    Life.execute, Life.update, Life.depend, Life.delete, Life.end, Life.leave, Life.coordinate, Life.think, Life.age,
    Life.late_copy, Life.prune, Life.pause, Life.halt,
]  # fmt: skip


def finish_everything(life: Life) -> None:
    """Let a healthy fleet and coordinator go on until nothing is left to do."""
    world = life.world
    world.age(700)
    for scope in world.run(pauses.stored(world.keys)):
        world.run(pauses.resume(scope, "ann"))
    for _ in range(200):
        for task in life.made:
            if world.status(task.id) in {"paused", "running"}:
                world.run(tasks.resume(str(task.id)))
        life.coordinate()
        world.think()
        world.age(20)
        slot = world.slot("last", "n2", "lint=lint test=tester @lint=lint @tester=tester @nobody=nobody")
        world.beat("n2", slots=1, lanes=slot.lanes)
        for id in world.granted() or ["none"]:
            told = world.claim(slot, id, int(world.fields("exec", id).get("att", 1))).told
            while told:
                told = world.report(told, slot, pull=True).told
        for task in life.made:
            if world.status(task.id) == "pending" and "hold" in world.fields("task", task.id):
                world.run(tasks.execute(str(task.id), None))
        if not set(world.counts()) - OVER:
            return
    raise AssertionError(f"not finished: {world.counts()}")


@pytest.mark.parametrize("seed", range(8))
def test_every_law_holds_after_a_random_life_and_all_of_it_can_be_finished(world: World, seed: int) -> None:
    life = Life(world, random.Random(seed))
    for _ in range(150):
        life.step()
    world.check()
    finish_everything(life)
    assert world.run(check_at_rest(world.keys)) == []
