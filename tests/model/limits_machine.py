"""Starts, ends, losses, copies, other bounds, other limits and the passing of time, in any order, beside a model of
what limits promise: no start over a bound, no refusal below it, and never something held by what is over.

The model says again what ``parts/limit.lua`` computes, from what it saw start and end. Where a moment lies between two
looks at the clock it says nothing.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from taskengine.models.agent import AgentRecord, Limit
from taskengine.store import agents, coordination, executions, limits, nodes, pauses, tasks
from taskengine.store.call import Call
from taskengine.store.executions import Report, Slot
from taskengine.store.invariants import check_invariants
from taskengine.store.replies import Assignment

from ..store.world import World

PICK = st.integers(0, 2**20)
#: How far ahead of the clock a bucket may be, and what one unit a minute moves it, in µs.
AHEAD, EACH = 20_000_000 / 3, 200_000_000 / 3
BUCKETS = {"requests_per_minute": "rt", "input_tokens_per_minute": "it", "output_tokens_per_minute": "ot"}
#: Agent -> its node, the queues of that, and what else it says of itself.
FLEET = {
    "lint": ("n1", "lint=lint @lint=lint", "claude"),
    "tester": ("n2", "test=tester @tester=tester", "function"),
}
QUEUES = {"lint": "lint", "tester": "test"}
NAMES = ("key", "other")
Costs = tuple[int, int, int]


@dataclass
class Model:
    """A limit as it should be."""

    bounds: dict[str, int] = field(default_factory=dict)
    #: Bucket -> µs, as it is stored.
    at: dict[str, float] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    reserved: int = 0
    spent: int = 0
    means: tuple[int, int] | None = None
    until: float = 0
    #: Of a breaker.
    breaks: bool = False
    failures: int = 0
    opened: int = 0
    probe: str = ""

    def costs(self) -> Costs:
        return (1, *(self.means or (500, 500)))

    @property
    def is_metered(self) -> bool:
        return bool(self.bounds.keys() & {*BUCKETS, "tokens_per_day"})

    def has_room(self, before: float, after: float) -> bool | None:
        """None where it depends on the moment between these two, in ms."""
        says: list[bool | None] = [_over(self.until, before, after)]
        if self.opened and self.probe:
            says.append(False)
        if (most := self.bounds.get("in_flight")) is not None:
            says.append(len(self.running) < most)
        for bound, bucket in BUCKETS.items():
            if bound in self.bounds:
                says.append(_over((self.at.get(bucket, 0) - AHEAD) / 1000, before, after))
        if (cap := self.bounds.get("tokens_per_day")) is not None:
            says.append(self.spent + self.reserved < cap)
        return False if False in says else None if None in says else True

    def charge(self, costs: tuple[float, ...], now: float) -> None:
        for (bound, bucket), cost in zip(BUCKETS.items(), costs, strict=True):
            if bound in self.bounds and cost:
                at = max(self.at.get(bucket, 0), now * 1000) + cost * EACH / self.bounds[bound]
                self.at[bucket] = min(at, now * 1000 + EACH)

    def close_breaker(self) -> None:
        if self.opened:
            self.opened, self.until, self.probe = 0, 0, ""
        self.failures = 0


def _over(moment: float, before: float, after: float) -> bool | None:
    """Whether a moment is over, None where it lies between two looks, or a little beside them."""
    return True if moment < before - 2 else False if moment > after + 2 else None


@dataclass
class Running:
    """An execution that a slot was told to run."""

    told: Assignment
    slot: Slot
    agent: str
    #: What it holds: limit -> costs, or None where nothing is metered.
    hold: dict[str, Costs | None]
    permits: int = 0


class LimitsMachine(RuleBasedStateMachine):
    """One story."""

    new_world: ClassVar[Callable[[], World]]
    steps_done: ClassVar[int] = 0
    seen: ClassVar[Counter[str]]
    volume: ClassVar[int] = 0

    @initialize(story=st.integers(0, 2**62))
    def begin(self, story: int) -> None:
        self.story, self.at = story, 0
        self.world = type(self).new_world()
        self.limits = {name: Model() for name in (*NAMES, *(f"agent:{agent}" for agent in FLEET))}
        self.shares: dict[str, list[str]] = {agent: [] for agent in FLEET}
        self.running: list[Running] = []
        self.chance = random.Random(0)
        self.slots = 0
        for name in NAMES:
            self.set_limit(name)
        for agent in FLEET:
            self.register(agent)
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
        """Everything ends, and nothing is held."""
        for each in list(self.running):
            self.world.run(executions.hand_back([(each.told.execution_id, each.told.attempt)], "the end"))
            self.ended(each, None)
        self.compare()
        for name, model in self.limits.items():
            assert (model.running, model.reserved) == (set(), 0), name
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

    def now(self) -> float:
        return float(self.world.run(coordination.server_ms()))

    # -- what happens

    def create(self) -> None:
        for _ in range(self.chance.randrange(1, 5)):
            self.world.new(capability=self.chance.choice(list(QUEUES.values())))

    def beat(self) -> None:
        for agent, (node, queues, _) in FLEET.items():
            live = [each.slot for each in self.running if each.agent == agent]
            self.world.beat(node, slots=6, queues=queues, live=live)

    def claim(self) -> None:
        self.claim_for(self.chance.choice(list(FLEET)))

    def claim_for(self, agent: str) -> None:
        node, queues, _ = FLEET[agent]
        granted = [eid for eid in self.world.granted() if self.queue_of(eid) == QUEUES[agent]]
        waits = bool(granted or self.world.ready(QUEUES[agent]))
        self.slots += 1
        slot = self.world.slot(f"s{self.slots}", node, queues)
        eid = granted[0] if granted else "none"
        token = int(self.world.fields("exec", eid)["att"]) if granted else 1
        before = self.now()
        answer = self.send(executions.claim(slot, f"r{self.slots}", eid, token))
        after = self.now()
        if answer.word == "refused":
            return
        room = self.room(agent, before, after)
        if answer.batch:
            self.started(agent, slot, answer.batch[0], room, after)
        else:
            assert room is not True or not waits, f"{agent} has room, something waits, and its slot got nothing"
            type(self).seen["refused for want of room"] += waits

    def queue_of(self, eid: str) -> str:
        return self.world.fields("task", self.world.fields("exec", eid)["task"])["queue"]

    def room(self, agent: str, before: float, after: float) -> bool | None:
        says = [self.limits[name].has_room(before, after) for name in self.names(agent)]
        return False if False in says else None if None in says else True

    def names(self, agent: str) -> list[str]:
        own = self.limits[f"agent:{agent}"]
        return [*([f"agent:{agent}"] if own.bounds or own.breaks else []), *self.shares[agent]]

    def started(self, agent: str, slot: Slot, told: Assignment, room: bool | None, now: float) -> None:
        assert room is not False, f"{agent} started something although its limits have no room"
        type(self).seen["starts"] += 1
        hold: dict[str, Costs | None] = {}
        for name in self.names(agent):
            model = self.limits[name]
            model.running.add(told.execution_id)
            hold[name] = costs = model.costs() if model.is_metered else None
            if costs:
                model.charge(costs, now)
                model.reserved += costs[1] + costs[2]
            if model.opened:
                model.probe = told.execution_id
                type(self).seen["probes"] += 1
        self.running.append(Running(told, slot, agent, hold))

    def some(self) -> Running | None:
        return self.chance.choice(self.running) if self.running else None

    def storm(self) -> None:
        """The service of an agent is away."""
        for _ in range(7):
            self.world.new(capability=QUEUES["lint"])
            self.claim_for("lint")
            if running := [each for each in self.running if each.agent == "lint"]:
                self.end(running[-1], "retry", "network", "")
        if self.chance.random() < 0.5:  # until its breaker is half open
            for _ in range(5):
                self.let_pass(7)
            self.world.new(capability=QUEUES["lint"])
            self.claim_for("lint")

    def report(self) -> None:
        if each := self.some():
            self.end(each, *self.chance.choices(list(ENDS), list(ENDS.values()))[0])

    def end(self, each: Running, word: str, kind: str, used: str) -> None:
        chance = self.chance
        requests = max((costs[0] for costs in each.hold.values() if costs), default=1)
        costs = (requests, chance.choice([0, 100, 3000]), chance.choice([0, 50, 2000])) if used else None
        pull, ms = chance.random() < 0.6, chance.choice([5_000, 20_000])
        done = Report(
            each.told.task_id, each.told.attempt, word, each.agent, error="x" if kind else "", error_kind=kind,
            retry_ms=ms, more=json.dumps({"used": " ".join(map(str, costs))}) if costs else "",
        )  # fmt: skip
        answer = self.send(executions.report(each.slot, [done], pull=pull))
        after = self.now()
        if answer.outcomes != ("ok",):
            return
        type(self).seen[f"report {word} {kind}"] += 1
        if word.endswith("not_now"):
            costs = costs or (1, 0, 0)
        was_probe = self.ended(each, costs, after)
        self.judge(each.agent, kind, was_probe, after)
        if word == "credential_not_now" and each.hold and self.names(each.agent):
            shared = self.shares[each.agent] or [f"agent:{each.agent}"]
            for name in shared:
                if not (name.startswith("agent:") and self.limits[name].opened):
                    self.limits[name].until = max(self.limits[name].until, after + ms)
        elif word == "credential_not_now":
            self.world.run(_resume(each.agent))
            self.limits[f"agent:{each.agent}"].close_breaker()
        for told in answer.batch:
            # What it gave back was there for itself.
            self.started(each.agent, each.slot, told, self.room(each.agent, after - 1000, after), after)

    def ended(self, each: Running, used: Costs | None, now: float = 0) -> bool:
        """Whether a breaker had let it through."""
        self.running.remove(each)
        was_probe = False
        for name, held in each.hold.items():
            model = self.limits[name]
            model.running.discard(each.told.execution_id)
            if model.probe == each.told.execution_id:
                model.probe, was_probe = "", True
            if held is None:
                continue
            model.reserved -= held[1] + held[2]
            if used:
                model.charge(tuple(a - b for a, b in zip(used, held, strict=True)), now)
                if used[1] + used[2]:
                    old = model.means
                    fresh = (math.ceil(o + (u - o) / 8) for o, u in zip(old or used[1:], used[1:], strict=True))
                    model.means = tuple(fresh)  # type: ignore[assignment]  # two of them
            model.spent += (used[1] + used[2]) if used else held[1] + held[2]
        return was_probe

    def judge(self, agent: str, kind: str, was_probe: bool, now: float) -> None:
        own = self.limits[f"agent:{agent}"]
        if not own.breaks or kind == "not_now":
            return
        if kind == "auth":
            own.opened, own.until = own.opened + 1, now + 600_000
        elif kind not in {"crash", "network", "timeout"}:
            own.close_breaker()
        else:
            own.failures += 1
            if (own.opened and was_probe) or (not own.opened and own.failures >= 5):
                own.until, own.opened = now + min(600_000, 30_000 * 2**own.opened), own.opened + 1
                type(self).seen["opened by a row"] += 1

    def time_out(self) -> None:
        if each := self.some():
            call = executions.time_out(each.told.execution_id, each.told.attempt, retry_ms=5_000, error="long")
            if self.send(call).ok:
                self.judge(each.agent, "timeout", self.ended(each, None), self.now())

    def hand_back(self) -> None:
        if each := self.some():
            (answer,) = self.send(executions.hand_back([(each.told.execution_id, each.told.attempt)], "drain"))
            if answer.ok:
                self.ended(each, None)

    def cancel(self) -> None:
        if each := self.some():
            self.send(next(tasks.cancel(each.told.task_id, "no")))
            if self.send(executions.end_cancelled(each.told.execution_id, each.told.attempt)).ok:
                self.ended(each, None)

    def lose(self) -> None:
        """A node is gone, by a word or by silence."""
        agent = self.chance.choice(list(FLEET))
        node = FLEET[agent][0]
        if self.chance.random() < 0.5:
            self.send(nodes.remove_node(node))
        else:
            keys = self.world.keys
            for lease in self.world.raw.zrange(keys.fixed("leases"), 0, -1):
                if lease.decode().startswith(f"{node}/"):
                    self.world.raw.zadd(keys.fixed("leases"), {lease: 1})
            self.send(coordination.rescue(self.world.elect()))
        for each in [each for each in self.running if each.agent == agent]:
            self.ended(each, None)
        self.beat()

    def permit(self) -> None:
        each = self.some()
        if each is None:
            return
        each.permits += 1
        costs = (1, self.chance.choice([0, 200]), 0)
        before = self.now()
        answer = self.send(limits.permit(each.told.execution_id, each.told.attempt, each.permits, costs))
        after = self.now()
        if answer.word == "later":
            type(self).seen["permits refused"] += 1
            assert self.may_at(each, costs) > before + 30_000 - 2
            return
        assert self.may_at(each, costs) < after + 30_000 + 2
        type(self).seen["permits"] += 1
        for name, held in each.hold.items():
            if held is not None:
                self.limits[name].charge(costs, after)
                self.limits[name].reserved += costs[1] + costs[2]
                each.hold[name] = (held[0] + 1, held[1] + costs[1], held[2] + costs[2])

    def may_at(self, each: Running, costs: Costs) -> float:
        found = 0.0
        for name, held in each.hold.items():
            model = self.limits[name]
            found = max(found, 0 if model.opened else model.until)
            for (bound, bucket), cost in zip(BUCKETS.items(), costs, strict=True):
                if held is not None and bound in model.bounds and cost:
                    found = max(found, (model.at.get(bucket, 0) - AHEAD) / 1000)
        return found

    def observe(self) -> None:
        agent, left = self.chance.choice(list(FLEET)), self.chance.choice([0, 1, 50])
        self.send(limits.observe(agent, left, None, None))
        for name in self.names(agent):
            model = self.limits[name]
            if rate := model.bounds.get("requests_per_minute"):
                at = self.now() * 1000 + min(EACH, AHEAD + (1 - left) * EACH / rate)
                model.at["rt"] = max(model.at.get("rt", 0), at)

    def bound(self) -> None:
        self.set_limit(self.chance.choice(NAMES))

    def set_limit(self, name: str) -> None:
        chance, model = self.chance, self.limits[name]
        model.bounds = {"in_flight": chance.choice([1, 2, 4])}
        for bound, rates in (
            ("requests_per_minute", [1, 6, 60]), ("input_tokens_per_minute", [1000, 20_000]),
            ("output_tokens_per_minute", [3000]), ("tokens_per_day", [4000, 50_000]),
        ):  # fmt: skip
            if chance.random() < 0.4:
                model.bounds[bound] = chance.choice(rates)
        assert self.send(limits.put(Limit(name=name, **model.bounds))).ok

    def share(self) -> None:
        self.register(self.chance.choice(list(FLEET)))

    def register(self, agent: str) -> None:
        chance, own = self.chance, self.limits[f"agent:{agent}"]
        own.breaks = FLEET[agent][2] != "function"
        most = chance.choice([None, None, 1, 3])
        self.shares[agent] = [name for name in NAMES if chance.random() < 0.6]
        record = AgentRecord(
            id=agent, type=FLEET[agent][2], capabilities={QUEUES[agent]}, max_concurrency=most,
            limits=tuple(self.shares[agent]), description=str(self.at),
        )  # fmt: skip
        known = self.world.run(agents.read([agent])).agents.get(agent)
        revision = known.record.revision if known else 0
        assert self.send(agents.register(record, revision)).ok
        own.bounds = {} if most is None else {"in_flight": most}
        own.close_breaker()
        if not (own.bounds or own.breaks):
            own.until = 0

    def resume(self) -> None:
        agent = self.chance.choice(list(FLEET))
        self.world.run(_resume(agent))
        self.limits[f"agent:{agent}"].close_breaker()

    def age(self) -> None:
        """Time passes, less than a lease."""
        self.let_pass(self.chance.choice([1, 4, 7]))

    def let_pass(self, seconds: int) -> None:
        self.world.age(seconds)
        for model in self.limits.values():
            model.until -= 1000 * seconds
            model.at = {bucket: at - 1_000_000 * seconds for bucket, at in model.at.items()}
        self.beat()

    def sleep(self) -> None:
        for _ in range(self.chance.randrange(1, 10)):
            self.age()

    def next_day(self) -> None:
        for name, model in self.limits.items():
            if self.world.raw.hexists(self.world.keys.of("limit", name), "day"):
                self.world.raw.hincrby(self.world.keys.of("limit", name), "day", -1)
            model.spent = 0

    def fire(self) -> None:
        self.world.elect()
        self.world.run(coordination.fire_timers(self.world.term))

    # -- looking

    def compare(self) -> None:
        """What is stored is what the model says; its clocks are the stored ones from here on."""
        for name, model in self.limits.items():
            fields = self.world.fields("limit", name)
            flight = {m.decode() for m in self.world.raw.smembers(self.world.keys.of("flight", name))}
            assert flight == model.running, name
            assert int(fields.get("rs", 0)) == model.reserved, name
            assert fields.get("pr", "") == model.probe, name
            assert (int(fields.get("bo", 0)), int(fields.get("bf", 0))) == (model.opened, model.failures), name
            spent = int(fields.get("dt", 0)) if int(fields.get("day", 0)) == int(self.now() // 86_400_000) else 0
            assert spent == model.spent, name
            for bucket in BUCKETS.values():
                stored = int(fields.get(bucket, 0))
                is_past = max(stored, model.at.get(bucket, 0)) < self.now() * 1000
                assert is_past or abs(stored - model.at.get(bucket, 0)) < 2_000_000, (name, bucket)
                model.at[bucket] = stored
            stored_until = int(fields.get("until", 0))
            assert abs(stored_until - model.until) < 2_000 or max(stored_until, model.until) < self.now(), name
            model.until = stored_until


def _resume(agent: str) -> Call[Any]:
    return pauses.resume(f"agent:{agent}", "ann")


#: Reports: disposition, kind of error, whether it says what it used; and how often.
ENDS = {
    ("completed", "", "counted"): 6, ("completed", "", ""): 2, ("retry", "network", ""): 4,
    ("failed", "crash", "counted"): 2, ("failed", "invalid_output", ""): 1, ("failed", "auth", ""): 1,
    ("not_now", "not_now", ""): 2, ("credential_not_now", "not_now", ""): 2,
}  # fmt: skip
#: What may happen, and how often.
ACTIONS = {
    "create": 6, "claim": 20, "report": 14, "time_out": 2, "hand_back": 2, "cancel": 1, "lose": 1, "permit": 4,
    "observe": 1, "bound": 2, "share": 2, "resume": 1, "age": 5, "next_day": 1, "fire": 2, "beat": 1,
    "storm": 2, "sleep": 2,
}  # fmt: skip
