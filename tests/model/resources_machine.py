"""Starts, ends, losses, copies and machines that change, in any order, beside a model of what reservations promise:
never more of a host than it has, nothing that fits refused while a slot asks, and nothing held by what is over.

The model keeps what each execution must reserve, by its task, its agent and the host of its node at its start.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from taskengine.agents import Reference
from taskengine.core.demand import amounts, from_words, to_words
from taskengine.models.agent import AgentRecord
from taskengine.store import agents, coordination, executions, hosts, nodes, pauses, remote, tasks
from taskengine.store.call import Call
from taskengine.store.executions import Report, Slot
from taskengine.store.invariants import check_invariants
from taskengine.store.replies import Assignment

from ..store.world import World

PICK = st.integers(0, 2**20)
Amounts = dict[str, float]
#: Node -> its host; two of one machine share it.
FLEET = {"n1": "h1", "n2": "h1", "n3": "h2"}
QUEUES = "lint=lint test=tester"
AGENTS = {"lint": "lint", "test": "tester"}
TOTALS: tuple[Amounts, ...] = ({"cpu": 4, "gpu": 1}, {"cpu": 8}, {"cpu": 2, "gpu": 2, "seat": 0.5})
DEMANDS: tuple[Amounts, ...] = (
    {}, {}, {"cpu": 1}, {"cpu": 2}, {"cpu": 4}, {"gpu": 1}, {"cpu": 1, "gpu": 1}, {"cpu": 0.1, "seat": 0.25},
    {"cpu": 64},
    *({"cpu": 1 + n / 100} for n in range(20)),
)  # fmt: skip


@dataclass
class Running:
    """An execution that a slot was told to run."""

    told: Assignment
    slot: Slot
    host: str
    #: Thousandths; {} where it reserves nothing.
    reserves: dict[str, int]


class ResourcesMachine(RuleBasedStateMachine):
    """One story."""

    new_world: ClassVar[Callable[[], World]]
    steps_done: ClassVar[int] = 0
    seen: ClassVar[Counter[str]]
    volume: ClassVar[int] = 0

    @initialize(story=st.integers(0, 2**62))
    def begin(self, story: int) -> None:
        self.story, self.at = story, 0
        self.world = type(self).new_world()
        self.chance = random.Random(story)
        self.totals: dict[str, Amounts] = {host: TOTALS[at] for at, host in enumerate(sorted(set(FLEET.values())))}
        self.shares: dict[str, Amounts] = {agent: {} for agent in AGENTS.values()}
        self.demands: dict[str, Amounts] = {}
        self.running: list[Running] = []
        self.slots = 0
        self.beat()

    @rule(pick=PICK)
    def step(self, pick: int) -> None:
        """Somebody does something."""
        self.at += 1
        self.chance = random.Random(f"{type(self).volume} {self.story} {self.at} {pick}")
        type(self).steps_done += 1
        what = self.chance.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        type(self).seen[what] += 1
        getattr(self, what)()
        self.compare()

    def teardown(self) -> None:
        """Everything ends, and nothing is held; what waits starts on a host that is large enough."""
        for each in list(self.running):
            self.world.run(executions.hand_back([(each.told.execution_id, each.told.attempt)], "the end"))
            self.running.remove(each)
        self.compare()
        assert all(not self.world.fields("reserved", host) for host in self.totals)
        found = self.world.run(check_invariants(self.world.keys))
        assert not found, "\n".join(map(str, found))

    # -- sending

    def send(self, call: Call[Any]) -> Any:
        """Send a call, sometimes twice; what the first copy answered."""
        answer = self.world.run(call)
        if self.chance.random() < 0.2:
            type(self).seen["copies"] += 1
            self.world.run(call)
        return answer

    # -- what happens

    def create(self) -> None:
        for _ in range(self.chance.randrange(1, 6)):
            demand = self.chance.choice(DEMANDS)
            task = self.world.new(capability=self.chance.choice(list(AGENTS)), resource_requirements=demand)
            self.demands[str(task.id)] = demand

    def resume(self) -> None:
        """An agent that asked for time has had it."""
        for agent in self.shares:
            self.world.run(pauses.resume(f"agent:{agent}", "ann"))

    def beat(self) -> None:
        for node, host in FLEET.items():
            live = [each.slot for each in self.running if each.slot.node == node]
            told = f"{host} {to_words(amounts(self.totals[host], 'x'))}"
            self.world.beat(node, slots=6, queues=QUEUES, live=live, host=told)

    def claim(self) -> None:
        node = self.chance.choice(list(FLEET))
        granted = self.world.granted()
        self.slots += 1
        slot = self.world.slot(f"s{self.slots}", node, QUEUES)
        eid = self.chance.choice(granted) if granted and self.chance.random() < 0.8 else "none"
        token = int(self.world.fields("exec", eid)["att"]) if eid != "none" else 1
        waiting = {queue: self.world.ready(queue) for queue in AGENTS}
        answer = self.send(executions.claim(slot, f"r{self.slots}", eid, token))
        if answer.batch:
            self.started(slot, answer.batch)
        elif answer.word == "nothing" and sum(map(len, waiting.values())) < 16:
            self.fits_nothing(node, [id for ids in waiting.values() for id in ids])

    def fits_nothing(self, node: str, waiting: list[str]) -> None:
        """What stood in the queues of a slot that got nothing, and still does: none of it fits."""
        kept = self.world.run(hosts.every_host())
        if any(host.name == FLEET[node] and host.kept_for for host in kept) or self.world.run(nodes.fleet()).pauses:
            return
        for id in waiting:
            task = self.world.fields("task", id)
            if task.get("st") == "ready" and "g" not in task:
                type(self).seen["refused for want of room"] += 1
                says = f"{task} fits {node}: {self.used(FLEET[node])} of {self.totals[FLEET[node]]}"
                assert not self.has_room(FLEET[node], self.effective(id, task["queue"])), says

    def effective(self, id: str, queue: str) -> dict[str, int]:
        return amounts({**self.shares[AGENTS[queue]], **self.demands[id]}, "x")

    def used(self, host: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for each in self.running:
            if each.host == host:
                found.update(each.reserves)
        return found

    def has_room(self, host: str, demand: dict[str, int]) -> bool:
        total, used = amounts(self.totals[host], "x"), self.used(host)
        return all(used[name] + milli <= total.get(name, 0) for name, milli in demand.items())

    def started(self, slot: Slot, batch: tuple[Assignment, ...]) -> None:
        for told in batch:
            host = FLEET[slot.node]
            demand = self.effective(told.task_id, told.queue)
            assert self.has_room(host, demand), f"{demand} started on {host}, {self.used(host)} is used"
            self.running.append(Running(told, slot, host, demand))
            type(self).seen["starts that reserve" if demand else "plain starts"] += 1

    def some(self) -> Running | None:
        return self.chance.choice(self.running) if self.running else None

    def alone(self, each: Running) -> bool:
        return sum(other.slot == each.slot for other in self.running) == 1

    def report(self) -> None:
        each = self.some()
        if each is None:
            return
        word, kind = self.chance.choice(ENDS)
        done = Report(
            each.told.task_id, each.told.attempt, word, AGENTS[each.told.queue], error="x" if kind else "",
            error_kind=kind, retry_ms=5_000,
        )  # fmt: skip
        answer = self.send(executions.report(each.slot, [done], pull=self.chance.random() < 0.7))
        if answer.outcomes == ("ok",):
            self.running.remove(each)
            self.started(each.slot, answer.batch)

    def time_out(self) -> None:
        if each := self.some():
            call = executions.time_out(each.told.execution_id, each.told.attempt, retry_ms=5_000, error="long")
            if self.send(call).ok:
                self.running.remove(each)

    def hand_back(self) -> None:
        if each := self.some():
            (answer,) = self.send(executions.hand_back([(each.told.execution_id, each.told.attempt)], "drain"))
            if answer.ok:
                self.running.remove(each)

    def cancel(self) -> None:
        if each := self.some():
            self.send(next(tasks.cancel(each.told.task_id, "no")))
            if self.send(executions.end_cancelled(each.told.execution_id, each.told.attempt)).ok:
                self.running.remove(each)

    def cancel_waiting(self) -> None:
        waiting = [id for id in self.demands if self.world.status(id) == "ready"] if self.demands else []
        if waiting:
            self.send(next(tasks.cancel(self.chance.choice(waiting), "no")))

    def detach(self) -> None:
        """Its work goes on at a service: it reserves nothing more."""
        each = self.some()
        if each is None or each.slot.node == "~" or not self.alone(each):
            return
        posted = Reference("codegen", "posted", "17")
        call = remote.detach(
            each.slot, each.told.execution_id, each.told.attempt, posted, poll_ms=1000, taken_up=False, pull=False
        )
        if self.send(call).word == "ok":
            self.running.remove(each)
            self.world.run(executions.hand_back([(each.told.execution_id, each.told.attempt)], "it is over there"))

    def lose(self) -> None:
        """A node is gone, by a word or by silence."""
        node = self.chance.choice(list(FLEET))
        if self.chance.random() < 0.5:
            self.send(nodes.remove_node(node))
        else:
            keys = self.world.keys
            for lease in self.world.raw.zrange(keys.fixed("leases"), 0, -1):
                if lease.decode().startswith(f"{node}/"):
                    self.world.raw.zadd(keys.fixed("leases"), {lease: 1})
            self.send(coordination.rescue(self.world.elect()))
        self.running = [each for each in self.running if each.slot.node != node]
        self.beat()

    def change_machine(self) -> None:
        """Its workers came again with more or less; what runs there keeps what it reserves."""
        host = self.chance.choice(list(self.totals))
        self.totals[host] = self.chance.choice(TOTALS)
        self.beat()

    def share(self) -> None:
        agent = self.chance.choice(list(self.shares))
        self.shares[agent] = self.chance.choice([{}, {"cpu": 1}, {"cpu": 0.5, "gpu": 0.5}])
        (capability,) = (name for name, by in AGENTS.items() if by == agent)
        record = AgentRecord(
            id=agent, type="function", capabilities={capability}, resources=self.shares[agent], description=str(self.at)
        )
        known = self.world.run(agents.read([agent])).agents.get(agent)
        assert self.send(agents.register(record, known.record.revision if known else 0)).ok

    def sweep(self) -> None:
        self.send(coordination.grant(self.world.elect(), list(AGENTS)))

    def look_after(self) -> None:
        answer = self.send(hosts.look_after(self.world.elect(), 0))
        assert answer.number(1) == 0, "a reservation that nobody holds"
        type(self).seen["hosts kept"] += answer.number()

    # -- looking

    def compare(self) -> None:
        """What is reserved is what the model says."""
        for host in self.totals:
            stored = {eid: from_words(words) for eid, words in self.world.fields("reserved", host).items()}
            expected = {e.told.execution_id: e.reserves for e in self.running if e.host == host and e.reserves}
            assert stored == expected, host


#: Reports: disposition and kind of error.
ENDS = [
    ("completed", ""), ("completed", ""), ("retry", "crash"), ("failed", "crash"), ("not_now", "not_now"),
    ("agent_not_now", "not_now"),
]  # fmt: skip
#: What may happen, and how often.
ACTIONS = {
    "create": 8, "claim": 20, "report": 14, "time_out": 1, "hand_back": 2, "cancel": 1, "cancel_waiting": 2,
    "detach": 1, "lose": 1, "change_machine": 1, "share": 1, "sweep": 4, "look_after": 5, "beat": 1, "resume": 3,
}  # fmt: skip
