"""Limits of a pool child count executions: a message runs as many as fit into its slice."""

from __future__ import annotations

from collections import Counter

import pytest

from taskengine.models import Task
from workers.recycling import Limits, Recycling

from ..fleet import Fleet


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("option", "most"), [(("--max-tasks-per-child", "1"), 1), (("--max-tasks-per-child", "3"), 3),
                         (("--max-memory-per-child", "1"), 1)]
)  # fmt: skip
def test_a_child_runs_as_many_executions_as_it_was_told_and_none_is_lost(
    bare_fleet: Fleet, option: tuple[str, str], most: int
) -> None:
    bare_fleet.coordinator()
    bare_fleet.await_leader()
    worker = bare_fleet.worker("w", "-Q", "work", *option, slots=2)
    tasks = bare_fleet.run(*(Task(capability="work", input={"do": "nothing"}) for _ in range(9)), seconds=60)
    assert {(task.status.value, task.attempt, task.lost_count) for task in tasks} == {("completed", 1, 0)}
    ran = Counter(effect.pid for effect in bare_fleet.effects("begin"))
    assert max(ran.values()) == most
    assert "ERROR" not in worker.log()


def test_threads_are_told_that_they_have_no_children(bare_fleet: Fleet) -> None:
    worker = bare_fleet.worker("w", "-Q", "work", "--max-tasks-per-child", "1", pool="threads")
    assert "have no effect" in worker.log()


def test_what_may_follow_depends_on_the_count_and_on_the_memory() -> None:
    free, one, two, small = Recycling(Limits()), Recycling(Limits(1)), Recycling(Limits(2)), Recycling(Limits(memory=1))
    assert [free.ran_one() for _ in range(1000)] == [True] * 1000
    assert [one.is_over, one.ran_one(), one.is_over] == [False, False, True]
    assert [two.ran_one(), two.ran_one()] == [True, False]
    assert [small.is_over, small.ran_one(), small.is_over] == [False, False, True]
