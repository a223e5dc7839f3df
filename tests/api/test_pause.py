"""Pauses as clients ask for them: one scope a call, the answer says how it stands, mistakes are named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from taskengine import InvalidInputError, NotFoundError, Task
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
