"""What Celery's users see of executions in Flower: each ends there, by the state that they expect."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from celery.events.state import State
from celery.events.state import Task as CeleryTask

from taskengine.models import Task

from ..fleet import Fleet, until
from .conftest import Pool, heard_events


class Watcher:
    """Celery's own picture of the cluster, as Flower draws it from what it hears."""

    def __init__(self, heard: list[dict[str, Any]]) -> None:
        self._heard = heard

    def seen(self, id: str) -> CeleryTask | None:
        """An execution as Flower knows it now."""
        state = State()
        for event in tuple(self._heard):
            state.event(dict(event))
        return state.tasks.get(id)

    def ends(self, fleet: Fleet, id: str) -> list[str]:
        """The states of a task's executions, oldest first, once each is over."""
        ids = [str(one.id) for one in fleet.executions(id)]
        return until(lambda: self._over(ids), what=f"ends of {ids}") or []

    def _over(self, ids: list[str]) -> list[str] | None:
        states = [getattr(self.seen(id), "state", "") for id in ids]
        return states if not {"", "PENDING", "RECEIVED", "STARTED"} & set(states) else None


@pytest.fixture(scope="module")
def watcher(fleet: Fleet) -> Iterator[Watcher]:
    with heard_events(fleet) as heard:
        yield Watcher(heard)


def run(fleet: Fleet, pool: Pool, do: str, **fields: Any) -> str:
    task = Task(capability=pool.queue, name=do, input={"do": do, **fields.pop("input", {})}, **fields)
    return fleet.submit(task)[0]


@pytest.mark.parametrize(
    ("do", "fields", "states"),
    [
        ("nothing", {}, ["SUCCESS"]),
        ("fail", {"max_retries": 0}, ["FAILURE"]),
        ("fail", {"max_retries": 1, "input": {"times": 1}, "retry": {"initial_interval": 0.01}}, ["RETRY", "SUCCESS"]),
        ("deaf", {"max_retries": 0, "timeout": 0.6, "input": {"seconds": 2}}, ["FAILURE"]),
    ],
)
def test_an_execution_ends_with_the_state_that_a_celery_user_expects(
    fleet: Fleet, pool: Pool, watcher: Watcher, do: str, fields: dict[str, Any], states: list[str]
) -> None:
    id = run(fleet, pool, do, **fields)
    fleet.wait([id])
    assert watcher.ends(fleet, id) == states
    (first, *_) = fleet.executions(id)
    seen = watcher.seen(str(first.id))
    assert seen is not None
    assert (seen.name, seen.worker.hostname) == ("worker", f"{pool.worker.name}@test")
    assert f"task={id}" in seen.args


@pytest.mark.parametrize("do", ["patient", "deaf"])
def test_a_cancelled_execution_is_revoked_whether_its_agent_returns_or_is_ended(
    fleet: Fleet, pool: Pool, watcher: Watcher, do: str
) -> None:
    id = run(fleet, pool, do, input={"seconds": 5})
    until(lambda: [e for e in fleet.effects("begin") if e.task == id], what="begin")
    fleet.cancel(id)
    fleet.until_status(id, "cancelled")
    assert watcher.ends(fleet, id) == ["REVOKED"]


def test_a_lost_execution_is_retried_and_the_last_one_failed(fleet: Fleet, watcher: Watcher) -> None:
    id = fleet.submit(Task(capability="work", name="vanishes", input={"do": "vanish"}))[0]
    fleet.until_status(id, "failed", 30)
    assert watcher.ends(fleet, id) == ["RETRY", "RETRY", "FAILURE"]


def test_what_ended_a_moment_before_its_child_died_is_seen(fleet: Fleet, watcher: Watcher) -> None:
    for _ in range(3):
        ids = fleet.submit(
            *(Task(capability="work", input={"do": "nothing"}) for _ in range(6)),
            Task(capability="work", input={"do": "vanish", "times": 1}),
            *(Task(capability="work", input={"do": "nothing"}) for _ in range(6)),
        )
        fleet.wait(ids)
        for id in ids:
            assert watcher.ends(fleet, id)[-1] == "SUCCESS"


def test_a_handed_back_execution_is_retried(bare_fleet: Fleet) -> None:
    fleet = bare_fleet
    fleet.coordinator()
    fleet.await_leader()
    first = fleet.worker("first")
    with heard_events(fleet) as heard:
        (id,) = fleet.submit(Task(capability="work", input={"do": "sleep", "seconds": 30}))
        until(lambda: fleet.effects("begin"), what="begin")
        first.send(signal.SIGQUIT)
        first.wait()
        assert Watcher(heard).ends(fleet, id) == ["RETRY"]
