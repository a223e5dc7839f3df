"""A task paused by name is in no set and its timers stand; resumed, its waits say where it belongs. And holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from taskengine.models import Task
from taskengine.store import coordination, executions, nodes, tasks
from taskengine.store.replies import Reply

from .world import World, eid


def pause(world: World, task: Task, until: datetime | None = None) -> Reply:
    return world.run(tasks.pause(str(task.id), "ann", "why", until))


def resume(world: World, task: Task) -> Reply:
    return world.run(tasks.resume(str(task.id)))


def fire(world: World) -> None:
    world.elect()
    world.run(coordination.fire_timers(world.term))


def test_ready_task_is_paused_and_resumed_to_its_place(world: World) -> None:
    first, second = world.new("a"), world.new("b")
    assert pause(world, first).ok
    assert (world.status(first.id), world.ready()) == ("paused", [str(second.id)])
    assert (world.read(first.id).reason or "").startswith("paused: task by ann since ")
    assert resume(world, first).text() == "ready"
    assert world.ready() == [str(first.id), str(second.id)]
    assert world.happened(first.id) == ["created", "ready", "paused", "resumed", "ready"]


def test_granted_task_is_taken_back_and_its_slot_serves_another(world: World) -> None:
    world.beat(slots=1)
    first = world.new("a")
    second = world.new("b")
    assert world.granted() == [eid(first)]
    assert pause(world, first).ok
    assert world.granted() == [eid(second)]
    assert world.claim(world.slot(), eid(first)).assignment is None


def test_parked_task_leaves_its_park(world: World) -> None:
    world.beat()
    task = world.new("a", assigned_to="nobody")
    assert pause(world, task).ok
    assert not world.raw.exists(world.keys.of("park", "offer:nobody"))


def test_dependencies_that_end_meanwhile_count(world: World) -> None:
    a = world.new("a")
    b = world.new("b", a)
    pause(world, b)
    world.finish(a)
    assert world.status(b.id) == "paused"
    assert resume(world, b).text() == "ready"


def test_dependency_that_fails_meanwhile_closes_it_at_its_resume(world: World) -> None:
    a = world.new("a")
    b = world.new("b", a)
    pause(world, b)
    world.finish(a, disposition="failed")
    world.think()
    assert world.status(b.id) == "paused"
    assert resume(world, b).text() == "pending"
    world.think()
    assert (world.status(b.id), world.read(b.id).closed_by) == ("cancelled", a.id)


def test_schedule_stands_still(world: World) -> None:
    task = world.new("a", scheduled_at=datetime.now(UTC) + timedelta(seconds=5))
    pause(world, task)
    world.age(60)
    fire(world)
    assert world.status(task.id) == "paused"
    assert resume(world, task).text() == "pending"
    fire(world)
    assert world.status(task.id) == "pending"
    world.age(5)
    fire(world)
    assert world.status(task.id) == "ready"


def test_retry_stands_still_and_keeps_its_error(world: World) -> None:
    task = world.new("a")
    world.report(world.start(), disposition="retry", retry_ms=5000, error="boom")
    pause(world, task)
    world.age(60)
    fire(world)
    assert (world.status(task.id), world.read(task.id).error_message) == ("paused", "boom")
    assert resume(world, task).text() == "retrying"
    fire(world)
    assert world.status(task.id) == "retrying"
    world.age(5)
    fire(world)
    assert (world.status(task.id), world.read(task.id).retry_count) == ("ready", 1)


@pytest.mark.parametrize("end", ["retry", "lost", "handed_back", "timed_out"])
def test_running_task_pauses_instead_of_its_next_attempt(world: World, end: str) -> None:
    task = world.new("a")
    told = world.start()
    assert pause(world, task).ok
    assert (world.status(task.id), world.read(task.id).pause_requested) == ("running", True)
    match end:
        case "retry":
            world.report(told, disposition="retry", retry_ms=5000, error="boom")
        case "lost":
            world.run(nodes.remove_node("n1"))
        case "handed_back":
            world.run(executions.hand_back([(told.execution_id, 1)], "stop"))
        case _:
            world.run(executions.time_out(told.execution_id, 1, retry_ms=5000, error="long"))
    assert world.status(task.id) == "paused"
    assert world.ready() == []
    assert not world.read(task.id).pause_requested
    waits = end in ("retry", "timed_out")
    assert resume(world, task).text() == ("retrying" if waits else "ready")


@pytest.mark.parametrize("disposition", ["completed", "failed"])
def test_terminal_end_of_a_running_one_is_applied_as_it_is(world: World, disposition: str) -> None:
    task = world.new("a")
    told = world.start()
    pause(world, task)
    world.report(told, disposition=disposition)
    assert world.status(task.id) == disposition


def test_cancel_wins_over_a_pause_asked_for(world: World) -> None:
    task = world.new("a")
    told = world.start()
    pause(world, task)
    world.run(tasks.cancel(str(task.id), "no"))
    world.report(told, disposition="retry", retry_ms=5000)
    assert world.status(task.id) == "cancelled"


def test_pause_asked_of_a_running_one_can_be_taken_back(world: World) -> None:
    task = world.new("a")
    told = world.start()
    pause(world, task)
    assert resume(world, task).text() == "running"
    world.report(told, disposition="retry", retry_ms=5000)
    assert world.status(task.id) == "retrying"


def test_paused_task_is_cancelled_at_once_and_leaves_nothing(world: World) -> None:
    task = world.new("a", scheduled_at=datetime.now(UTC) + timedelta(seconds=5))
    pause(world, task, datetime.now(UTC) + timedelta(hours=1))
    assert world.run(tasks.cancel(str(task.id), "no")).ok
    assert world.raw.zcard(world.keys.fixed("timers")) == 0


def test_pause_of_a_task_ends_by_itself(world: World) -> None:
    task = world.new("a")
    pause(world, task, datetime.now(UTC) + timedelta(seconds=30))
    world.age(60)
    fire(world)
    assert world.status(task.id) == "ready"


def test_pause_whose_end_came_before_the_running_one_ended_is_none(world: World) -> None:
    task = world.new("a")
    told = world.start()
    pause(world, task, datetime.now(UTC) + timedelta(seconds=30))
    story = world.fields("task", task.id)["pq"]
    end = int(story.split('"until":')[1].split(",")[0])
    world.raw.hset(world.keys.of("task", task.id), "pq", story.replace(str(end), str(end - 60_000)))
    world.report(told, disposition="retry", retry_ms=5000)
    assert world.status(task.id) == "retrying"


def test_pause_again_takes_the_new_terms(world: World) -> None:
    task = world.new("a")
    pause(world, task)
    answer = world.run(tasks.pause(str(task.id), "bob", "other", datetime.now(UTC) + timedelta(hours=1)))
    assert answer.ok
    assert "by bob" in (world.read(task.id).reason or "")


def test_pause_and_resume_refuse_what_does_not_fit(world: World) -> None:
    task = world.new("a")
    assert resume(world, task).word == "conflict"
    assert pause(world, task, datetime.now(UTC) - timedelta(seconds=1)).word == "late"
    world.finish(task)
    assert (pause(world, task).word, resume(world, task).word) == ("conflict", "conflict")
    assert world.run(tasks.pause(eid("x"), "ann", None, None)).word == "missing"


def test_paused_task_can_be_changed_but_not_executed(world: World) -> None:
    a, b = world.new("a"), world.new("b")
    pause(world, a)
    assert world.run(tasks.execute(str(a.id), None)).word == "conflict"
    revision = world.run(tasks.edge_revision(world.keys))
    assert world.run(tasks.add_dependency(str(a.id), str(b.id), revision, "sha")).ok
    assert resume(world, a).text() == "pending"
    world.finish(b)
    assert world.status(a.id) == "ready"


def hold(world: World, task: Task, *, held: bool = True) -> Reply:
    return world.run(tasks.hold(str(task.id), held=held))


def test_hold_pulls_a_queued_task_back_and_release_puts_it_to_its_place(world: World) -> None:
    world.beat(slots=1)
    first = world.new("a")
    second = world.new("b")
    assert (hold(world, first).number(1), world.granted()) == (1, [eid(second)])
    assert (world.status(first.id), world.read(first.id).reason) == (
        "pending", "held; execute_task starts it",
    )  # fmt: skip
    third = world.new("c")
    assert hold(world, first, held=False).text() == "ready"
    assert world.ready() == [str(first.id), str(third.id)]


def test_hold_survives_pause_and_dependencies(world: World) -> None:
    a = world.new("a")
    b = world.new("b", a)
    assert hold(world, b).text() == "pending"
    pause(world, b)
    world.finish(a)
    assert resume(world, b).text() == "pending"
    assert hold(world, b, held=False).text() == "ready"


def test_hold_says_whether_it_changed_anything(world: World) -> None:
    task = world.new("a", hold=True)
    assert world.read(task.id).hold
    assert hold(world, task).number(1) == 0
    assert hold(world, task, held=False).number(1) == 1
    assert not world.read(task.id).hold
    assert hold(world, task, held=False).number(1) == 0


def test_what_has_started_can_not_be_held(world: World) -> None:
    task = world.new("a")
    told = world.start()
    assert hold(world, task).word == "conflict"
    world.report(told, disposition="retry", retry_ms=5000)
    assert hold(world, task).word == "conflict"


@pytest.mark.parametrize("kind", ["expire", "queue"])
def test_clocks_of_a_paused_task_stand_and_run_again(world: World, kind: str) -> None:
    in_an_hour = {"expires_at": datetime.now(UTC) + timedelta(hours=1)}
    clock: dict[str, Any] = in_an_hour if kind == "expire" else {"queue_timeout": 3600}
    task = world.new("a", **clock)
    timer = f"{kind}:{task.id}"
    timers = world.keys.fixed("timers")
    assert world.raw.zscore(timers, timer)
    pause(world, task)
    assert world.raw.zscore(timers, timer) is None
    world.age(7200)
    fire(world)
    assert world.status(task.id) == "paused"
    assert resume(world, task).text() == "ready"
    assert world.raw.zscore(timers, timer) > world.run(coordination.server_ms()) + 3_500_000
    fire(world)
    assert world.status(task.id) == "ready"


def test_total_timeout_stands_while_its_task_is_paused(world: World) -> None:
    task = world.new("a", total_timeout=60)
    world.report(world.start(), disposition="retry", retry_ms=5000, error="boom")
    pause(world, task)
    world.age(120)
    fire(world)
    assert world.status(task.id) == "paused"
    assert resume(world, task).text() == "retrying"
    world.age(10)
    fire(world)
    assert world.status(task.id) == "ready"
