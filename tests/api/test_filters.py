"""Filters by when a task was created and by what its last failure was: alone, with others, page by page, in bulk."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, InvalidInputError, Task, TaskPage
from taskengine.api.operations import ask
from taskengine.models import TaskFilter

from ..store.world import World, steps

TICK = timedelta(milliseconds=1)
MICROSECOND = timedelta(microseconds=1)


def lint(name: str = "a", **fields: Any) -> Task:
    return Task(**{"name": name, "capability": "lint"} | fields)


def names(page: TaskPage) -> list[str]:
    return [task.name for task in page]


def created(task: Task) -> datetime:
    assert task.created_at is not None
    return task.created_at


def next_moment(task: Task) -> None:
    """Wait until what is created now was created later than *task*."""
    while datetime.now(UTC) < created(task) + TICK:
        time.sleep(0.0005)


def pages(one: BlockingTaskAPI, **filters: Any) -> list[TaskPage]:
    """All pages of a list, however short."""
    found = [one.list_tasks(**filters)]
    while found[-1].cursor:
        found.append(one.list_tasks(**filters, cursor=found[-1].cursor))
    return found


@pytest.fixture
def submit(api: Any) -> Callable[..., Task]:
    """Submits a task in a millisecond of its own."""

    def submit(name: str, **fields: Any) -> Task:
        task: Task = api.create_task(lint(name, **fields))
        next_moment(task)
        return task

    return submit


@pytest.fixture
def failed(api: Any, world: World) -> dict[str, Task]:
    """Tasks by name: two that failed of a timeout, one of an expression, and one that is READY."""
    new = {name: lint(name, max_retries=0) for name in ("slow", "slower", "wrong", "open")}
    stored = api.create_tasks(new.values())
    for name, kind in (("slow", "timeout"), ("slower", "timeout"), ("wrong", "expression")):
        world.finish(new[name], disposition="failed", error="it failed", error_kind=kind)
    next_moment(stored[0])
    return new


def test_created_after_is_inclusive_and_created_before_is_not(api: Any, submit: Callable[..., Task]) -> None:
    a, b, c = submit("a"), submit("b"), submit("c")
    assert names(api.list_tasks(created_after=created(b))) == ["c", "b"]
    assert names(api.list_tasks(created_before=created(b))) == ["a"]
    assert names(api.list_tasks(created_after=created(a), created_before=created(c))) == ["b", "a"]
    assert names(api.list_tasks(created_after=created(b) + MICROSECOND)) == ["c"]
    assert names(api.list_tasks(created_before=created(b) + MICROSECOND)) == ["b", "a"]
    assert names(api.list_tasks(created_after=created(b), created_before=created(b))) == []
    assert names(api.list_tasks(created_after=datetime(1, 1, 1, tzinfo=UTC))) == ["c", "b", "a"]
    assert names(api.list_tasks(created_before=datetime(1, 1, 1, tzinfo=UTC))) == []
    assert names(api.list_tasks(created_after=datetime(9999, 12, 31, tzinfo=UTC))) == []


def test_a_graph_was_created_when_it_says_so(api: Any, submit: Callable[..., Task]) -> None:
    before = submit("before")
    graph = api.create_tasks([lint("x"), lint("y", hold=True)])
    assert names(api.list_tasks(created_after=created(graph[0]))) == ["y", "x"]
    assert names(api.list_tasks(created_after=created(before), created_before=created(graph[0]))) == ["before"]


def test_error_kind_is_that_of_the_last_failure(api: Any, failed: dict[str, Task]) -> None:
    assert names(api.list_tasks(error_kind="timeout")) == ["slower", "slow"]
    assert names(api.list_tasks(error_kind="expression")) == ["wrong"]
    assert names(api.list_tasks(error_kind="time")) == []
    assert {task.error_kind for task in api.list_tasks(error_kind="timeout")} == {"timeout"}
    assert api.retry_tasks(error_kind="expression").done == 1
    assert names(api.list_tasks(error_kind="expression")) == [], "what was opened again has not failed"


def test_a_kind_of_an_agents_own_is_found_as_the_task_shows_it(api: Any, world: World) -> None:
    task = api.create_task(lint(max_retries=0))
    world.finish(task, disposition="failed", error="it failed", error_kind="out of:\nink")
    assert names(api.list_tasks(error_kind=api.get_task(task.id).error_kind)) == ["a"]


def test_they_hold_together_with_other_filters(api: Any, submit: Callable[..., Task], failed: dict[str, Task]) -> None:
    late = submit("late", capability="test", metadata={"team": "core"}, created_by="ann", max_retries=0)
    slow = api.get_task(failed["slow"].id)
    assert names(api.list_tasks(status="failed", error_kind="timeout", created_after=created(slow))) == [
        "slower", "slow",
    ]  # fmt: skip
    assert names(api.list_tasks(error_kind="timeout", created_after=created(late))) == []
    assert names(api.list_tasks(error_kind="timeout", run_id=slow.run_id, capability="lint")) == ["slower", "slow"]
    assert names(api.list_tasks(error_kind="timeout", status="ready")) == []
    asked = {"metadata": {"team": "core"}, "capability": "test", "created_by": "ann"}
    assert names(api.list_tasks(created_after=created(late), **asked)) == ["late"]
    assert names(api.list_tasks(created_before=created(late), **asked)) == []


def test_a_bulk_verb_takes_them(api: Any, submit: Callable[..., Task], failed: dict[str, Task]) -> None:
    late = submit("late")
    found = api.retry_tasks(error_kind="timeout", dry_run=True)
    assert (found.matched, found.done, found.skipped) == (2, 2, {})
    found = api.cancel_tasks(created_before=created(late), dry_run=True)
    assert (found.matched, found.done, found.skipped) == (4, 1, {"failed": 3})
    found = api.cancel_tasks(created_after=created(late), metadata={}, dry_run=True)
    assert (found.matched, found.done, found.ids) == (1, 1, (late.id,))
    assert api.retry_tasks(error_kind="timeout", created_after=created(late)).matched == 0
    assert api.retry_tasks(error_kind="timeout", created_before=created(late)).done == 2
    assert api.retry_tasks(error_kind="timeout").matched == 0
    assert not TaskFilter(created_after=created(late)).is_everything
    assert not TaskFilter(error_kind="timeout").is_everything


@pytest.mark.parametrize("field", ["created_after", "created_before"])
def test_a_moment_without_a_time_zone_is_refused_by_name(api: Any, field: str) -> None:
    naive = datetime(2030, 1, 1)
    for verb in (api.list_tasks, api.cancel_tasks):
        with pytest.raises(InvalidInputError) as refused:
            verb(**{field: naive})
        assert refused.value.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("created_after", "yesterday"), ("created_before", 5), ("error_kind", ""), ("error_kind", 5),
        ("error_kind", "x" * 501),
    ],
)  # fmt: skip
def test_a_wrong_one_is_refused_by_name(one: BlockingTaskAPI, field: str, value: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        one.list_tasks(**{field: value})
    assert refused.value.field == field


def test_pages_of_them_hold_everything_once(one: BlockingTaskAPI) -> None:
    tasks = [one.create_task(lint(str(n))) for n in range(30)]
    first, last = created(tasks[5]), created(tasks[25])
    wanted = [task.name for task in reversed(tasks) if first <= created(task) < last]
    found = pages(one, created_after=first, created_before=last, limit=4)
    assert [name for page in found for name in names(page)] == wanted


@pytest.mark.parametrize("filters", ["created_before", "error_kind"])
def test_a_page_that_searched_for_long_is_short_and_says_where_to_go_on(
    one: BlockingTaskAPI, world: World, filters: str
) -> None:
    """What is looked for is old, and nothing else is like it: no page looks through all that came since."""
    rare = [lint(f"rare{n}", max_retries=0) for n in range(3)]
    one.create_tasks(rare)
    world.finish(*rare, disposition="failed", error="it failed", error_kind="rare")
    next_moment(one.get_task(rare[0].id))
    new = one.create_tasks(lint(str(n)) for n in range(9000))
    asked = {filters: created(new[0]) if filters == "created_before" else "rare", "limit": 2}
    trips = count()
    nothing = dict.fromkeys(
        ("status", "task_type", "priority", "assigned_to", "created_by", "metadata", "run_id", "capability")
    )

    def send(call: Any) -> Any:
        next(trips)
        return world.run(call)

    first = steps(ask.list_tasks(**{**nothing, **asked}, asking=False, after=None), send)
    assert (names(first), first.cursor is None) == ([], False)
    assert next(trips) <= 40, "bounded, whatever there is"
    assert [name for page in pages(one, **asked) for name in names(page)] == ["rare2", "rare1", "rare0"]
