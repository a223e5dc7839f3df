"""The deep check finds each fault that it claims to find, names the offending id, and is silent otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskengine.agents import Reference
from taskengine.models import Task, TriggerRule
from taskengine.models.agent import AgentRecord, Limit
from taskengine.store import agents, coordination, limits, remote, tasks
from taskengine.store.invariants import RULES, Violation, check_at_rest, check_invariants
from taskengine.store.keys import RULED
from taskengine.store.step_rules import STEP_RULES

from .world import World, eid


@dataclass
class Scene:
    """A world in which every kind of thing is there once, and all is well."""

    world: World
    tasks: dict[str, Task]
    run: str

    def id(self, name: str) -> str:
        return str(self.tasks[name].id)

    def key(self, name: str) -> str:
        return self.world.keys.of("task", self.id(name))

    def member(self, name: str) -> str:
        return f"{int(self.world.fields('task', self.id(name))['no']):012d}{self.id(name)}"

    def set(self, name: str, **fields: Any) -> str:
        self.world.raw.hset(self.key(name), mapping=fields)
        return self.id(name)

    def execution(self, name: str, attempt: int = 1) -> str:
        return eid(self.tasks[name], attempt)

    def set_execution(self, name: str, **fields: Any) -> str:
        self.world.raw.hset(self.world.keys.of("exec", self.execution(name)), mapping=fields)
        return self.execution(name)


@pytest.fixture
def scene(real: World) -> Scene:
    world = real
    world.beat(slots=0)
    t: dict[str, Task] = {}
    far = datetime.now(UTC) + timedelta(hours=1)

    def make(name: str, *on: str, **fields: Any) -> Task:
        t[name] = world.task(name, *(t[d] for d in on), **fields)
        return t[name]

    run = world.submit(make("done"), make("after", "done", idempotency_key="k"))
    world.finish(t["done"], t["after"])
    world.submit(make("failed"), make("closed", "failed"))
    world.finish(t["failed"], disposition="failed")
    world.think()
    world.submit(make("retrying"))
    world.report(world.start(), disposition="retry", error="boom", retry_ms=3_600_000)
    world.submit(make("running"))
    world.start()
    world.submit(make("granted"))
    world.beat(slots=2, live=[world.slot()])
    world.run(coordination.grant(world.elect(), ["lint"]))
    world.beat(slots=0, live=[world.slot()])
    world.submit(
        make("ready"), make("parked", assigned_to="nobody"), make("pending", "running", "ready"),
        make("later", scheduled_at=far), make("held", hold=True, deadline=far), make("foreign", "done", "running"),
    )  # fmt: skip
    world.staged(make("staged", "running"))
    states = {name: world.status(task.id) for name, task in t.items()}
    assert states == {
        "done": "completed", "after": "completed", "failed": "failed", "closed": "cancelled",
        "retrying": "retrying", "running": "running", "granted": "ready", "ready": "ready", "parked": "ready",
        "pending": "pending", "later": "pending", "held": "pending", "foreign": "pending", "staged": "",
    }  # fmt: skip
    assert world.granted() == [eid(t["granted"])]
    assert world.run(check_invariants(world.keys)) == []
    return Scene(world, t, run)


def test_everything_at_once_is_no_violation(scene: Scene) -> None:
    assert scene.world.run(check_invariants(scene.world.keys)) == []


Plant = Callable[[Scene], str]
PLANTS: dict[str, list[Plant]] = {kind: [] for kind in RULES if kind not in STEP_RULES}


def plants(kind: str) -> Callable[[Plant], Plant]:
    """Registers a fault that must be found as *kind*; the function answers the id that must be named."""

    def register(plant: Plant) -> Plant:
        PLANTS[kind].append(plant)
        return plant

    return register


@plants("counters")
def waits_for_too_much(s: Scene) -> str:
    return s.set("pending", w=3)


@plants("counters")
def forgot_a_failure(s: Scene) -> str:
    return s.set("closed", f=0)


@plants("counters")
def took_a_failure_before_for_a_skip(s: Scene) -> str:
    child = s.world.new("child", s.tasks["closed"], s.world.new("gate", hold=True), trigger_rule=TriggerRule.ALL_DONE)
    assert s.world.fields("task", child.id)["f"] == "1"
    s.world.raw.hdel(s.key("closed"), "fb")
    return str(child.id)


@plants("before")
def failed_before_and_runs(s: Scene) -> str:
    return s.set("running", fb=1)


@plants("before")
def failed_before_and_nobody_closed_it(s: Scene) -> str:
    s.world.run(tasks.cancel(s.id("held"), "no"))
    return s.set("held", fb=1)


@plants("place")
def ready_and_nowhere(s: Scene) -> str:
    s.world.raw.zrem(s.world.keys.of("ready", "lint"), s.member("ready"))
    return s.id("ready")


@plants("place")
def pending_and_ready(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.of("ready", "lint"), {s.member("pending"): 1})
    return s.id("pending")


@plants("place")
def at_another_score(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.of("ready", "lint"), {s.member("ready"): 1})
    return s.id("ready")


@plants("place")
def parked_in_name_only(s: Scene) -> str:
    s.world.raw.zrem(s.world.keys.of("park", "offer:nobody"), s.member("parked"))
    return s.id("parked")


@plants("execution")
def runs_without_an_execution(s: Scene) -> str:
    s.world.raw.delete(s.world.keys.of("exec", s.execution("running")))
    return s.id("running")


@plants("execution")
def runs_before_it_is_claimed(s: Scene) -> str:
    s.set_execution("granted", st="running")
    return s.id("granted")


@plants("execution")
def execution_of_another_task(s: Scene) -> str:
    s.set_execution("done", task=s.id("after"))
    return s.id("done")


@plants("execution")
def queued_without_a_grant(s: Scene) -> str:
    s.world.raw.hdel(s.key("granted"), "g")
    return s.id("granted")


@plants("outcome")
def completed_without_an_outcome(s: Scene) -> str:
    s.set_execution("done", st="failed")
    return s.id("done")


@plants("outcome")
def accepted_twice(s: Scene) -> str:
    s.world.raw.hset(
        s.world.keys.of("exec", eid(s.tasks["done"], 2)), mapping={"st": "completed", "task": s.id("done"), "att": 2}
    )
    return s.set("done", att=2)


@plants("outcome")
def accepted_and_failed(s: Scene) -> str:
    s.set_execution("failed", st="completed")
    return s.id("failed")


@plants("lease")
def runs_without_a_lease(s: Scene) -> str:
    s.world.raw.zrem(s.world.keys.fixed("leases"), "n1/s1")
    return s.execution("running")


def detached(s: Scene) -> str:
    """The running task, as one whose work goes on at a service."""
    execution = s.execution("running")
    posted = Reference("codegen", "posted", "17")
    told = remote.detach(s.world.slot(), execution, 1, posted, poll_ms=5000, taken_up=False, pull=False)
    assert s.world.run(told).word == "ok"
    assert s.world.run(check_invariants(s.world.keys)) == []
    return execution


@plants("remote")
def detached_and_nobody_polls(s: Scene) -> str:
    execution = detached(s)
    s.world.raw.zrem(s.world.keys.of("remote", "lint"), execution)
    return execution


@plants("remote")
def detached_and_nobody_watches_its_time(s: Scene) -> str:
    execution = detached(s)
    s.world.raw.zrem(s.world.keys.fixed("overdue"), execution)
    return execution


@plants("remote")
def detached_and_nobody_knows_where(s: Scene) -> str:
    execution = detached(s)
    s.world.raw.hdel(s.world.keys.of("exec", execution), "ref")
    return execution


@plants("slot")
def detached_and_held_by_nobody(s: Scene) -> str:
    execution = detached(s)
    s.world.raw.hdel(s.world.keys.of("slots", "~"), execution)
    return execution


@plants("stray")
def polled_after_its_end(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.of("remote", "lint"), {s.execution("done"): 1})
    return s.execution("done")


@plants("stray")
def watched_after_its_end(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("overdue"), {s.execution("done"): 1})
    return s.execution("done")


@plants("stray")
def to_be_ended_although_it_runs(s: Scene) -> str:
    s.world.raw.hset(s.world.keys.of("orphans", "lint"), s.execution("running"), "{}")
    return s.execution("running")


@plants("slot")
def slot_is_empty(s: Scene) -> str:
    s.world.raw.hdel(s.world.keys.of("slots", "n1"), "s1")
    return s.execution("running")


@plants("deadline")
def deadline_that_nobody_watches(s: Scene) -> str:
    s.world.raw.zrem(s.world.keys.fixed("deadlines"), s.id("held"))
    return s.id("held")


@plants("deadline")
def deadline_watched_although_it_is_at_risk(s: Scene) -> str:
    return s.set("held", risk=1)


@plants("stray")
def watched_without_a_deadline(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("deadlines"), {s.id("done"): 1})
    return s.id("done")


@plants("slot")
def slot_holds_another(s: Scene) -> str:
    s.world.raw.hset(s.world.keys.of("slots", "n1"), "s1", f"{s.execution('done')}|m|1|0")
    return s.execution("running")


@plants("grant")
def granted_without_a_deadline(s: Scene) -> str:
    s.world.raw.zrem(s.world.keys.fixed("granted_all"), s.execution("granted"))
    return s.execution("granted")


@plants("grant")
def granted_outside_its_queue(s: Scene) -> str:
    s.world.raw.srem(s.world.keys.of("granted", "lint"), s.execution("granted"))
    return s.execution("granted")


@plants("timer")
def retries_never(s: Scene) -> str:
    s.world.raw.zrem(s.world.keys.fixed("timers"), f"retry:{s.id('retrying')}")
    return s.id("retrying")


@plants("timer")
def comes_never(s: Scene) -> str:
    s.world.raw.zrem(s.world.keys.fixed("timers"), f"schedule:{s.id('later')}")
    return s.id("later")


@plants("timer")
def retries_what_is_ready(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("timers"), {f"retry:{s.id('ready')}": 1})
    return s.id("ready")


@plants("timer")
def would_never_expire(s: Scene) -> str:
    task = s.world.new("expires", hold=True, expires_at=datetime.now(UTC) + timedelta(hours=1))
    s.world.raw.zrem(s.world.keys.fixed("timers"), f"expire:{task.id}")
    return str(task.id)


@plants("timer")
def waits_for_a_worker_for_ever(s: Scene) -> str:
    task = s.world.new("queued", assigned_to="nobody", queue_timeout=60)
    s.world.raw.zrem(s.world.keys.fixed("timers"), f"queue:{task.id}")
    return str(task.id)


@plants("timer")
def counts_no_total(s: Scene) -> str:
    s.world.raw.hset(s.key("running"), "tend", "99999999999999")
    return s.id("running")


@plants("stuck")
def waits_for_nothing(s: Scene) -> str:
    s.world.raw.hdel(s.key("held"), "hold")
    return s.id("held")


@plants("stuck")
def nobody_was_asked(s: Scene) -> str:
    world = s.world
    parent, child = world.task("parent"), world.task("child")
    child.depends_on = {parent.id}
    world.submit(parent, child)
    world.run(tasks.cancel(str(parent.id), "no"))
    assert world.run(check_invariants(world.keys)) == [], "the coordinator was asked"
    world.raw.delete(world.keys.fixed("decisions"))
    return str(child.id)


@plants("stuck")
def nobody_was_asked_about_a_rule(s: Scene) -> str:
    world = s.world
    parent = world.new("parent", hold=True)
    child = world.new("child", parent, trigger_rule=TriggerRule.ALWAYS)
    assert world.run(check_invariants(world.keys)) == [], "the coordinator was asked"
    world.raw.delete(world.keys.fixed("decisions"))
    return str(child.id)


@plants("counters")
def a_rule_without_its_mark(s: Scene) -> str:
    child = s.world.new("child", s.world.new("parent", hold=True), trigger_rule=TriggerRule.ALL_DONE)
    s.world.raw.hincrby(s.world.keys.of("task", child.id), "w", RULED)
    return str(child.id)


@plants("lost")
def dependency_was_deleted(s: Scene) -> str:
    s.world.raw.delete(s.key("done"))
    return s.id("foreign")


@plants("lost")
def dependency_is_being_deleted(s: Scene) -> str:
    s.set("done", **{"del": 0})
    return s.id("foreign")


@plants("lost")
def dependency_of_many_was_deleted(s: Scene) -> str:
    many = [s.world.task(f"m{n}") for n in range(300)]
    last = s.world.task("last", *many)
    s.world.submit(*many)
    s.world.submit(last)
    s.world.raw.delete(s.world.keys.of("task", max(many, key=lambda task: str(task.id)).id))
    return str(last.id)


@plants("early")
def started_before_its_dependency_ended(s: Scene) -> str:
    s.set("done", fin=int(s.world.fields("task", s.id("done"))["fin"]) + 3_600_000)
    return s.id("after")


@plants("early")
def runs_beside_its_dependency(s: Scene) -> str:
    s.world.raw.hset(s.key("running"), "on", s.id("ready"))
    return s.id("running")


@plants("index")
def listed_under_another_status(s: Scene) -> str:
    no = int(s.world.fields("task", s.id("ready"))["no"])
    s.world.raw.execute_command("BITFIELD", s.world.keys.of("codes", 0), "SET", "u4", f"#{no}", 5)
    return s.id("ready")


@plants("index")
def another_at_its_arrival(s: Scene) -> str:
    no = int(s.world.fields("task", s.id("ready"))["no"])
    s.world.raw.setrange(s.world.keys.of("ids", 0), no * 16, b"x" * 16)
    return s.id("ready")


@plants("index")
def not_found_by_a_filter(s: Scene) -> str:
    no = int(s.world.fields("task", s.id("ready"))["no"])
    s.world.raw.setbit(s.world.keys.of("bits", "b:ann:0"), no, 0)
    return s.id("ready")


@plants("index")
def found_by_a_filter_that_is_not_its(s: Scene) -> str:
    no = int(s.world.fields("task", s.id("ready"))["no"])
    s.world.raw.setbit(s.world.keys.of("bits", "p:5:0"), no, 1)
    return "p:5:0"


@plants("key")
def key_names_another(s: Scene) -> str:
    [name] = [n for n in s.world.key_names() if n.startswith(s.world.keys.of("idem", ""))]
    s.world.raw.set(name, s.id("done"))
    return s.id("after")


@plants("key")
def key_is_gone(s: Scene) -> str:
    [name] = [n for n in s.world.key_names() if n.startswith(s.world.keys.of("idem", ""))]
    s.world.raw.delete(name)
    return s.id("after")


def paused_behind_its_back(s: Scene, scope: str) -> str:
    """A pause of which the open queues hear nothing."""
    s.world.raw.hset(s.world.keys.fixed("pauses"), scope, '1 {"by":"ann","until":null,"why":null}')
    return s.world.keys.fixed("open_queues")


@plants("pause")
def open_queue_of_a_paused_capability(s: Scene) -> str:
    return paused_behind_its_back(s, "cap:lint")


@plants("pause")
def queue_that_nobody_looks_into(s: Scene) -> str:
    s.world.raw.srem(s.world.keys.fixed("open_queues"), "lint")
    return s.world.keys.fixed("open_queues")


@plants("pause")
def paused_agent_that_the_queues_do_not_know(s: Scene) -> str:
    return paused_behind_its_back(s, "agent:ann")


@plants("pause")
def mark_of_no_pause(s: Scene) -> str:
    s.world.raw.sadd(s.world.keys.fixed("open_queues"), "!")
    return s.world.keys.fixed("open_queues")


@plants("pause")
def paused_run_that_the_queues_do_not_know(s: Scene) -> str:
    return paused_behind_its_back(s, "run:r")


@plants("pause")
def end_of_no_pause(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("timers"), {"resume:cap:lint": 1})
    return "cap:lint"


@plants("pause")
def timer_that_stands_and_nobody_knows(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.of("suspended", "all"), {f"schedule:{s.id('later')}": 1})
    return "all"


@plants("artifact")
def bytes_that_nobody_finds(s: Scene) -> str:
    s.world.raw.hset(s.world.keys.of("artifact_bodies", s.execution("done")), "a", "x")
    return s.execution("done")


@plants("artifact")
def artifact_without_bytes(s: Scene) -> str:
    s.world.raw.hset(s.world.keys.of("artifacts", s.execution("done")), "a", "1 1 1 0 file x")
    return s.execution("done")


@plants("orphan")
def artifacts_of_no_execution(s: Scene) -> str:
    for kind in ("artifacts", "artifact_bodies"):
        s.world.raw.hset(s.world.keys.of(kind, "nobody"), "a", "x")
    return s.world.keys.of("artifacts", "nobody")


@plants("kept")
def asks_while_it_runs(s: Scene) -> str:
    return s.set("running", ask='1 {"id":"q","text":"why?"}', xx=1)


@plants("kept")
def completed_and_leaves_a_reference(s: Scene) -> str:
    return s.set("done", ref="1 {}", xx=1)


@plants("kept")
def leaves_what_nobody_is_told(s: Scene) -> str:
    return s.set("retrying", ref="1 {}")


@plants("letter")
def dead_letter_that_completed(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("dead"), {s.id("done"): 1})
    return s.id("done")


@plants("cursor")
def cursor_that_nobody_follows(s: Scene) -> str:
    return s.set("failed", rel=1, how="f")


@plants("cursor")
def release_without_a_cursor(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("releases"), {s.id("failed"): 1})
    return s.id("failed")


@plants("cursor")
def deletion_that_nobody_ends(s: Scene) -> str:
    return s.set("failed", **{"del": 0, "ix": "t:lint"})


@plants("stray")
def deletion_of_an_open_task(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("erasing"), {s.id("ready"): 1})
    return s.id("ready")


@plants("stray")
def ready_member_of_no_task(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.of("ready", "lint"), {"0" * 12 + "nobody": 1})
    return "0" * 12 + "nobody"


@plants("stray")
def ready_in_another_queue(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.of("ready", "test"), {s.member("ready"): 1})
    s.world.raw.sadd(s.world.keys.fixed("queues"), "test")
    return s.member("ready")


@plants("stray")
def parked_without_a_reason(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.of("park", "offer:nobody"), {s.member("ready"): 1})
    return s.member("ready")


@plants("stray")
def granted_execution_of_nobody(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("granted_all"), {"nobody": 1})
    return "nobody"


@plants("stray")
def granted_in_another_queue(s: Scene) -> str:
    s.world.raw.sadd(s.world.keys.of("granted", "test"), s.execution("granted"))
    return s.execution("granted")


@plants("stray")
def lease_of_nobody(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("leases"), {"n1/nobody": 1})
    return "n1/nobody"


@plants("stray")
def slot_that_holds_nobody(s: Scene) -> str:
    s.world.raw.hset(s.world.keys.of("slots", "n1"), "s9", "nobody|m|1|0")
    return "s9"


@plants("stray")
def timer_of_nobody(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("timers"), {"retry:nobody": 1})
    return "retry:nobody"


@plants("stray")
def dead_letter_of_nobody(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("dead"), {"nobody": 1})
    return "nobody"


@plants("stray")
def release_of_nobody(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("releases"), {"nobody": 1})
    return "nobody"


@plants("counts")
def counted_once_more(s: Scene) -> str:
    s.world.raw.hincrby(s.world.keys.fixed("counts"), "ready", 1)
    return "ready"


@plants("edge")
def dependent_is_not_listed(s: Scene) -> str:
    s.world.raw.lrem(s.world.keys.of("dependents", s.id("ready")), 1, s.id("pending"))
    return s.id("ready")


@plants("edge")
def dependent_is_listed_twice(s: Scene) -> str:
    s.world.raw.rpush(s.world.keys.of("dependents", s.id("ready")), s.id("pending"))
    return s.id("ready")


@plants("edge")
def completed_and_still_listing(s: Scene) -> str:
    s.world.raw.rpush(s.world.keys.of("dependents", s.id("done")), s.id("after"))
    return s.id("done")


@plants("pin")
def pinned_once_more(s: Scene) -> str:
    s.world.raw.hincrby(s.key("done"), "pin", 1)
    return s.id("done")


@plants("run")
def run_counts_one_task_too_many(s: Scene) -> str:
    s.world.raw.hincrby(s.world.keys.of("run", s.run), "total", 1)
    return s.run


@plants("run")
def run_is_open_for_ever(s: Scene) -> str:
    s.world.raw.zrem(s.world.keys.fixed("finished"), s.run)
    return s.run


@plants("graph")
def graph_that_is_not_listed(s: Scene) -> str:
    s.world.raw.zrem(s.world.keys.fixed("graphs"), s.run)
    return s.run


@plants("graph")
def graph_that_is_listed_at_another_moment(s: Scene) -> str:
    s.world.raw.zincrby(s.world.keys.fixed("graphs"), 1, s.run)
    return s.run


@plants("graph")
def run_with_a_name_that_is_not_listed(s: Scene) -> str:
    run = s.world.run_of(s.id("running"))
    s.world.raw.hset(s.world.keys.of("run", run), "nm", "nightly")
    return run


@plants("graph")
def graph_that_is_no_run(s: Scene) -> str:
    s.world.raw.zadd(s.world.keys.fixed("graphs"), {"gone": 5})
    return "gone"


@plants("history")
def change_without_an_event(s: Scene) -> str:
    events = s.world.keys.of("events", s.run)
    entry = next(e for e, f in s.world.raw.xrange(events) if f[b"e"].startswith(b"run_finished"))
    s.world.raw.xdel(events, entry)
    s.world.raw.execute_command("XADD", events, "0-*", "e", "run_finished - 1 ")
    return s.run


@plants("history")
def event_without_a_change(s: Scene) -> str:
    events = s.world.keys.of("events", s.world.run_of(s.id("running")))
    s.world.raw.execute_command("XADD", events, "0-*", "e", f"completed {s.id('running')} 1 ")
    return s.id("running")


@plants("history")
def task_that_vanished(s: Scene) -> str:
    lost = s.world.task("lost")
    assert s.world.create(lost, s.run).ok
    for kind in ("task", "exec"):
        s.world.raw.delete(s.world.keys.of(kind, lost.id))
    return str(lost.id)


def limit(s: Scene, name: str = "running") -> str:
    """Give the agent a limit that its running execution holds."""
    s.world.run(limits.put(Limit(name="key", in_flight=2, requests_per_minute=1)))
    s.world.run(agents.register(AgentRecord(id="lint", type="claude", capabilities={"lint"}, limits=("key",)), 0))
    eid = s.set_execution(name, hold="agent:lint key=1,20,30")
    for of in ("agent:lint", "key"):
        s.world.raw.sadd(s.world.keys.of("flight", of), eid)
    s.world.raw.hset(s.world.keys.of("limit", "key"), "rs", "50")
    assert s.world.run(check_invariants(s.world.keys)) == []
    return eid


@plants("hold")
def holds_what_no_limit_counts(s: Scene) -> str:
    eid = limit(s)
    s.world.raw.srem(s.world.keys.of("flight", "key"), eid)
    return eid


@plants("hold")
def over_and_holds_something(s: Scene) -> str:
    limit(s)
    return s.set_execution("done", hold="agent:lint")


@plants("hold")
def reserves_what_nobody_holds(s: Scene) -> str:
    limit(s)
    s.world.raw.hset(s.world.keys.of("limit", "key"), "rs", "51")
    return "key"


@plants("hold")
def waits_for_a_probe_that_does_not_run(s: Scene) -> str:
    limit(s)
    s.world.raw.hset(s.world.keys.of("limit", "agent:lint"), mapping={"bo": "1", "pr": s.execution("done")})
    return "agent:lint"


def bot(s: Scene) -> str:
    """Register an agent; its name."""
    assert s.world.run(agents.register(AgentRecord(id="bot", type="claude", capabilities={"lint"}), 0)).ok
    assert s.world.run(check_invariants(s.world.keys)) == []
    return "bot"


@plants("agent")
def known_agent_without_a_record(s: Scene) -> str:
    name = bot(s)
    s.world.raw.delete(s.world.keys.of("agent", name))
    return name


@plants("agent")
def record_of_an_agent_that_nobody_knows(s: Scene) -> str:
    name = bot(s)
    s.world.raw.zrem(s.world.keys.fixed("agents"), name)
    return name


@plants("agent")
def record_that_cannot_be_read(s: Scene) -> str:
    name = bot(s)
    s.world.raw.hset(s.world.keys.of("agent", name), "rev", "often")
    return name


@plants("limit")
def opens_and_nobody_looks(s: Scene) -> str:
    limit(s)
    s.world.raw.hset(s.world.keys.of("limit", "key"), "until", str(2**42))
    return "key"


@plants("limit")
def agent_that_its_limit_does_not_know(s: Scene) -> str:
    limit(s)
    s.world.raw.srem(s.world.keys.of("sharing", "key"), "lint")
    return "key"


@plants("limit")
def agent_of_a_limit_that_is_gone(s: Scene) -> str:
    limit(s)
    s.world.raw.srem(s.world.keys.fixed("limits"), "key")
    return "key"


@plants("limit")
def limits_that_no_slot_looks_for(s: Scene) -> str:
    limit(s)
    s.world.raw.srem(s.world.keys.fixed("open_queues"), "!limits")
    return s.world.keys.fixed("open_queues")


def host(s: Scene) -> str:
    """Let the running execution reserve something of its host."""
    eid = s.set_execution("running", hold="&h1")
    s.world.raw.hset(s.world.keys.fixed("hosts"), "h1", "cpu_cores=4000")
    s.world.raw.sadd(s.world.keys.of("host_nodes", "h1"), "n1")
    s.world.raw.hset(s.world.keys.of("reserved", "h1"), eid, "cpu_cores=2000")
    assert s.world.run(check_invariants(s.world.keys)) == []
    return eid


@plants("reservation")
def reserves_what_its_host_does_not_count(s: Scene) -> str:
    eid = host(s)
    s.world.raw.hdel(s.world.keys.of("reserved", "h1"), eid)
    return eid


@plants("stray")
def reserves_something_and_is_over(s: Scene) -> str:
    host(s)
    s.world.raw.hset(s.world.keys.of("reserved", "h1"), s.execution("done"), "cpu_cores=2000")
    return s.execution("done")


@plants("reservation")
def host_without_nodes(s: Scene) -> str:
    host(s)
    s.world.raw.delete(s.world.keys.of("host_nodes", "h1"))
    return "h1"


@plants("reservation")
def waits_for_room_in_a_queue_that_nobody_looks_into(s: Scene) -> str:
    s.world.raw.sadd(s.world.keys.of("room_waits", "lint"), "cpu_cores=1")
    s.world.raw.sadd(s.world.keys.fixed("open_queues"), "!room")
    return "lint"


@plants("reservation")
def says_that_tasks_wait_for_room(s: Scene) -> str:
    s.world.raw.sadd(s.world.keys.fixed("open_queues"), "!room")
    return s.world.keys.fixed("open_queues")


@plants("stray")
def counts_one_that_is_over(s: Scene) -> str:
    limit(s)
    s.world.raw.sadd(s.world.keys.of("flight", "key"), s.execution("done"))
    return s.execution("done")


@plants("orphan")
def execution_of_no_task(s: Scene) -> str:
    name = s.world.keys.of("exec", "nobody")
    s.world.raw.hset(name, "st", "completed")
    return name


@plants("orphan")
def dependents_of_no_task(s: Scene) -> str:
    name = s.world.keys.of("dependents", "nobody")
    s.world.raw.rpush(name, "x")
    return name


@plants("orphan")
def payload_that_nobody_reads_and_nothing_removes(s: Scene) -> str:
    name = s.world.keys.of("payload", "nobody")
    s.world.raw.set(name, "{}")
    return name


@plants("orphan")
def key_that_is_called_like_none(s: Scene) -> str:
    name = s.world.keys.prefix + "nonsense"
    s.world.raw.set(name, "x")
    return name


@plants("orphan")
def node_that_never_goes(s: Scene) -> str:
    name = s.world.keys.of("node", "n9")
    s.world.raw.hset(name, "info", "{}")
    return name


@plants("orphan")
def parked_for_a_reason_that_nobody_knows(s: Scene) -> str:
    s.world.raw.srem(s.world.keys.fixed("suspending"), "offer:nobody")
    return s.world.keys.of("park", "offer:nobody")


@plants("orphan")
def queue_that_nobody_serves(s: Scene) -> str:
    s.world.raw.srem(s.world.keys.fixed("queues"), "lint")
    return s.world.keys.of("ready", "lint")


@plants("orphan")
def history_of_no_run(s: Scene) -> str:
    name = s.world.keys.of("events", "nobody")
    s.world.raw.xadd(name, {"e": "created"})
    return name


@plants("orphan")
def staged_chunks_of_no_batch(s: Scene) -> str:
    name = s.world.keys.of("pending", "nobody")
    s.world.raw.rpush(name, "1:1")
    return name


@pytest.mark.parametrize(
    ("kind", "plant"),
    [(kind, plant) for kind, all_of in PLANTS.items() for plant in all_of],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_planted_violation_is_found_and_named(scene: Scene, kind: str, plant: Plant) -> None:
    scene.world.broken = True
    id = plant(scene)
    found: list[Violation] = scene.world.run(check_invariants(scene.world.keys))
    assert (kind, id) in {(v.kind, v.id) for v in found}, "\n".join(map(str, found))
    assert all(RULES[v.kind] in str(v) and v.id in str(v) for v in found)


def test_every_kind_of_violation_was_planted() -> None:
    assert {kind for kind, all_of in PLANTS.items() if not all_of} == {"open", "left"}


def test_rest_is_stricter(scene: Scene) -> None:
    found = scene.world.run(check_at_rest(scene.world.keys))
    still_open = {"retrying", "running", "granted", "ready", "parked", "pending", "later", "held", "foreign", "staged"}
    assert {v.id for v in found if v.kind == "open"} == {scene.id(name) for name in still_open}
    keys = scene.world.keys
    assert {v.id for v in found if v.kind == "left"} == {
        keys.of("ready", "lint"), keys.of("park", "offer:nobody"), keys.of("granted", "lint"), keys.of("slots", "n1"),
        keys.fixed("leases"), keys.fixed("granted_all"), keys.fixed("timers"), keys.fixed("batches"),
    }  # fmt: skip
    assert {v.kind for v in found} == {"open", "left"}


def test_finished_world_is_at_rest(world: World) -> None:
    a = world.task("a")
    world.submit(a, world.task("b", a), world.task("c", a))
    world.finish(a)
    slot = world.slot()
    told = world.start(slot)
    while (answer := world.report(told, slot, pull=True)).assignment:
        told = answer.assignment
    assert world.run(check_at_rest(world.keys)) == []


def test_task_with_a_thousand_dependencies_is_checked(real: World) -> None:
    parents = [real.task(f"p{n}") for n in range(1000)]
    last = real.task("last", *parents)
    real.submit(*parents, last)
    real.finish(*parents[:500])
    assert real.run(check_invariants(real.keys)) == []
    real.broken = True
    real.raw.hincrby(real.keys.of("task", last.id), "w", 1)
    assert [(v.kind, v.id) for v in real.run(check_invariants(real.keys))] == [("counters", str(last.id))]


def test_cursors_in_the_middle_are_no_violation(real: World) -> None:
    parent = real.task("parent")
    real.submit(parent, *(real.task(f"c{n}", parent) for n in range(600)))
    real.finish(parent, disposition="failed")
    assert real.run(check_invariants(real.keys)) == []
    real.think()
    real.run(next(tasks.reopen(str(parent.id))))
    assert real.fields("task", parent.id)["undo"] == "256"
    assert real.run(check_invariants(real.keys)) == []
