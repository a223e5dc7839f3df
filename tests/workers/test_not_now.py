"""An agent that cannot do it yet: its task comes back later, and nothing is spent."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine.models import Task

from ..fleet import Fleet, until
from .conftest import Pool
from .test_starting import heard_events


@pytest.mark.parametrize("raises", [False, True], ids=["returned", "raised"])
def test_not_now_comes_back_after_its_delay_and_spends_no_retry(fleet: Fleet, pool: Pool, raises: bool) -> None:
    wish = {"do": "refuse", "times": 2, "delay": 0.3, "raise": raises}
    (task,) = fleet.run(Task(capability=pool.queue, max_retries=0, input=wish))
    assert (task.status.value, task.attempt, task.retry_count, task.lost_count) == ("completed", 3, 0, 0)
    first, second, third = fleet.executions(str(task.id))
    reason = "the rate limit of 5 requests a minute"
    assert [(e.status.value, e.error_kind, e.error_message) for e in (first, second)] == [
        ("failed", "not_now", reason)
    ] * 2
    assert third.result == {"attempt": 3}
    assert (second.started_at - first.completed_at).total_seconds() >= 0.3


def test_not_now_says_when_and_why_and_leaves_its_slot_to_others(fleet: Fleet) -> None:
    (id,) = fleet.submit(Task(capability="work", input={"do": "refuse", "times": 1, "delay": 3600}))
    task = fleet.until_status(id, "retrying")
    assert task.reason == "its agent said not now: the rate limit of 5 requests a minute"
    assert task.next_attempt_at is not None
    assert {t.status.value for t in fleet.run(*(Task(capability="work") for _ in range(4)))} == {"completed"}
    assert fleet.statuses([id]) == ["retrying"]
    fleet.cancel(id)


@pytest.mark.parametrize("delay", [-1, 90_000, "soon", True])
def test_a_wrong_delay_fails_with_the_line_of_the_agent(fleet: Fleet, delay: Any) -> None:
    for raises in (False, True):
        wish = {"do": "refuse", "delay": delay, "raise": raises}
        (task,) = fleet.run(Task(capability="work", max_retries=0, input=wish))
        assert task.error_message is not None
        assert "InvalidInputError: Outcome.delay is" in task.error_message
        assert "use seconds from 0 to 86400 (24 hours) (fleet_agents.py:" in task.error_message


def test_not_now_is_seen_as_a_retried_task(bare_fleet: Fleet) -> None:
    bare_fleet.coordinator()
    bare_fleet.worker("w", "-Q", "work", slots=1)
    with heard_events(bare_fleet) as heard:
        (task,) = bare_fleet.run(Task(capability="work", input={"do": "refuse", "times": 1}))
        first = str(bare_fleet.executions(str(task.id))[0].id)
        until(lambda: {"task-retried", "task-succeeded"} <= {event["type"] for event in heard})
    assert [event["uuid"] for event in heard if event["type"] == "task-retried"] == [first]


def test_not_now_of_an_agent_holds_its_siblings_back_until_then(bare_fleet: Fleet) -> None:
    bare_fleet.coordinator()
    bare_fleet.worker("w", "-Q", "work,special", slots=2)
    wish = {"do": "refuse", "times": 1, "delay": 2.0, "scope": "agent"}
    (id,) = bare_fleet.submit(Task(capability="work", input=wish))
    bare_fleet.until_status(id, "retrying")
    (other,) = bare_fleet.run(Task(capability="special"))
    assert other.status.value == "completed"
    (sibling,) = bare_fleet.submit(Task(capability="work"))
    with bare_fleet.api() as api:
        headline = api.explain(sibling).headline
    assert "paused is agent worker by the agent itself since" in headline
    assert "(the rate limit of 5 requests a minute); it ends by itself" in headline
    assert set(bare_fleet.wait([id, sibling])) == {"completed"}
    again = bare_fleet.executions(id)[0].completed_at
    began = bare_fleet.executions(sibling)[0].started_at
    assert (began - again).total_seconds() >= 1.9
    assert bare_fleet.task(sibling).retry_count == 0


def test_a_wrong_scope_is_named(fleet: Fleet) -> None:
    wish = {"do": "refuse", "scope": "world"}
    (task,) = fleet.run(Task(capability="work", max_retries=0, input=wish))
    assert "Outcome.scope is 'world'; use None (this task), 'agent'" in (task.error_message or "")
