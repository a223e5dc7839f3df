"""What an attempt leaves for the next ones, and what lets go of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from taskengine.agents import Reference
from taskengine.errors import PayloadTooLargeError
from taskengine.models import Task
from taskengine.store import coordination, executions, kept, tasks
from taskengine.store.replies import Assignment

from .world import World

Ends = Callable[[World, Assignment], None]
POSTED = Reference("codegen", "posted", "run-7", words={"org": 3})


def leave(world: World, reference: Reference = POSTED) -> tuple[Task, Assignment]:
    """A task whose running attempt checkpointed."""
    task = world.new("a")
    told = world.start()
    assert told.extra == {}
    assert world.run(kept.checkpoint(told.execution_id, told.attempt, reference)).ok
    return task, told


def found(told: Assignment) -> tuple[str, ...]:
    was = kept.previous(told)
    return () if was is None else (was.state, was.id, str(was.words))


def hand_back(world: World, told: Assignment) -> None:
    world.run(executions.hand_back([(told.execution_id, told.attempt)], "it goes"))


def be_lost(world: World, told: Assignment) -> None:
    world.age(60)
    assert world.status(told.task_id) == "running"
    world.beat("n2", slots=0)
    world.run(coordination.rescue(world.elect()))



def wait(world: World, told: Assignment) -> None:
    assert world.report(told, disposition="not_now", retry_ms=0, error="busy").word == "ok"
    ring(world)


def ring(world: World) -> None:
    world.age(5)
    world.run(coordination.fire_timers(world.elect()))


def break_off(world: World, told: Assignment) -> None:
    assert world.report(told, disposition="retry", error="x", error_kind="network").word == "ok"
    ring(world)


def fail(world: World, told: Assignment) -> None:
    assert world.report(told, disposition="retry", error="x", error_kind="remote_failed").word == "ok"
    ring(world)


@pytest.mark.parametrize("ends", [hand_back, be_lost, wait, break_off])
def test_an_attempt_without_a_final_answer_leaves_its_reference(world: World, ends: Ends) -> None:
    _, told = leave(world)
    ends(world, told)
    assert found(world.start(world.slot("s2"))) == ("posted", "run-7", "{'org': 3}")


def test_a_failed_attempt_leaves_none(world: World) -> None:
    _, told = leave(world)
    fail(world, told)
    assert found(world.start(world.slot("s2"))) == ()


def test_a_completed_task_keeps_none(world: World) -> None:
    task, told = leave(world)
    world.report(told)
    assert "ref" not in world.fields("task", task.id)
    assert "run-7" in world.fields("exec", told.execution_id)["ref"]


def test_a_task_that_is_opened_again_begins_anew(world: World) -> None:
    task, told = leave(world)
    world.run(tasks.cancel(str(task.id), "no"))
    world.run(executions.end_cancelled(told.execution_id, told.attempt))
    world.run(tasks.reopen(str(task.id)))
    assert found(world.start(world.slot("s2"))) == ()


def test_a_reference_says_when_it_was_first_written(world: World) -> None:
    _, told = leave(world)
    hand_back(world, told)
    next_one = world.start(world.slot("s2"))
    was = kept.previous(next_one)
    assert was is not None
    assert was.at_ms > 0
    assert world.run(kept.checkpoint(next_one.execution_id, next_one.attempt, was)).ok
    hand_back(world, next_one)
    assert kept.previous(world.start(world.slot("s3"))) == was


def test_an_attempt_that_is_over_keeps_nothing(world: World) -> None:
    _, told = leave(world)
    hand_back(world, told)
    answer = world.run(kept.checkpoint(told.execution_id, told.attempt, Reference("codegen", "posted", "run-8")))
    assert (answer.word, answer.text()) == ("fenced", "cancelled")
    assert found(world.start(world.slot("s2")))[1] == "run-7"


def test_a_reference_has_a_limit() -> None:
    with pytest.raises(PayloadTooLargeError, match="reference"):
        kept.checkpoint("e", 1, Reference("t", "intent", words={"a": "x" * 300_000}))


def test_a_slot_that_goes_on_is_told_as_well(world: World) -> None:
    _, told = leave(world)
    hand_back(world, told)
    first = world.new("first", priority=5)
    other = world.start(world.slot("s2"))
    assert other.task_id == str(first.id)
    answer = world.report(other, world.slot("s2"), pull=True)
    assert answer.assignment is not None
    assert found(answer.assignment)[1] == "run-7"
