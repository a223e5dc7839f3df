"""Pauses as clients ask for them: one scope a call, the answer says how it stands, mistakes are named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from taskengine import InvalidInputError, NotAllowedError, NotFoundError, Task
from taskengine.models import PauseScope, PauseState

from ..store.world import World


def lint(name: str = "a", **fields: Any) -> Task:
    return Task(**{"name": name, "capability": "lint"} | fields)


def test_pause_says_who_why_since_and_what_still_runs(api: Any, world: World) -> None:
    api.create_task(lint())
    told = world.start()
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    made = api.pause(capability="lint", reason="freeze", until=end, by="ann")
    assert (made.scope, made.name, made.by, made.reason) == (PauseScope.CAPABILITY, "lint", "ann", "freeze")
    assert (made.until, made.running, made.state) == (end, 1, PauseState.DRAINING)
    world.report(told)
    again = api.pause(capability="lint", reason="freeze", until=end, by="ann")
    assert again == made.model_copy(update={"running": 0})
    assert again.state is PauseState.DRAINED
    assert api.list_pauses() == [again]


def test_pauses_are_listed_oldest_first_and_end_one_by_one(api: Any) -> None:
    task = api.create_task(lint())
    made = [
        api.pause(everything=True), api.pause(run_id=task.run_id), api.pause(agent_id="bot"),
        api.pause(capability="lint"),
    ]  # fmt: skip
    assert sorted(map(str, api.list_pauses())) == sorted(map(str, made))
    assert api.resume(everything=True)
    assert not api.resume(everything=True)
    assert api.resume(run_id=str(task.run_id))
    assert [one.name for one in api.list_pauses()] == ["bot", "lint"]


def test_pauses_are_seen_in_queues_health_and_tasks(api: Any) -> None:
    task = api.create_task(lint())
    made = api.pause(capability="lint", by="ann")
    assert api.get_queue_statistics()["queues"]["lint"]["paused"] == str(made)
    assert api.health_check()["pauses"] == [str(made)]
    assert api.get_task(task.id).reason == f"paused: {made}"
    assert str(made) in (api.create_task(lint(hold=True)).reason or "")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "capability"),
        ({"capability": "a", "everything": True}, "capability"),
        ({"capability": "two words"}, "capability"),
        ({"capability": ""}, "capability"),
        ({"agent_id": "@"}, "agent_id"),
        ({"run_id": "7"}, "run_id"),
        ({"everything": True, "reason": ""}, "reason"),
        ({"everything": True, "reason": "x" * 1001}, "reason"),
        ({"everything": True, "by": ""}, "by"),
        ({"everything": True, "until": datetime(2030, 1, 1)}, "until"),  # the point
        ({"everything": True, "until": datetime(2020, 1, 1, tzinfo=UTC)}, "until"),
        ({"everything": True, "until": "soon"}, "until"),
    ],
)
def test_wrong_pause_is_refused_and_nothing_is_paused(one: Any, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        one.pause(**wrong)
    assert refused.value.field == field
    assert one.list_pauses() == []


def test_unknown_run_is_not_found(one: Any) -> None:
    with pytest.raises(NotFoundError, match="no run"):
        one.pause(run_id=uuid4())


def test_task_is_paused_and_resumed_by_name(api: Any, world: World) -> None:
    task = api.create_task(lint())
    made = api.pause_task(task.id, reason="look first", by="ann")
    assert (made.scope, made.name, made.state) == (PauseScope.TASK, str(task.id), PauseState.DRAINED)
    assert api.get_task(task.id).status == "paused"
    assert "look first" in (api.get_task(task.id).reason or "")
    assert api.resume_task(task.id)
    assert not api.resume_task(task.id)
    world.start()
    assert api.pause_task(task.id).state is PauseState.DRAINING
    assert api.get_task(task.id).pause_requested


def test_task_is_held_and_released(api: Any) -> None:
    task = api.create_task(lint())
    assert api.hold_task(task.id)
    assert not api.hold_task(task.id)
    assert (api.get_task(task.id).status, api.get_task(task.id).hold) == ("pending", True)
    assert api.release_task(task.id)
    assert not api.release_task(task.id)
    assert api.get_task(task.id).status == "ready"


def test_reprioritised_task_starts_next(api: Any, world: World) -> None:
    tasks = [api.create_task(lint(f"t{n}")) for n in range(3)]
    api.update_task(tasks[2].id, priority=5)
    assert world.start().name == "t2"


@pytest.mark.parametrize("verb", ["pause_task", "resume_task", "hold_task", "release_task"])
def test_verb_on_what_is_over_is_refused_with_its_story(one: Any, world: World, verb: str) -> None:
    task = one.create_task(lint())
    world.finish(task)
    with pytest.raises(NotAllowedError, match="is completed") as refused:
        getattr(one, verb)(task.id)
    assert [word.split(" ")[1] for word in refused.value.history] == ["created", "ready", "started", "completed"]


def test_running_task_is_not_held_and_the_error_says_what_would_be_allowed(one: Any, world: World) -> None:
    task = one.create_task(lint())
    world.start()
    with pytest.raises(NotAllowedError, match="pause_task"):
        one.hold_task(task.id)


def test_paused_task_is_not_executed(one: Any) -> None:
    task = one.create_task(lint())
    one.pause_task(task.id)
    with pytest.raises(NotAllowedError, match="resume_task"):
        one.execute_task(task.id)


@pytest.mark.parametrize("verb", ["pause_task", "resume_task", "hold_task", "release_task"])
def test_verb_on_nobody_is_not_found(one: Any, verb: str) -> None:
    with pytest.raises(NotFoundError):
        getattr(one, verb)(uuid4())
