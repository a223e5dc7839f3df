"""Trigger rules from end to end: whatever its dependencies come to and in whatever order, a task starts when its rule
says so, and is closed when it never will.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations, product

import pytest

from taskengine.core.rules import Counters, Evaluation, evaluate
from taskengine.models import Task, TriggerRule
from taskengine.store import coordination, graphs, retention, tasks
from taskengine.store.records import index_names

from .world import World

RULES = sorted(set(TriggerRule) - {TriggerRule.ALL_SUCCESS})
#: How a dependency may end; *before* is one that could not start because of a failure.
ENDS = ("completed", "failed", "before", "cancelled")
#: What a verdict shows as, once the coordinator thought.
SHOWS = {Evaluation.RUN: "ready", Evaluation.WAIT: "pending", Evaluation.NEVER: "cancelled"}


def counters(ends: tuple[str, ...], waiting: int) -> Counters:
    failed = ends.count("failed") + ends.count("before")
    return Counters(waiting, failed, ends.count("cancelled"), ends.count("completed"))


def expected(rule: TriggerRule, ends: tuple[str, ...], of: int) -> str:
    """What a task shows when these of its dependencies ended, one after the other: what is settled stays."""
    for told in range(of + 1):
        disposition = evaluate(rule, counters(ends[:told], of - told))
        if disposition is not Evaluation.WAIT or told == len(ends):
            return SHOWS[disposition]
    raise AssertionError


def end(world: World, task: Task, how: str) -> None:
    """Let one task end so; others that are READY stay where they are."""
    if how == "cancelled":
        assert world.run(tasks.cancel(str(task.id), "no")).ok
        return
    if how == "before":
        culprit = world.new(f"before-{task.name}", capability=f"p-before-{task.name}")
        end(world, culprit, "failed")
        depend(world, task, culprit)
        world.think()
        assert world.status(task.id) == "cancelled"
        return
    queue = f"p-{task.name}"
    slot = world.slot(queue, "n1", f"{queue}={queue}")
    world.beat("n1", queues=slot.queues, slots=0)
    answer = world.claim(slot)
    assert answer.assignment is not None
    assert answer.assignment.task_id == str(task.id)
    assert world.report(answer.assignment, slot, how).word == "ok"


def depend(world: World, task: Task, on: Task) -> None:
    revision = world.run(tasks.edge_revision(world.keys))
    assert world.run(tasks.add_dependency(str(task.id), str(on.id), revision, "sha")).ok


def parent(world: World, name: str) -> Task:
    """A task in a queue of its own, so that nothing else runs with it."""
    return world.task(name, capability=f"p-{name}")


@pytest.mark.matrix("rule")
@pytest.mark.parametrize("rule", RULES)
def test_a_task_starts_and_is_closed_by_its_rule_in_every_order(world: World, rule: TriggerRule) -> None:
    for ends in product(ENDS, repeat=2):
        first, second = parent(world, "a"), parent(world, "b")
        child = world.task("child", first, second, trigger_rule=rule)
        world.submit(first, second, child)
        world.think()
        assert world.status(child.id) == expected(rule, (), 2)
        for told, (one, how) in enumerate(zip((first, second), ends, strict=True), 1):
            end(world, one, how)
            world.think()
            assert world.status(child.id) == expected(rule, ends[:told], 2), (ends, told)
            world.check()
        world.run(tasks.cancel(str(child.id), "tidy"))


@pytest.mark.matrix("rule")
@pytest.mark.parametrize("rule", RULES)
def test_dependencies_that_ended_before_the_submit_count_like_others(world: World, rule: TriggerRule) -> None:
    for ends in product(ENDS, repeat=2):
        parents = [parent(world, name) for name in "ab"]
        world.submit(*parents)
        for one, how in zip(parents, ends, strict=True):
            end(world, one, how)
        alone, of_graph = (world.task(name, *parents, trigger_rule=rule) for name in ("alone", "of graph"))
        world.create(alone)
        world.submit(of_graph)
        world.think()
        wanted = SHOWS[evaluate(rule, counters(ends, 0))]
        assert world.statuses([alone.id, of_graph.id]) == [wanted, wanted], ends
        world.check()
        for one in (alone, of_graph):
            world.run(tasks.cancel(str(one.id), "tidy"))


@pytest.mark.parametrize("rule", RULES)
def test_edges_added_later_count_like_others(world: World, rule: TriggerRule) -> None:
    for how in ENDS:
        one, other = parent(world, "a"), parent(world, "b")
        child = world.task("child", one, trigger_rule=rule, hold=True)
        world.submit(one, other, child)
        end(world, other, how)
        revision = world.run(tasks.edge_revision(world.keys))
        assert world.run(tasks.add_dependency(str(child.id), str(other.id), revision, "sha")).ok
        world.run(tasks.execute(str(child.id), None))
        world.think()
        assert world.status(child.id) == SHOWS[evaluate(rule, counters((how,), 1))], how
        world.check()
        world.run(tasks.cancel(str(child.id), "tidy"))
        world.run(tasks.cancel(str(one.id), "tidy"))


def test_an_edge_added_to_a_task_that_its_rule_set_ready_makes_it_wait_again(world: World) -> None:
    a, b = parent(world, "a"), parent(world, "b")
    child = world.task("child", a, trigger_rule=TriggerRule.ALL_DONE)
    world.submit(a, b, child)
    end(world, a, "failed")
    world.think()
    assert world.status(child.id) == "ready"
    revision = world.run(tasks.edge_revision(world.keys))
    assert world.run(tasks.add_dependency(str(child.id), str(b.id), revision, "sha")).ok
    world.think()
    assert world.status(child.id) == "pending"
    end(world, b, "completed")
    world.think()
    assert world.status(child.id) == "ready"


def test_what_a_rule_closed_names_the_dependency_and_closes_its_dependents_by_their_rules(world: World) -> None:
    a = parent(world, "a")
    closed = world.task("closed", a, trigger_rule=TriggerRule.ALL_FAILED)
    follows = world.task("follows", closed)
    cleans = world.task("cleans", closed, trigger_rule=TriggerRule.ALL_DONE)
    world.submit(a, closed, follows, cleans)
    end(world, a, "completed")
    world.think()
    assert (world.read(closed.id).reason, world.read(closed.id).closed_by) == ("dependency a completed", a.id)
    assert world.read(follows.id).reason == "dependency closed was cancelled"
    assert world.statuses([closed.id, follows.id, cleans.id]) == ["cancelled", "cancelled", "ready"]


def test_a_rule_that_wanted_a_failure_says_that_there_was_none(world: World) -> None:
    a, b = parent(world, "a"), parent(world, "b")
    alarm = world.task("alarm", a, b, trigger_rule=TriggerRule.ONE_FAILED)
    world.submit(a, b, alarm)
    end(world, a, "completed")
    world.think()
    end(world, b, "completed")
    world.think()
    closed = world.read(alarm.id)
    assert (closed.reason, closed.closed_by) == ("no dependency failed", b.id)


def test_a_parent_that_is_opened_again_takes_its_word_back_but_calls_nobody_back(world: World) -> None:
    a, b = parent(world, "a"), parent(world, "b")
    alarm = world.task("alarm", a, b, trigger_rule=TriggerRule.ONE_FAILED)
    both = world.task("both", a, b, trigger_rule=TriggerRule.ALL_FAILED)
    world.submit(a, b, alarm, both)
    end(world, a, "failed")
    world.think()
    assert world.statuses([alarm.id, both.id]) == ["ready", "pending"]
    assert world.run(tasks.reopen(str(a.id))).ok
    world.think()
    assert world.statuses([alarm.id, both.id]) == ["ready", "pending"]
    end(world, b, "failed")
    world.think()
    assert world.status(both.id) == "pending"  # a may still complete
    end(world, a, "failed")
    world.think()
    assert world.status(both.id) == "ready"


def test_what_a_rule_closed_opens_again_when_the_rule_may_hold_again(world: World) -> None:
    a, b = parent(world, "a"), parent(world, "b")
    alarm = world.task("alarm", a, b, trigger_rule=TriggerRule.ONE_FAILED)
    world.submit(a, b, alarm)
    end(world, a, "completed")
    end(world, b, "cancelled")
    world.think()
    assert world.status(alarm.id) == "cancelled"
    assert world.run(tasks.reopen(str(alarm.id))).word == "blocked"
    assert world.run(tasks.reopen(str(b.id))).ok
    world.think()
    assert world.status(alarm.id) == "pending"
    end(world, b, "failed")
    world.think()
    assert world.status(alarm.id) == "ready"


def test_a_failed_task_with_a_rule_is_opened_again_although_dependencies_ended_badly(world: World) -> None:
    a, b = parent(world, "a"), parent(world, "b")
    clean = world.task("clean", a, b, trigger_rule=TriggerRule.ALL_DONE)
    after = world.task("after", clean)
    world.submit(a, b, clean, after)
    end(world, a, "failed")
    end(world, b, "cancelled")
    world.think()
    world.finish(clean, disposition="failed")
    world.think()
    assert world.statuses([clean.id, after.id]) == ["failed", "cancelled"]
    assert world.run(tasks.reopen(str(clean.id))).ok
    world.think()
    assert world.statuses([clean.id, after.id]) == ["ready", "pending"]
    world.finish(clean, after)


def test_an_early_starter_that_is_over_is_left_alone_by_later_ends(world: World) -> None:
    a, b = parent(world, "a"), parent(world, "b")
    first = world.task("first", a, b, trigger_rule=TriggerRule.ONE_SUCCESS)
    last = world.task("last", b, first)
    world.submit(a, b, first, last)
    end(world, a, "completed")
    world.think()
    world.finish(first)
    end(world, b, "failed")
    world.think()
    assert world.statuses([first.id, last.id]) == ["completed", "cancelled"]


def test_an_early_starter_goes_without_a_trace_while_its_parent_runs(world: World) -> None:
    """Its run is pruned, and its parent, of another run, still had it among its dependents."""
    slow = world.new("slow", capability="p-slow")
    quick = world.task("quick", slow, trigger_rule=TriggerRule.ALWAYS)
    run = world.submit(quick)
    world.think()
    world.finish(quick)
    world.elect()
    [one] = world.run(retention.expired(world.keys, -60))
    assert one.run_id == run
    assert world.run(retention.prune_range(world.term, one))[0] == "ok"
    assert world.status(quick.id) == ""
    end(world, slow, "completed")
    world.think()
    assert world.fields("task", quick.id) == {}


@pytest.mark.parametrize("rule", RULES)
def test_hold_and_time_come_before_the_rule(world: World, rule: TriggerRule) -> None:
    how = "failed" if rule in {TriggerRule.ALL_FAILED, TriggerRule.ONE_FAILED} else "completed"
    a = world.new("a", capability="p-a")
    soon = datetime.now(UTC) + timedelta(seconds=30)
    held = world.new("held", a, trigger_rule=rule, hold=True)
    timed = world.new("timed", a, trigger_rule=rule, scheduled_at=soon)
    end(world, a, how)
    world.think()
    assert world.statuses([held.id, timed.id]) == ["pending", "pending"]
    assert world.read(held.id).reason == "held; execute_task starts it"
    assert world.run(tasks.execute(str(held.id), None)).ok
    world.age(60)
    world.run(coordination.fire_timers(world.elect()))
    world.think()
    assert world.statuses([held.id, timed.id]) == ["ready", "ready"]


def test_a_rule_sees_the_same_in_every_order_of_three(world: World) -> None:
    for ends in permutations(ENDS, 3):
        parents = [parent(world, name) for name in "abc"]
        done, clean = (
            world.task(name, *parents, trigger_rule=rule)
            for name, rule in (("done", TriggerRule.ALL_DONE), ("clean", TriggerRule.NONE_FAILED))
        )
        world.submit(*parents, done, clean)
        for one, how in zip(parents, ends, strict=True):
            assert world.status(done.id) == "pending"
            end(world, one, how)
            world.think()
        assert world.statuses([done.id, clean.id]) == ["ready", "cancelled"]
        world.run(tasks.cancel(str(done.id), "tidy"))


def test_a_rule_counts_hundreds_of_dependencies_and_finds_the_one_to_blame(real: World) -> None:
    many = [real.task(f"p{n}", capability="p") for n in range(700)]
    last = many[-1]
    real.submit(*many)
    alarm = real.task("alarm", *many, trigger_rule=TriggerRule.ONE_FAILED)
    clean = real.task("clean", *many, trigger_rule=TriggerRule.NONE_FAILED)
    first = real.task("first", *many, trigger_rule=TriggerRule.ONE_SUCCESS)
    real.submit(alarm, clean, first)
    slot = real.slot("s", queues="p=p")
    real.beat(queues="p=p", slots=0)
    told = real.claim(slot).assignment
    while told is not None:
        how = "failed" if told.task_id == str(last.id) else "completed"
        told = real.report(told, slot, how, pull=True).assignment
    real.think()
    assert real.statuses([alarm.id, clean.id, first.id]) == ["ready", "cancelled", "ready"]
    assert real.read(clean.id).closed_by == last.id


def test_a_rule_that_changes_before_the_first_attempt_counts_at_once(world: World) -> None:
    a, b = parent(world, "a"), parent(world, "b")
    child = world.task("child", a, b)
    world.submit(a, b, child)
    end(world, a, "completed")
    for rule, shows in (
        (TriggerRule.ONE_SUCCESS, "ready"),
        (TriggerRule.ALL_DONE, "pending"),
        (TriggerRule.ALL_SUCCESS, "pending"),
        (TriggerRule.ALWAYS, "ready"),
        (TriggerRule.ALL_SUCCESS, "pending"),
    ):
        stored = world.read(child.id)
        new = world.record(stored.model_copy(update={"trigger_rule": rule}))
        revision = world.fields("task", child.id).get("rev", "0")
        update = tasks.update(
            str(child.id), revision, new, int(new.row["score"]), index_names(stored),
            before_first_run=True, edges=tasks.EdgeChange(),
        )  # fmt: skip
        assert world.run(update).ok
        world.think()
        assert world.status(child.id) == shows, rule
        assert world.read(child.id).trigger_rule is rule
        world.check()
    end(world, b, "completed")
    assert world.status(child.id) == "ready"


def test_a_waiting_task_says_by_which_rule_it_waits(world: World) -> None:
    a, b = parent(world, "a"), parent(world, "b")
    child = world.task("child", a, b, trigger_rule=TriggerRule.ONE_SUCCESS)
    world.submit(a, b, child)
    assert world.read(child.id).reason == "waits for one_success of its dependencies; 2 are open"
    end(world, a, "failed")
    world.think()
    assert world.read(child.id).reason == "waits for one_success of its dependencies; 1 are open"


def test_more_dependencies_than_one_script_takes_keep_their_rule(real: World) -> None:
    many = [real.task(f"p{n}", capability="p") for n in range(graphs.EDGES + 44)]
    child = real.task("child", *many, trigger_rule=TriggerRule.ALWAYS)
    real.submit(*many, child)
    real.think()
    assert real.status(child.id) == "ready"


@pytest.mark.parametrize("rule", ["all_success", "none_failed"])
def test_a_dependency_that_is_gone_counts_as_it_ended(world: World, rule: str) -> None:
    """Its word cannot be taken back any more: who was closed by another and is asked to open again stays closed."""
    first, other = world.new("first"), world.new("other")
    task = world.new("task", first, other, trigger_rule=rule)
    world.finish(first, other, disposition="failed")
    world.think()
    assert world.read(task.id).closed_by in {first.id, other.id}
    closing = first if world.read(task.id).closed_by == first.id else other
    gone = other if closing is first else first
    assert world.run(tasks.delete(str(gone.id), index_names(world.read(gone.id)), world.since())).ok
    assert world.run(tasks.reopen(str(closing.id))).ok
    world.think()
    assert world.status(task.id) == "cancelled"
    assert world.read(task.id).reason == f"dependency {gone.id} failed" or rule != "all_success"
    world.finish(closing)
    world.think()
    assert world.status(task.id) == "cancelled"
