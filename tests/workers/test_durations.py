"""What tasks took is learned from those that ran, and orders and explains those that come."""

from __future__ import annotations

import pytest

from taskengine.core.estimates import kind_of
from taskengine.core.order import rank, unpack
from taskengine.core.peaks import Peak, names_of, peak_from
from taskengine.models import Task
from taskengine.store import estimates

from ..fleet import Fleet, until
from .conftest import Pool


def read_estimates(fleet: Fleet, queue: str, name: str) -> float | None:
    kind = kind_of(queue, name)
    return fleet.store.run(estimates.read_estimates(fleet.keys, [kind])).get(kind)


def test_a_run_that_completed_is_an_estimate_for_its_kind(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(Task(name="nap 1", capability=pool.queue, input={"seconds": 0.3}))
    (execution,) = fleet.executions(str(task.id))
    took = execution.resource_usage.wall_seconds
    assert took >= 0.3
    assert until(lambda: read_estimates(fleet, pool.queue, "nap 2")) == pytest.approx(took, abs=0.001)


def test_a_run_that_failed_teaches_nothing(fleet: Fleet, pool: Pool) -> None:
    fleet.run(Task(name="broken", capability=pool.queue, input={"do": "fail"}, max_retries=0))
    fleet.run(Task(name="whole", capability=pool.queue), Task(name="whole", capability=pool.queue))

    def later_ones_are_known() -> bool:
        fleet.run(Task(name="whole", capability=pool.queue))
        return read_estimates(fleet, pool.queue, "whole") is not None

    until(later_ones_are_known)
    assert read_estimates(fleet, pool.queue, "broken") is None


def test_what_a_run_used_that_reserved_something_is_known_of_its_kind(fleet: Fleet, pool: Pool) -> None:
    kind = kind_of(pool.queue, "reserves")

    def peak() -> Peak | None:
        fleet.run(Task(name="reserves", capability=pool.queue, resource_requirements={"memory_gb": 0.25}))
        return peak_from(fleet.store.run(estimates.read_estimates(fleet.keys, names_of(kind))), kind)

    found = until(peak)
    assert found is not None
    assert found.runs >= 1
    assert 0 < found.memory_gb < 4


def test_a_client_that_says_nothing_gets_the_place_of_what_its_kind_took(fleet: Fleet) -> None:
    fleet.store.run(estimates.update_estimates({kind_of("nobody", "long 7"): 900.0}))
    with fleet.api() as api:
        silent = api.create_task(Task(name="long 8", capability="nobody"))
        said = api.create_task(Task(name="long 9", capability="nobody", estimated_seconds=5))
        graph = [Task(name="long 10", capability="nobody")]
        graph.append(Task(name="other", capability="nobody", depends_on={graph[0].id}))
        api.create_tasks(graph)
    ranks = [unpack(float(score_of(fleet, task))).rank for task in (silent, said, graph[0], graph[1])]
    assert ranks == [rank(900_000), rank(5_000), rank(901_000), rank(1_000)]
    for task in (silent, said, *graph):
        fleet.cancel(str(task.id))


def score_of(fleet: Fleet, task: Task) -> str:
    return fleet.server.client.hget(fleet.keys.of("task", task.id), "sc").decode()
