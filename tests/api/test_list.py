"""list_tasks: every filter, newest first, page by page."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, InvalidInputError, Task, TaskPage, TaskPriority, TaskStatus, TaskType
from taskengine.api.operations import ask

from ..store.world import World, steps


def lint(name: str = "a", **fields: Any) -> Task:
    return Task(**{"name": name, "capability": "lint"} | fields)


def names(page: TaskPage) -> list[str]:
    return [task.name for task in page]


def test_failed_tasks_as_the_manual_shows_them(api: Any, world: World) -> None:
    good, bad = lint("good"), lint("bad")
    api.create_tasks([good, bad])
    world.finish(good)
    world.finish(bad, disposition="failed", error="boom")
    failed_tasks = api.list_tasks(status=TaskStatus.FAILED)
    assert [f"{task.name} - {task.error_message}" for task in failed_tasks] == ["bad - boom"]


def test_every_filter_narrows(api: Any) -> None:
    api.create_tasks(
        [
            lint("a", task_type=TaskType.TESTING, priority=5, created_by="ann", assigned_to="x"),
            lint("b", task_type=TaskType.TESTING, priority=1, created_by="bob"),
            lint("c", priority=5, created_by="bob", hold=True),
        ]
    )
    assert names(api.list_tasks()) == ["c", "b", "a"]
    assert names(api.list_tasks(task_type="testing")) == ["b", "a"]
    assert names(api.list_tasks(priority=TaskPriority.CRITICAL)) == ["c", "a"]
    assert names(api.list_tasks(created_by="bob")) == ["c", "b"]
    assert names(api.list_tasks(assigned_to="x")) == ["a"]
    assert names(api.list_tasks(status="pending")) == ["c"]
    assert names(api.list_tasks(status="ready", task_type=TaskType.TESTING, created_by="bob")) == ["b"]
    assert names(api.list_tasks(created_by="nobody")) == []


def test_a_priority_is_asked_for_by_name_too(api: Any) -> None:
    api.create_tasks([lint("a", priority="critical"), lint("b")])
    assert names(api.list_tasks(priority="Critical")) == ["a"]
    assert api.update_tasks("low", priority="critical").done == 1
    assert names(api.list_tasks(priority="low")) == ["a"]
    with pytest.raises(InvalidInputError, match="use one of low, normal, high, urgent, critical"):
        api.list_tasks(priority="lowest")


def test_metadata_must_be_contained(api: Any) -> None:
    api.create_task(lint("a", metadata={"team": {"name": "core", "size": 3}, "tags": ["x", "y"]}))
    api.create_task(lint("b", metadata={"team": {"name": "web"}}))
    assert names(api.list_tasks(metadata={"team": {"name": "core"}})) == ["a"]
    assert names(api.list_tasks(metadata={"tags": ["y"]})) == ["a"]
    assert names(api.list_tasks(metadata={"team": {}})) == ["b", "a"]
    assert names(api.list_tasks(metadata={"team": {"size": 4}})) == []


@pytest.mark.parametrize("filters", [{}, {"metadata": {"odd": 1}}, {"status": "ready"}])
def test_pages_hold_everything_once(one: BlockingTaskAPI, filters: dict[str, Any]) -> None:
    one.create_tasks(lint(str(n), metadata={"odd": n % 2}) for n in range(250))
    wanted = [str(n) for n in reversed(range(250)) if "metadata" not in filters or n % 2]
    found: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        page = one.list_tasks(**filters, limit=25, cursor=cursor)
        assert len(page) == 25
        found += names(page)
        cursor, pages = page.cursor, pages + 1
    assert found == wanted


@pytest.mark.parametrize("moment", range(6))
def test_page_does_not_end_early_when_its_last_task_goes_at_any_moment(
    one: BlockingTaskAPI, world: World, moment: int
) -> None:
    """A cursor is a place, not a task: it needs nobody to stand there."""
    new = [lint(str(n)) for n in range(10)]
    one.create_tasks(new)
    one.cancel_tasks(everything=True)
    calls = count()

    def send(call: Any) -> Any:
        answer = world.run(call)
        if next(calls) == moment:
            one.delete_task(new[7].id)
        return answer

    def page(cursor: str | None) -> TaskPage:
        nothing = dict.fromkeys(
            ("status", "task_type", "priority", "assigned_to", "created_by", "metadata", "run_id", "capability")
        )
        return steps(ask.list_tasks(**nothing, asking=False, limit=3, after=cursor), send)

    seen, found = page(None), list[str]()
    while True:
        found += [task.name for task in seen if task.name != "7"]
        if seen.cursor is None:
            break
        seen = page(seen.cursor)
    assert found == [str(n) for n in reversed(range(10)) if n != 7]


def pages(one: BlockingTaskAPI, **filters: Any) -> list[TaskPage]:
    """All pages of a list, however short."""
    found = [one.list_tasks(**filters)]
    while found[-1].cursor:
        found.append(one.list_tasks(**filters, cursor=found[-1].cursor))
    return found


@pytest.mark.parametrize("filters", [{"capability": "rare"}, {"metadata": {"team": "rare"}}, {"metadata": {"n": 0}}])
def test_a_page_that_searched_for_long_is_short_and_says_where_to_go_on(
    one: BlockingTaskAPI, world: World, filters: dict[str, Any]
) -> None:
    """What is looked for is old, and nothing else is like it: no page looks through all that came since."""
    rare = [lint(f"rare{n}", capability="rare", metadata={"team": "rare", "n": 0}) for n in range(3)]
    one.create_tasks(rare)
    one.create_tasks(lint(str(n), metadata={"team": "core", "n": 1}) for n in range(9000))
    asked = {**filters, "limit": 2}
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
    found = pages(one, **asked)
    assert [name for page in found for name in names(page)] == ["rare2", "rare1", "rare0"]
    assert all(len(page) <= 2 for page in found)


def test_last_page_has_no_cursor(api: Any) -> None:
    api.create_tasks(lint(str(n)) for n in range(3))
    assert api.list_tasks(limit=3).cursor is None
    page = api.list_tasks(limit=2)
    assert (names(page), names(api.list_tasks(limit=2, cursor=page.cursor))) == (["2", "1"], ["0"])


def test_far_apart_tasks_are_found(one: BlockingTaskAPI) -> None:
    one.create_task(lint("first", created_by="ann"))
    one.create_tasks(lint(str(n)) for n in range(9000))
    one.create_task(lint("last", created_by="ann"))
    assert names(one.list_tasks(created_by="ann")) == ["last", "first"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", -1), ("limit", 0), ("limit", 1001), ("limit", True), ("limit", "5"), ("cursor", "x"),
        ("cursor", "-5"), ("cursor", 5), ("status", "done"), ("task_type", 3), ("priority", 6),
        ("assigned_to", ""), ("created_by", 5), ("metadata", ["x"]),
    ],
)  # fmt: skip
def test_wrong_filter_is_named(one: BlockingTaskAPI, field: str, value: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        one.list_tasks(**{field: value})
    assert refused.value.field == field
