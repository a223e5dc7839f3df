"""Every verb is safe to repeat: sent twice on the wire, and a third time when something else has happened since.

redis-py sends a command again by itself when its answer is late, and a server that thaws answers both copies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from taskengine.agents import Reference
from taskengine.core.instructions import CloseTask
from taskengine.models import TriggerRule
from taskengine.models.agent import AgentRecord, Limit
from taskengine.models.artifact import ArtifactKind
from taskengine.models.question import Question
from taskengine.models.spent import Spent
from taskengine.store import (
    agents,
    api_keys,
    artifacts,
    coordination,
    dead_letters,
    deadlines,
    decisions,
    estimates,
    executions,
    graphs,
    hosts,
    kept,
    limits,
    nodes,
    old_turns,
    pauses,
    quarantine,
    remote,
    retention,
    spent,
    tasks,
    workflows,
)
from taskengine.store import steps as workflow_steps
from taskengine.store.call import Call
from taskengine.store.executions import Report
from taskengine.store.fields import FrameField
from taskengine.store.records import index_names
from taskengine.store.replies import Assignment, Reply
from taskengine.store.scripts import header, names

from .world import World, eid, steps

RUN = str(UUID(int=7))
#: Scripts that change nothing.
READS = {
    "read_agents", "read_artifacts",
    "read_fleet", "read_execution_heads", "inspect", "inspect_members", "inspect_runs", "inspect_tally", "list",
    "read_step_decisions", "match_ids", "read_limits", "inspect_limits", "read_hosts",
    "read_dependencies", "read_graph_nodes", "read_outputs", "read", "read_changes", "read_executions", "read_graph",
    "read_logs",
    "read_items", "read_nodes", "read_old_turns", "read_queues", "read_range", "read_runs", "read_steps",
    "read_values", "read_workflows",
    "read_api_keys",
    "sketch", "find_runs", "find_workflows", "find_dead_letters",
    "run_counts", "read_running", "read_queue_view", "read_decision_inputs", "read_statuses", "read_deadline_weights",
}  # fmt: skip


@dataclass
class Case:
    """A verb in a world where it has something to do."""

    call: Call[Any]
    #: Another transition, after which a third copy arrives.
    then: Callable[[], object]
    #: Words that the copies may answer instead of the first answer.
    words: frozenset[str] = frozenset()
    #: What the third copy may still do: it renews something, or its work is there again.
    renews: bool = False


Setting = Callable[[World], Case]
CASES: dict[str, Setting] = {}


def case(setting: Setting) -> Setting:
    CASES[setting.__name__] = setting
    return setting


def finish(w: World, task: Any) -> Callable[[], object]:
    return lambda: w.finish(task)


@case
def create(w: World) -> Case:
    task = w.task("a", w.new("parent"), idempotency_key="k")
    call = next(tasks.create(RUN, w.record(task)))
    return Case(call, lambda: w.run(tasks.cancel(str(task.id), "no")), frozenset({"exists"}))


@case
def stage(w: World) -> Case:
    graph = [w.task("a", w.new("parent")), w.task("b", idempotency_key="k")]
    call = graphs.stage("batch", RUN, [w.record(t) for t in graph])

    def commit_graph() -> None:
        w.run(graphs.commit("batch"))
        w.settle("batch")

    return Case(call, commit_graph, frozenset({"taken"}))


@case
def stage_edges(w: World) -> Case:
    parents = [w.new(f"p{n}") for n in range(4)]
    last = w.task("last", parents[0])
    w.staged(last)
    call = graphs.stage_edges("batch", str(last.id), [str(p.id) for p in parents[1:]])
    return Case(call, lambda: w.run(graphs.commit("batch")), frozenset({"taken"}))


@case
def commit_graph(w: World) -> Case:
    a = w.task("a")
    w.staged(a, w.task("b"))
    w.run(graphs.put_order("batch", 0, a.id.bytes))
    call = graphs.commit("batch", graphs.Name("g", "sha", [str(a.id)]), graphs.Label("nightly", "ann"))
    return Case(call, lambda: w.settle("batch"))


@case
def settle_batch(w: World) -> Case:
    a = w.task("a")
    w.staged(a)
    w.run(graphs.commit("batch"))
    return Case(coordination.settle_batch("batch"), finish(w, a))


@case
def sweep_batch(w: World) -> Case:
    w.staged(w.task("a"))
    w.run(coordination.sweep_batch("batch", w.elect()))
    return Case(coordination.sweep_batch("batch", w.term), lambda: w.new("other"))


@case
def cancel(w: World) -> Case:
    a = w.new("a")
    return Case(next(tasks.cancel(str(a.id), "no")), lambda: w.new("b"), frozenset({"conflict"}))


@case
def pause_task(w: World) -> Case:
    w.beat()
    a = w.new("a")
    call = next(tasks.pause(str(a.id), "ann", "why", None))
    return Case(call, lambda: w.run(tasks.cancel(str(a.id), "no")), frozenset({"conflict"}))


@case
def resume_task(w: World) -> Case:
    a = w.new("a")
    w.run(tasks.pause(str(a.id), "ann", None, None))
    return Case(next(tasks.resume(str(a.id))), finish(w, a), frozenset({"conflict"}))


@case
def hold(w: World) -> Case:
    w.beat()
    a = w.new("a")
    call = next(tasks.hold(str(a.id), held=True))
    return Case(call, lambda: w.run(tasks.cancel(str(a.id), "no")), frozenset({"ok", "conflict"}))


@case
def reopen(w: World) -> Case:
    a = w.new("a")
    w.new("b", a)
    w.finish(a, disposition="failed")
    return Case(next(tasks.reopen(str(a.id))), finish(w, a), frozenset({"conflict"}))


@case
def execute(w: World) -> Case:
    a = w.new("a", hold=True)
    return Case(next(tasks.execute(str(a.id), "lint")), finish(w, a), frozenset({"ok"}))


@case
def update(w: World) -> Case:
    a, b = w.new("a"), w.new("b")
    new = w.record(a.model_copy(update={"name": "other", "depends_on": {b.id}}))
    revision = w.run(tasks.edge_revision(w.keys))
    edges = tasks.EdgeChange(revision, (), (str(b.id),))
    call = next(tasks.update(str(a.id), "0", new, 5, index_names(a), before_first_run=True, edges=edges))
    return Case(call, finish(w, b), frozenset({"stale"}))


@case
def reprioritise(w: World) -> Case:
    w.beat(slots=1)
    a, _ = w.new("a"), w.new("b")
    sent: list[Call[Any]] = []

    def send(call: Call[Any]) -> Any:
        sent.append(call)
        return w.run(call) if call.name == "read" else [Reply("ok")]

    steps(tasks.reprioritise([str(a.id)], 5), send)
    return Case(sent[-1], finish(w, a), frozenset({"ok"}))


@case
def add_dependency(w: World) -> Case:
    a, b = w.new("a"), w.new("b")
    revision = w.run(tasks.edge_revision(w.keys))
    return Case(next(tasks.add_dependency(str(a.id), str(b.id), revision, "sha")), finish(w, b))


@case
def delete(w: World) -> Case:
    a = w.new("a", w.new("parent"))
    w.run(tasks.cancel(str(a.id), "no"))
    call = next(tasks.delete(str(a.id), index_names(a), w.since()))
    return Case(call, lambda: w.new("b"), frozenset({"missing"}))


@case
def put_order(w: World) -> Case:
    return Case(graphs.put_order("batch", 0, UUID(int=7).bytes), lambda: w.new("a"), frozenset({"ok"}))


@case
def watch_logs(w: World) -> Case:
    a = w.new("a")
    w.start()
    return Case(executions.watch_logs(str(a.id), 0), lambda: w.report(w.assignment(a)), frozenset({"ok"}))


@case
def watch_task(w: World) -> Case:
    a = w.new("a")
    return Case(tasks.watch(str(a.id)), finish(w, a), frozenset({"ok"}))


@case
def claim(w: World) -> Case:
    w.beat()
    a = w.new("a")
    w.new("b")
    call = executions.claim(w.slot(), "r1", eid(a), 1)
    return Case(call, lambda: w.report(w.assignment(a)), frozenset({"nothing"}))


@case
def checkpoint(w: World) -> Case:
    a = w.new("a")
    told = w.start()
    call = kept.checkpoint(told.execution_id, told.attempt, Reference("t", "posted", "7"))
    return Case(call, lambda: w.report(w.assignment(a)), frozenset({"ok", "fenced"}))


@case
def note_spent(w: World) -> Case:
    a = w.new("a")
    told = w.start()
    call = spent.note(told.execution_id, told.attempt, [Spent("m", 1, 10, 5)])
    return Case(call, lambda: w.report(w.assignment(a)), frozenset({"ok", "fenced"}))


@case
def put_artifact(w: World) -> Case:
    a = w.new("a")
    told = w.start()
    call = artifacts.put(told.execution_id, told.attempt, artifacts.pack("a.diff", "-x", ArtifactKind.DIFF))
    return Case(call, lambda: w.report(w.assignment(a)), frozenset({"ok", "fenced"}))


@case
def answer(w: World) -> Case:
    a = w.new("a")
    asked = ask(w, w.start())
    return Case(next(kept.answer_question(str(a.id), asked, "yes", "ann")), finish(w, a), frozenset({"ok", "conflict"}))


def ask(w: World, told: Assignment) -> kept.Asked:
    """The running attempt asks something."""
    more = json.dumps({"question": kept.question_text(Question(id="q", text="why?"))})
    assert w.report(told, disposition="ask", more=more).word == "ok"
    asked = kept.asked_from(w.fields("task", told.task_id)["ask"])
    assert asked is not None
    return asked


@case
def report(w: World) -> Case:
    w.beat()
    a = w.new("a")
    w.new("c", a)
    told = w.start()
    call = executions.report(w.slot(), [Report(told.task_id, 1, "completed", "lint", output='{"n":1}')], pull=True)
    return Case(call, lambda: w.run(nodes.remove_node("n1")), frozenset({"ok"}))


@case
def time_out(w: World) -> Case:
    w.new("a")
    told = w.start()
    call = executions.time_out(told.execution_id, 1, retry_ms=5000, error="long")
    return Case(call, lambda: w.run(tasks.cancel(told.task_id, "no")), frozenset({"conflict"}))


def detached(w: World, **fields: Any) -> Assignment:
    w.new("a", **fields)
    told = w.start()
    posted = Reference("codegen", "posted", "17")
    assert (
        w.run(remote.detach(w.slot(), told.execution_id, 1, posted, poll_ms=0, taken_up=False, pull=False)).word == "ok"
    )
    return told


@case
def detach(w: World) -> Case:
    w.beat()
    w.new("a")
    told = w.start()
    b = w.new("b")
    posted = Reference("codegen", "posted", "17")
    call = remote.detach(w.slot(), told.execution_id, 1, posted, poll_ms=5000, taken_up=False, pull=True)
    return Case(call, lambda: w.report(w.assignment(b)), frozenset({"ok"}))


@case
def poll_take(w: World) -> Case:
    detached(w)
    call = remote.poll_take("lint", "n1", 10_000)
    return Case(call, lambda: w.new("b"), frozenset({"ok"}), renews=True)


@case
def note_polled(w: World) -> Case:
    told = detached(w)
    heard = remote.Polled(
        told.execution_id, 1, 5000, "ACTIVE", 0.5, Reference("codegen", "posted", "17", words={"a": 1})
    )
    return Case(remote.note_polled([heard]), lambda: w.new("b"), renews=True)


@case
def lose_remote(w: World) -> Case:
    told = detached(w)
    call = remote.lose([(told.execution_id, 1, "the service does not know it")])
    return Case(call, lambda: w.run(tasks.cancel(told.task_id, "no")), frozenset({"ok"}))


@case
def take_overdue(w: World) -> Case:
    told = detached(w)
    w.raw.hset(w.keys.of("exec", told.execution_id), "dl", 5)
    w.raw.zadd(w.keys.fixed("overdue"), {told.execution_id: 5})
    return Case(remote.take_overdue(w.elect(), 64), lambda: w.new("b"), frozenset({"ok"}), renews=True)


@case
def end_cancelled(w: World) -> Case:
    a = w.new("a")
    told = w.start()
    w.run(tasks.cancel(told.task_id, "no"))
    call = executions.end_cancelled(told.execution_id, 1)
    return Case(call, lambda: w.run(tasks.reopen(str(a.id))), frozenset({"conflict"}))


@case
def hand_back(w: World) -> Case:
    a = w.new("a")
    told = w.start()
    return Case(executions.hand_back([(told.execution_id, 1)], "stop"), finish(w, a), frozenset({"ok"}))


def limited(w: World) -> str:
    """An execution of an agent that has limits."""
    w.run(limits.put(Limit(name="key", in_flight=2, requests_per_minute=60, input_tokens_per_minute=60_000)))
    record = AgentRecord(id="lint", type="claude", capabilities={"lint"}, max_concurrency=3, limits=("key",))
    w.run(agents.register(record, 0))
    w.new("a")
    return w.start().execution_id


@case
def set_limit(w: World) -> Case:
    limited(w)
    w.new("b")
    return Case(limits.put(Limit(name="key", in_flight=5)), lambda: w.new("c"), frozenset({"ok"}))


@case
def put_api_key(w: World) -> Case:
    call = api_keys.put("k", "sha", "bot", "read", None, 60)
    return Case(call, lambda: w.run(api_keys.put("l", "sha", "other", "read", None, 0)))


@case
def admit(w: World) -> Case:
    w.run(api_keys.put("k", "sha", "bot", "read", None, 60))
    return Case(api_keys.admit("k", "sha", "r1"), lambda: w.new("b"))


@case
def open_session(w: World) -> Case:
    w.run(api_keys.put("k", "sha", "bot", "read", None, 60))
    call = api_keys.open_session("k", "sha", "s", "secret", 1000)
    return Case(call, lambda: w.run(api_keys.open_session("k", "sha", "t", "other", 1000)))


@case
def close_session(w: World) -> Case:
    w.run(api_keys.put("k", "sha", "bot", "read", None, 60))
    w.run(api_keys.open_session("k", "sha", "s", "secret", 1000))
    return Case(api_keys.close_session("k", "s"), lambda: w.new("b"), frozenset({"missing"}))


@case
def renew_api_key(w: World) -> Case:
    w.run(api_keys.put("k", "sha", "bot", "admin", None, 0, 1000))
    return Case(api_keys.renew("k", "sha", 2000), lambda: w.new("b"), renews=True)


@case
def revoke_api_key(w: World) -> Case:
    w.run(api_keys.put("k", "sha", "bot", "read", None, 60))
    return Case(api_keys.revoke("k"), lambda: w.new("b"), frozenset({"missing"}))


@case
def remove_limit(w: World) -> Case:
    w.run(limits.put(Limit(name="key", in_flight=2)))
    return Case(limits.remove("key"), lambda: w.new("b"), frozenset({"missing"}))


@case
def permit(w: World) -> Case:
    call = limits.permit(limited(w), 1, 1, (1, 10, 20))
    return Case(call, lambda: w.run(nodes.remove_node("n1")), frozenset({"ok", "fenced"}))


@case
def observe(w: World) -> Case:
    limited(w)
    return Case(limits.observe("lint", 100, None, None), lambda: w.new("b"))


@case
def look_after_hosts(w: World) -> Case:
    w.elect()
    w.beat(host="h1 cpu_cores=4000")
    w.new("a", resource_requirements={"cpu_cores": 3})
    b = w.new("b", resource_requirements={"cpu_cores": 4})
    told = w.start()
    w.claim(w.slot("s2"))
    w.raw.hincrby(w.keys.of("task", b.id), "rdy", -121_000)
    return Case(hosts.look_after(w.term, 120_000), lambda: w.report(told), frozenset({"ok"}))


@case
def put_payload(w: World) -> Case:
    a = w.task("a", input={"text": "x" * 300_000})
    name, text = w.record(a).payload
    return Case(executions.put_payload(name, text), lambda: w.create(a))


@case
def append_logs(w: World) -> Case:
    w.new("a")
    told = w.start()
    call = executions.append_logs(told.execution_id, 1, lines=['{"message":"x"}'] * 2, progress=0.5, note="half")
    return Case(call, lambda: w.report(told), frozenset({"fenced"}))


@case
def drop_dead_letter(w: World) -> Case:
    a = w.new("a")
    w.raw.zadd(w.keys.fixed("dead"), {str(a.id): 5})
    w.broken = True  # it is a letter and not FAILED
    return Case(dead_letters.drop(str(a.id)), lambda: w.new("b"), frozenset({"missing"}))


@case
def drop_messages(w: World) -> Case:
    entries = ['{"raw":"a"}', '{"raw":"b"}']
    w.raw.lpush(w.keys.fixed("quarantine"), *entries)
    call = quarantine.drop(w.run(quarantine.piece(w.keys, 2, 1)))
    return Case(call, lambda: w.raw.lpush(w.keys.fixed("quarantine"), '{"raw":"c"}'))


@case
def heartbeat(w: World) -> Case:
    a = w.new("a", assigned_to="lint")
    call = nodes.heartbeat("n1", 1, "{}", 2, "lint=lint @lint=lint", "", [])
    return Case(call, lambda: w.run(tasks.cancel(str(a.id), "no")), frozenset({"ok"}), renews=True)


@case
def drain(w: World) -> Case:
    w.beat()
    return Case(nodes.drain("n1", "SIGTERM"), lambda: w.new("a"))


@case
def remove_node(w: World) -> Case:
    a = w.new("a")
    w.start()
    return Case(nodes.remove_node("n1"), lambda: w.run(tasks.cancel(str(a.id), "no")), frozenset({"ok"}))


@case
def elect(w: World) -> Case:
    return Case(coordination.elect("c1", 60_000), lambda: w.new("a"), frozenset({"ok"}), renews=True)


@case
def resign(w: World) -> Case:
    w.elect("c1")
    return Case(coordination.resign("c1"), lambda: w.elect("c2"))


@case
def grant(w: World) -> Case:
    a = w.new("a")
    w.beat(slots=1)

    def run_and_sweep() -> None:
        w.finish(a)
        w.run(coordination.grant(w.term, ["lint"]))

    return Case(coordination.grant(w.elect(), ["lint"]), run_and_sweep, frozenset({"ok"}))


@case
def withdraw(w: World) -> Case:
    w.beat(slots=1)
    a = w.new("a")
    w.raw.zadd(w.keys.fixed("granted_all"), {eid(a): 1})
    return Case(coordination.withdraw(w.elect()), finish(w, a), frozenset({"ok"}))


@case
def rescue(w: World) -> Case:
    a = w.new("a")
    w.start()
    w.age(60)
    return Case(coordination.rescue(w.elect()), lambda: w.run(tasks.cancel(str(a.id), "no")), frozenset({"ok"}))


@case
def fire_timers(w: World) -> Case:
    a = w.new("a", scheduled_at=datetime.now(UTC) + timedelta(seconds=5))
    w.age(60)
    return Case(coordination.fire_timers(w.elect()), finish(w, a), frozenset({"ok"}))


@case
def continue_releases(w: World) -> Case:
    parent = w.task("p")
    w.submit(parent, *(w.task(f"c{n}", parent) for n in range(300)))
    w.finish(parent)
    return Case(coordination.continue_releases(w.elect()), lambda: w.new("a"), frozenset({"ok"}))


@case
def continue_delete(w: World) -> Case:
    parents = [w.task(f"p{n}") for n in range(300)]
    a = w.task("a", *parents)
    w.submit(*parents, a)
    w.run(tasks.cancel(str(a.id), "no"))
    w.run(next(tasks.delete(str(a.id), index_names(a), w.since())))
    call = coordination.continue_delete(w.elect(), str(a.id))
    w.run(call)  # the first 256; the rest is the case
    return Case(call, lambda: w.new("b"), frozenset({"ok"}))


@case
def unpark(w: World) -> Case:
    w.beat()
    a = w.new("a", assigned_to="x")
    w.raw.sadd(w.keys.of("offers", "@x"), "n1")
    w.raw.hset(w.keys.of("node", "n1"), "queues", "lint=lint @lint=lint @x=x")
    call = coordination.unpark(w.elect())
    return Case(call, lambda: w.run(tasks.cancel(str(a.id), "no")), frozenset({"ok"}))


@case
def pause(w: World) -> Case:
    w.new("a")
    return Case(pauses.pause("cap:lint", "ann", "why", None), lambda: w.new("b"), frozenset({"ok"}))


@case
def resume(w: World) -> Case:
    a = w.new("a")
    w.run(pauses.pause(f"run:{w.run_of(a.id)}", "ann", None, None))
    w.beat()
    return Case(pauses.resume(f"run:{w.run_of(a.id)}", "ann"), finish(w, a), frozenset({"ok"}))


@case
def lift_aged(w: World) -> Case:
    w.beat(slots=0)
    a = w.new("a")
    w.raw.hincrby(w.keys.of("task", a.id), "rdy", -700_000)
    return Case(coordination.lift_aged(w.elect(), "lint", 0, 600_000), finish(w, a), frozenset({"ok"}))


@case
def note_deadlines(w: World) -> Case:
    a = w.new("a", deadline=datetime.now(UTC) + timedelta(seconds=60))
    [weight] = w.run(deadlines.read_weights([str(a.id)]))
    assert weight is not None
    found = deadlines.Finding(str(a.id), weight.deadline or 0, "risk", 5000)
    return Case(deadlines.note(w.elect(), [found]), finish(w, a), frozenset({"ok"}))


@case
def update_estimates(w: World) -> Case:
    call = estimates.update_estimates({"lint": 1.5, "lint a": 2})
    return Case(call, lambda: w.new("a"), renews=True)


def closable(w: World) -> tuple[Any, decisions.Decision]:
    parent = w.new("parent")
    child = w.new("child", parent)
    w.finish(parent, disposition="failed")
    w.elect()
    [decision] = w.run(decisions.decisions(w.keys))
    return child, decision


@case
def close_by_rule(w: World) -> Case:
    _, decision = closable(w)
    [seen] = w.run(decisions.snapshots([decision]))
    assert seen is not None
    how = CloseTask(seen.task_id, "dependency parent failed", decision.because, failed_before=True)
    call = decisions.close_by_rule(w.term, decision.entry, seen, how)
    return Case(call, lambda: w.new("other"), frozenset({"changed"}))


@case
def start_by_rule(w: World) -> Case:
    child = w.new("child", w.new("parent", hold=True), trigger_rule=TriggerRule.ALWAYS)
    w.elect()
    [decision] = w.run(decisions.decisions(w.keys))
    [seen] = w.run(decisions.snapshots([decision]))
    assert seen is not None
    return Case(decisions.start_by_rule(w.term, decision.entry, seen), finish(w, child), frozenset({"changed"}))


@case
def drop_decision(w: World) -> Case:
    child, decision = closable(w)
    w.run(tasks.cancel(str(child.id), "no"))
    return Case(decisions.drop_decisions(w.term, [decision.entry]), lambda: w.new("other"))


FLOW = UUID(int=9)


def new_workflow() -> Call[Any]:
    row = workflow_steps.step_record(FLOW, "", "w", score=1, sha="s", k="workflow")
    return workflows.start(workflows.Start(str(FLOW), "d", "{}", "w", "ann", row, {"x": "1"}))


def started(w: World) -> tuple[str, str]:
    """The decision that there is about a workflow that has just been started, and what it rests on."""
    w.run(workflows.put_definition("d", "{}"))
    assert w.run(new_workflow()).ok
    w.elect()
    [decision] = w.run(decisions.decisions(w.keys))
    return decision.entry, rests_on(w)


def rests_on(w: World) -> str:
    [facts] = w.run(workflow_steps.look([(str(FLOW), "")]))
    assert facts is not None
    return facts.revision


def put_children(w: World) -> tuple[Any, Call[Any]]:
    entry, seen = started(w)
    child = w.task("child")
    new = w.record(child)
    new = replace(new, row={**new.row, "rare": f"up {FLOW} fr {FLOW}"})
    return child, workflow_steps.expand(w.term, entry, str(FLOW), seen, workflow_steps.Piece([new], 1, "%g"))


@case
def put_definition(w: World) -> Case:
    return Case(workflows.put_definition("d", "{}"), lambda: w.new("other"), renews=True)


@case
def start_workflow(w: World) -> Case:
    w.run(workflows.put_definition("d", "{}"))
    return Case(new_workflow(), lambda: w.new("other"), frozenset({"exists"}))


@case
def expand_step(w: World) -> Case:
    child, call = put_children(w)
    return Case(call, finish(w, child), frozenset({"changed"}))


@case
def end_step(w: World) -> Case:
    entry, seen = started(w)
    how = workflow_steps.Ending("completed", output="{}", sets={"x": "2"})
    return Case(workflow_steps.end(w.term, entry, str(FLOW), seen, how), lambda: w.new("other"), frozenset({"changed"}))


@case
def start_waiting(w: World) -> Case:
    entry, seen = started(w)
    verb = workflow_steps.start_waiting(
        w.term, entry, str(FLOW), seen, "0", workflow_steps.Waiting(timer_ms=5000, signal="go")
    )
    return Case(verb, lambda: w.new("other"), frozenset({"changed"}))


@case
def put_frame(w: World) -> Case:
    started(w)
    new = workflows.Frame(str(FLOW), str(FLOW), "d", "{}", "a", 1, {"x": "1"})
    return Case(workflows.put_frame(w.term, new), lambda: w.new("other"))


@case
def register(w: World) -> Case:
    w.run(workflows.put_definition("d", "{}"))
    return Case(workflows.register("w", "d", "ann"), lambda: w.new("other"))


CLAUDE = AgentRecord(id="claude_1", type="claude", capabilities={"lint"})


@case
def register_agent(w: World) -> Case:
    changed = CLAUDE.model_copy(update={"description": "of the team"})
    return Case(agents.register(CLAUDE, 0), lambda: w.run(agents.register(changed, 1)), frozenset({"changed"}))


@case
def drain_agent(w: World) -> Case:
    w.run(agents.register(CLAUDE, 0))
    return Case(agents.drain("claude_1", "ann", "upgrade"), lambda: w.new("other"))


@case
def unregister_agent(w: World) -> Case:
    w.run(agents.register(CLAUDE, 0))
    return Case(agents.unregister("claude_1"), lambda: w.new("other"), frozenset({"missing"}))


@case
def put_items(w: World) -> Case:
    started(w)
    return Case(next(workflow_steps.put_items(w.term, str(FLOW), ["1", "2"])), lambda: w.new("other"))


@case
def next_item(w: World) -> Case:
    entry, seen = started(w)
    rows = [w.record(w.task("child")) for _ in range(2)]
    rows = [replace(new, row={**new.row, "rare": f"up {FLOW} fr {FLOW} p each[{n}]"}) for n, new in enumerate(rows)]
    piece = workflow_steps.Piece(rows, 2, "%m", {"nx": "1"})
    assert w.run(workflow_steps.expand(w.term, "", str(FLOW), seen, piece)).ok
    verb = workflow_steps.next_item(w.term, entry, str(FLOW), rests_on(w))
    return Case(verb, lambda: w.new("other"), frozenset({"changed"}))


@case
def retry_scope(w: World) -> Case:
    child, call = put_children(w)
    w.run(call)
    w.run(workflow_steps.end_children(w.term, "", str(FLOW), rests_on(w), "failed", "no more"))
    w.run(workflow_steps.end(w.term, "", str(FLOW), rests_on(w), workflow_steps.Ending("failed")))
    verb = workflow_steps.retry_scope(w.term, "", str(FLOW), rests_on(w))
    return Case(verb, finish(w, child), frozenset({"changed"}))


@case
def ask_condition_waiters(w: World) -> Case:
    started(w)
    w.raw.sadd(w.keys.of("condition_waiters", str(FLOW)), str(FLOW))
    w.raw.hset(w.keys.of("frame", str(FLOW)), FrameField.asking, "0")
    verb = workflow_steps.ask_condition_waiters(w.term, "", str(FLOW))
    return Case(verb, lambda: w.new("other"), frozenset({"ok"}))


@case
def signal(w: World) -> Case:
    started(w)
    return Case(workflows.signal(str(FLOW), "go", "1", "{}"), lambda: w.new("other"), frozenset({"ok"}))


@case
def set_variables(w: World) -> Case:
    started(w)
    return Case(workflows.set_variables(str(FLOW), {"x": "2"}, 0), lambda: w.new("other"), frozenset({"changed"}))


@case
def end_children(w: World) -> Case:
    _, call = put_children(w)
    w.run(call)
    verb = workflow_steps.end_children(w.term, "", str(FLOW), rests_on(w), "failed", "no more")
    return Case(verb, lambda: w.new("other"), frozenset({"changed"}))


@case
def erase_old_turns(w: World) -> Case:
    child, call = put_children(w)
    w.run(call)
    w.finish(child)
    operation = old_turns.erase_old_turns(w.term, "0-1", str(FLOW), 0)
    read = operation.send(w.run(next(operation)))
    return Case(operation.send(w.run(read)), lambda: w.new("other"))


@case
def prune(w: World) -> Case:
    a = w.task("a")
    run = w.submit(a)
    w.finish(a)
    w.elect()
    ms = int(w.raw.zscore(w.keys.fixed("finished"), run))
    call = retention.prune(w.term, retention.Pass(run, ms), [(str(a.id), index_names(a))], last=True)
    return Case(call, lambda: w.new("other"), frozenset({"open"}))


def test_every_verb_that_changes_something_is_repeated_here() -> None:
    assert set(CASES) | READS == set(names())
    assert not set(CASES) & READS
    for name in READS:
        text = " ".join(header(name, "events"))
        assert not text


def quiet(dump: dict[str, Any], keys: Any) -> dict[str, Any]:
    """A dump without what a renewal moves: when beats and leases end, and hints."""
    kept = dict(dump)
    for name in ("nodes", "leases", "leader", "wake", "estimated", "pollers", "overdue"):
        kept.pop(keys.fixed(name), None)
    for name in dump:
        if name.startswith(keys.of("remote", "")):
            kept[name] = [member for member, _ in dump[name]]
        if name.startswith(keys.of("node", "")):
            kept[name] = {k: v for k, v in dump[name].items() if k != b"heartbeat"}
        if name.startswith(keys.of("api_key", "")):
            kept[name] = {k: v for k, v in dump[name].items() if k != b"end"}
    return kept


def word(answer: Any) -> str:
    return str(getattr(answer, "word", "ok"))


@pytest.mark.parametrize("name", sorted(CASES))
def test_verb_is_safe_to_repeat(world: World, name: str) -> None:
    setting = CASES[name](world)
    assert setting.call.name == name
    first = world.run(setting.call)
    once = world.dump()
    second = world.run(setting.call)
    twice = world.dump()

    def same(dump: dict[str, Any]) -> dict[str, Any]:
        return quiet(dump, world.keys) if setting.renews else dump

    assert same(twice) == same(once), "the second copy changed something"
    assert second == first or word(second) in setting.words, (first, second)
    setting.then()
    before = world.dump()
    third = world.run(setting.call)
    assert same(world.dump()) == same(before), "the third copy changed something"
    assert third == first or word(third) in setting.words | {word(first)}, (first, third)


def test_names_of_cases_are_names_of_scripts() -> None:
    assert all(re.fullmatch(r"[a-z_]+", name) for name in CASES)
