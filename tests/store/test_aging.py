"""Waiting lifts a task by one class at a time, by its score alone."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine.core.order import unpack
from taskengine.models import Task, TaskPriority
from taskengine.store import coordination, executions, nodes, pauses, tasks
from taskengine.store.records import index_names

from .world import World

LOW, NORMAL, CRITICAL = TaskPriority.LOW, TaskPriority.NORMAL, TaskPriority.CRITICAL


@pytest.fixture(autouse=True)
def _served(request: pytest.FixtureRequest) -> None:
    """A queue that somebody serves, with no slot free."""
    request.getfixturevalue("world" if "world" in request.fixturenames else "real").beat(slots=0)


def wait(world: World, seconds: float, *waiting: Task) -> None:
    """Let *waiting* have waited *seconds* longer."""
    ms = round(seconds * 1000)
    for task in waiting:
        name = world.keys.of("task", task.id)
        world.raw.hincrby(name, "rdy", -ms)
        own, _, last = world.fields("task", task.id).get("ag", "").partition(" ")
        if last:
            world.raw.hset(name, "ag", f"{own} {int(last) - ms}")


def lift(world: World, queue: str = "lint") -> int:
    """One pass over a queue; how many tasks it lifted."""
    world.elect()
    start, lifted = 0, 0
    while start >= 0:
        answer = world.run(coordination.lift_aged(world.term, queue, start, 600_000))
        assert answer.ok
        lifted, start = lifted + answer.number(), answer.number(1)
    return lifted


def classes(world: World, *of: Task) -> list[int]:
    return [unpack(float(world.fields("task", task.id)["sc"])).priority_class for task in of]


def test_task_stands_a_class_higher_for_each_ten_minutes_and_keeps_its_priority(world: World) -> None:
    low = world.new("low", priority=LOW)
    for expected in (3, 2, 1, 0):
        wait(world, 599, low)
        assert lift(world) == 0
        wait(world, 2, low)
        assert (lift(world), lift(world)) == (1, 0)
        assert classes(world, low) == [expected]
    wait(world, 10_000, low)
    assert lift(world) == 0
    assert world.read(low.id).priority is LOW
    assert [e["e"] for e in world.events(world.run_of(low.id))] == ["created", "ready"]


def test_lifted_task_goes_before_those_that_came_later_to_its_class(world: World) -> None:
    old = world.new("old", priority=NORMAL)
    critical = world.new("critical", priority=CRITICAL)
    for _ in range(3):
        wait(world, 601, old)
        lift(world)
    later, normal = world.new("later", priority=CRITICAL), world.new("normal", priority=NORMAL)
    assert world.ready() == [str(t.id) for t in (old, critical, later, normal)]


def test_deadline_and_path_are_kept(world: World) -> None:
    task = world.new("a", priority=LOW, estimated_seconds=500, deadline="2030-01-31T12:00:00Z")
    before = unpack(float(world.fields("task", task.id)["sc"]))
    wait(world, 601, task)
    lift(world)
    assert unpack(float(world.fields("task", task.id)["sc"])) == before._replace(priority_class=3)


def test_next_attempt_waits_at_its_own_place(world: World) -> None:
    low = world.new("low", priority=LOW)
    wait(world, 601, low)
    lift(world)
    world.report(world.start(), disposition="retry", error="x", retry_ms=1000)
    world.age(2)
    assert world.run(coordination.fire_timers(world.elect())).number() == 1
    assert classes(world, low) == [4]
    assert "ag" not in world.fields("task", low.id)


def test_lost_worker_costs_no_place(world: World) -> None:
    low = world.new("low", priority=LOW)
    wait(world, 601, low)
    lift(world)
    told = world.start()
    world.run(executions.hand_back([(told.execution_id, 1)], "stop"))
    assert classes(world, low) == [3]


def test_opened_again_stands_at_its_own_place(world: World) -> None:
    low = world.new("low", priority=LOW)
    wait(world, 601, low)
    lift(world)
    world.finish(low, disposition="failed")
    assert world.run(tasks.reopen(str(low.id))).ok
    assert classes(world, low) == [4]


def test_new_priority_counts_from_itself(world: World) -> None:
    low = world.new("low", priority=LOW)
    wait(world, 601, low)
    lift(world)
    new = world.record(low.model_copy(update={"priority": NORMAL}))
    operation = tasks.update(
        str(low.id), "0", new, int(new.row["score"]), index_names(low), before_first_run=False, edges=tasks.EdgeChange()
    )
    assert world.run(operation).ok
    assert classes(world, low) == [3]
    assert (lift(world), classes(world, low)) == (1, [2])


def hold_by_pause(world: World) -> None:
    world.run(pauses.pause("cap:lint", "ann", None, None))


def hold_by_pausing_everything(world: World) -> None:
    world.run(pauses.pause("all", "ann", None, None))


def hold_by_losing_the_workers(world: World) -> None:
    world.run(nodes.remove_node("n1"))


@pytest.mark.parametrize("hold", [hold_by_pause, hold_by_pausing_everything, hold_by_losing_the_workers])
def test_queue_in_which_nothing_starts_does_not_age(world: World, hold: Any) -> None:
    low, normal = world.new("low", priority=LOW), world.new("normal", priority=NORMAL)
    hold(world)
    wait(world, 36_000, low, normal)
    assert lift(world) == 0


def test_hours_that_nobody_coordinated_are_one_class(world: World) -> None:
    low, normal = world.new("low", priority=LOW), world.new("normal", priority=NORMAL)
    wait(world, 36_000, low, normal)
    assert lift(world) == 2
    assert classes(world, low, normal) == [3, 2]
    assert lift(world) == 0


def test_pass_misses_nobody_while_heads_leave_and_lifted_ones_move(real: World) -> None:
    waiting = [real.new(f"t{n}", priority=TaskPriority(1 + n % 4)) for n in range(1000)]
    wait(real, 601, *waiting)
    real.elect()
    slot, start, lifted, gone = real.slot(), 0, 0, 1
    told = real.start(slot)
    while start >= 0:
        answer = real.run(coordination.lift_aged(real.term, "lint", start, 600_000))
        lifted, start = lifted + answer.number(), answer.number(1)
        for _ in range(20):
            told = real.report(told, slot, pull=True).assignment
            assert told
            gone += 1
    left = real.ready()
    assert (len(left), gone > 60) == (1000 - gone, True)
    aged = [id for id in left if "ag" in real.fields("task", id)]
    assert aged == left
    assert lifted >= len(left)


def test_stale_term_lifts_nobody(world: World) -> None:
    low = world.new("low", priority=LOW)
    wait(world, 601, low)
    old = world.elect("c1")
    world.run(coordination.resign("c1"))
    world.elect("c2")
    assert world.run(coordination.lift_aged(old, "lint", 0, 600_000)).word == "stale"
    assert classes(world, low) == [4]
