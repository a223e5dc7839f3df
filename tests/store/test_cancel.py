"""Cancel reaches a task wherever it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from taskengine.models import Task
from taskengine.store import coordination, executions, tasks
from taskengine.store.replies import Reply

from .world import World, eid


def cancel(world: World, task: Task) -> Reply:
    return world.run(tasks.cancel(str(task.id), "no more"))


def pending(world: World) -> Task:
    return world.new("a", world.new("parent", hold=True))


def held(world: World) -> Task:
    return world.new("a", hold=True)


def scheduled(world: World) -> Task:
    return world.new("a", scheduled_at=datetime.now(UTC) + timedelta(hours=1))


def ready(world: World) -> Task:
    return world.new("a")


def granted(world: World) -> Task:
    world.beat()
    task = world.new("a")
    assert world.granted() == [eid(task)]
    return task


def parked(world: World) -> Task:
    world.beat()
    task = world.new("a", assigned_to="nobody")
    assert world.raw.zcard(world.keys.of("park", "offer:nobody")) == 1
    return task


def retrying(world: World) -> Task:
    task = world.new("a")
    world.report(world.start(), disposition="retry", error="boom", retry_ms=1000)
    assert world.status(task.id) == "retrying"
    return task


@pytest.mark.parametrize("state", [pending, held, scheduled, ready, granted, parked, retrying])
def test_cancel_of_what_does_not_run_is_immediate_and_leaves_it_nowhere(world: World, state: object) -> None:
    task: Task = state(world)  # type: ignore[operator]  # one of the seven above
    assert cancel(world, task) == Reply("ok", ("cancelled",))
    found = world.read(task.id)
    assert (found.status, found.reason) == ("cancelled", "no more")
    assert found.completed_at is not None
    for name in ("leases", "granted_all", "timers"):
        assert not world.raw.zcard(world.keys.fixed(name)), name
    for queue in ("lint", "@nobody"):
        assert world.ready(queue) == []
        assert not world.raw.scard(world.keys.of("granted", queue))
    assert not world.raw.zcard(world.keys.of("park", "offer:nobody"))
    before = world.dump()
    assert cancel(world, task).word == "conflict"
    assert world.dump() == before


def test_cancel_of_a_granted_task_gives_its_slot_to_another(world: World) -> None:
    world.beat(slots=1)
    a, b = world.new("a"), world.new("b")
    assert world.granted() == [eid(a)]
    assert cancel(world, a).ok
    assert world.granted() == [eid(b)]


@pytest.mark.parametrize("end", ["completed", "failed", "retry", "grace", "lost", "timeout", "hand back"])
def test_cancel_of_a_running_task_is_asked_and_any_end_closes_it_as_cancelled(world: World, end: str) -> None:
    task = world.new("a")
    told = world.start()
    assert cancel(world, task).word == "asked"
    assert (world.status(task.id), world.read(task.id).cancel_requested) == ("running", True)
    assert world.beat(live=[world.slot()]).held[0].cancel_ms is not None
    match end:
        case "grace":
            assert world.run(executions.end_cancelled(told.execution_id, 1)).ok
        case "lost":
            world.beat()
            assert [one.execution_id for one in world.beat().lost] == [told.execution_id]
        case "timeout":
            assert world.run(executions.time_out(told.execution_id, 1, retry_ms=5, error="long")).ok
        case "hand back":
            assert world.run(executions.hand_back([(told.execution_id, 1)], "stop"))[0].ok
        case disposition:
            assert world.report(told, disposition=disposition, output='{"kept":1}', retry_ms=5).word == "ok"
    found = world.read(task.id)
    assert (found.status, found.reason) == ("cancelled", "no more")
    execution = world.run(executions.read(world.keys, told.execution_id))
    assert execution is not None
    if end in {"completed", "failed", "retry"}:
        assert (execution.status, execution.result) == ("cancelled", {"kept": 1})
    assert world.counts() == {"cancelled": 1}
    assert not world.raw.zcard(world.keys.fixed("timers"))


def test_cancel_asked_twice_is_asked_once(world: World) -> None:
    task = world.new("a")
    world.start()
    assert cancel(world, task).word == "asked"
    before = world.dump()
    assert cancel(world, task).word == "asked"
    assert world.dump() == before


def test_cancel_then_a_dead_worker_does_not_run_it_again(world: World) -> None:
    task = world.new("a")
    world.start()
    cancel(world, task)
    world.age(60)
    world.elect()
    assert world.run(coordination.rescue(world.term)).number() == 1
    assert world.status(task.id) == "cancelled"


@pytest.mark.parametrize("disposition", ["completed", "failed"])
def test_cancel_of_an_ended_task_is_a_conflict(world: World, disposition: str) -> None:
    task = world.new("a")
    world.finish(task, disposition=disposition)
    assert cancel(world, task) == Reply("conflict", (disposition,))
    assert cancel(world, world.task("nobody")).word == "missing"


def test_cancelled_task_that_is_opened_again_forgets_the_cancel(world: World) -> None:
    task = world.new("a")
    told = world.start()
    cancel(world, task)
    world.report(told)
    assert world.run(tasks.reopen(str(task.id))).ok
    found = world.read(task.id)
    assert (found.status, found.cancel_requested, found.reason) == ("ready", False, None)
    world.finish(task)
    assert world.status(task.id) == "completed"
