"""Laws of TaskScheduler: the order it shows is the order in which the engine would start the tasks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskengine.builders import CircularDependencyError, DependencyResolver, TaskScheduler
from taskengine.models import Task, TaskPriority, TaskStatus

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


def task(name: str, *after: Task, **fields: Any) -> Task:
    return Task(name=name, depends_on={one.id for one in after}, **fields)


def order(*tasks: Task) -> list[str]:
    """The order of tasks that nobody added to a resolver before."""
    return [one.name for one in TaskScheduler(DependencyResolver()).order(tasks)]


def test_priority_goes_first() -> None:
    tasks = [task(priority.name, priority=priority) for priority in TaskPriority]
    assert order(*tasks) == ["CRITICAL", "URGENT", "HIGH", "NORMAL", "LOW"]


def test_earlier_deadline_goes_first_inside_a_priority_and_none_last() -> None:
    assert order(
        task("none"),
        task("late", deadline=NOON + timedelta(hours=1)),
        task("early", deadline=NOON),
        task("high", priority=TaskPriority.HIGH),
    ) == ["high", "early", "late", "none"]


def test_longer_remaining_path_goes_first_inside_a_deadline() -> None:
    head = task("head", estimated_seconds=1)
    tail = task("tail", head, estimated_seconds=60)
    assert order(task("single", estimated_seconds=30), head, tail) == ["head", "tail", "single"]


def test_equals_start_first_come() -> None:
    names = [f"task {number}" for number in range(50)]
    assert order(*(task(name) for name in names)) == names


def test_dependencies_are_kept_before_any_priority() -> None:
    setup = task("setup", priority=TaskPriority.LOW)
    urgent = task("urgent", setup, priority=TaskPriority.CRITICAL)
    assert order(urgent, setup, task("normal")) == ["normal", "setup", "urgent"]


def test_dependency_through_tasks_of_the_resolver_is_kept() -> None:
    first = task("first", priority=TaskPriority.LOW)
    between = task("between", first)
    last = task("last", between, priority=TaskPriority.CRITICAL)
    found = TaskScheduler(DependencyResolver([first, between, last])).order([last, first])
    assert found == [first, last]


def test_dependents_in_the_resolver_lengthen_the_path_of_a_task() -> None:
    short, head = task("short", estimated_seconds=5), task("head")
    tail = task("tail", head, estimated_seconds=100)
    assert TaskScheduler(DependencyResolver([tail])).order([short, head]) == [head, short]


def test_given_task_counts_rather_than_the_resolvers_copy() -> None:
    stale, other = task("task", priority=TaskPriority.LOW), task("other")
    fresh = stale.model_copy(update={"priority": TaskPriority.CRITICAL})
    assert TaskScheduler(DependencyResolver([stale, other])).order([other, fresh]) == [fresh, other]


@pytest.mark.parametrize("status", [TaskStatus.RUNNING, TaskStatus.COMPLETED])
def test_what_runs_or_completed_is_left_out_and_holds_nobody_up(status: TaskStatus) -> None:
    begun = task("begun", status=status, priority=TaskPriority.LOW)
    assert order(task("normal"), begun, task("next", begun, priority=TaskPriority.HIGH)) == ["next", "normal"]


@pytest.mark.parametrize("status", [TaskStatus.FAILED, TaskStatus.CANCELLED])
def test_what_waits_for_a_failed_or_cancelled_task_never_starts(status: TaskStatus) -> None:
    failed = task("failed", status=status)
    child = task("child", failed)
    assert order(failed, child, task("grandchild", child), task("free")) == ["free"]


@pytest.mark.parametrize("status", [TaskStatus.READY, TaskStatus.RETRYING, TaskStatus.PAUSED])
def test_what_may_still_start_is_listed(status: TaskStatus) -> None:
    assert order(task("open", status=status)) == ["open"]


def test_unknown_dependency_is_taken_as_done() -> None:
    assert order(Task(name="stray", depends_on={uuid4()})) == ["stray"]


def test_cycle_is_refused_by_names() -> None:
    build = task("build")
    test = task("test", build)
    build.add_dependency(test.id)
    with pytest.raises(CircularDependencyError, match="build -> test -> build"):
        order(build, test)


def test_nothing_to_order_is_an_empty_list() -> None:
    assert order() == []


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_each_start_is_the_best_of_what_could_start_then(data: st.DataObject) -> None:
    tasks: list[Task] = []
    for number in range(data.draw(st.integers(0, 8))):
        earlier = [one.id for one in tasks]
        after = data.draw(st.sets(st.sampled_from(earlier), max_size=2)) if earlier else set()
        priority = data.draw(st.sampled_from(TaskPriority))
        tasks.append(Task(name=str(number), depends_on=after, priority=priority, estimated_seconds=0))
    found = TaskScheduler(DependencyResolver(tasks)).order(tasks)
    assert sorted(one.name for one in found) == sorted(one.name for one in tasks)
    for at, started in enumerate(found):
        before = {one.id for one in found[:at]}
        could = [one for one in found[at:] if one.depends_on <= before]
        assert started in could
        assert started == min(could, key=lambda one: (-one.priority, int(one.name)))
