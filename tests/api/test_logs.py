"""Logs are read from a cursor, across attempts or of one, and followed to the end."""

from __future__ import annotations

import threading
import time
from typing import Any
from uuid import uuid4

import pytest

from taskengine import InvalidInputError, NotFoundError, Task
from taskengine.store import executions, tasks
from taskengine.store.replies import Assignment

from ..store.world import World

LINE = '{"level":"info","logger":"stdout","message":"%s","timestamp":"2026-01-01T00:00:00Z"}'


def say(world: World, told: Assignment, *words: str, number: int = 1) -> None:
    verb = executions.append_logs(told.execution_id, told.attempt, number=number, lines=[LINE % word for word in words])
    assert world.run(verb).ok


def started(api: Any, world: World) -> tuple[Task, Assignment]:
    task = api.create_task(Task(capability="lint"))
    return task, world.start()


def words(page: Any) -> list[str]:
    return [line.message for line in page]


def test_lines_are_read_from_where_the_last_page_ended(api: Any, world: World) -> None:
    task, told = started(api, world)
    say(world, told, "a", "b", "c")
    first = api.get_logs(task.id, limit=2)
    assert (words(first), first.attempt, str(first.execution_id)) == (["a", "b"], 1, told.execution_id)
    assert ([line.number for line in first], first[0].logger, first.is_over) == ([1, 2], "stdout", False)
    second = api.get_logs(task.id, after=first.cursor)
    assert words(second) == ["c"]
    third = api.get_logs(task.id, after=second.cursor)
    assert (words(third), third.cursor, third.is_over) == ([], second.cursor, False)
    say(world, told, "d", number=4)
    world.report(told)
    last = api.get_logs(task.id, after=third.cursor)
    assert (words(last), last.is_over) == (["d"], True)


def test_a_later_attempt_goes_on_where_the_earlier_ended(api: Any, world: World) -> None:
    task, told = started(api, world)
    say(world, told, "first")
    page = api.get_logs(task.id)
    world.claim(world.slot())  # the slot asks again: what it ran is lost, and it gets the task again
    told = world.assignment(task)
    say(world, told, "second")
    page = api.get_logs(task.id, after=page.cursor)
    assert (words(page), page.attempt) == (["second"], 2)
    assert words(api.get_logs(task.id)) == ["second"]
    for one in (1, str(api.get_task_executions(task.id)[0].id)):
        page = api.get_logs(task.id, one)
        assert (words(page), page.attempt, page.is_over) == (["first"], 1, True)


def test_a_task_that_never_began_has_no_lines_yet(api: Any, world: World) -> None:
    task = api.create_task(Task(capability="lint"))
    page = api.get_logs(task.id)
    assert (page, page.attempt, page.execution_id, page.is_over) == ([], 0, None, False)
    told = world.start()
    say(world, told, "a")
    assert words(api.get_logs(task.id, after=page.cursor)) == ["a"]
    other = api.create_task(Task(capability="nobody"))
    api.cancel_task(other.id)
    assert api.get_logs(other.id).is_over


def test_following_waits_for_the_next_line_and_ends_with_the_task(api: Any, world: World) -> None:
    task, told = started(api, world)
    threading.Timer(0.3, lambda: say(world, told, "late")).start()
    began = time.monotonic()
    page = api.follow_logs(task.id, timeout=5)
    assert (words(page), time.monotonic() - began < 2) == (["late"], True)
    began = time.monotonic()
    page = api.follow_logs(task.id, after=page.cursor, timeout=0.6)
    assert (words(page), page.is_over, 0.5 < time.monotonic() - began < 2) == ([], False, True)
    world.report(told)
    page = api.follow_logs(task.id, after=page.cursor)
    assert (words(page), page.is_over) == ([], True)


def test_lines_of_a_deleted_task_are_gone(api: Any, world: World) -> None:
    task, told = started(api, world)
    say(world, told, "a")
    world.run(tasks.cancel(str(task.id), "no"))
    world.report(told)
    assert api.delete_task(task.id)
    with pytest.raises(NotFoundError):
        api.get_logs(task.id)
    world.check()


@pytest.mark.parametrize(
    "wrong",
    [
        {"after": "x"}, {"after": "1"}, {"after": "0x1.2"}, {"after": 5}, {"limit": 0}, {"limit": 1001},
        {"execution": 0}, {"execution": "x"}, {"execution": 1, "after": "2.0"},
    ],
)  # fmt: skip
def test_wrong_questions_are_refused(api: Any, world: World, wrong: Any) -> None:
    task, _ = started(api, world)
    with pytest.raises(InvalidInputError):
        api.get_logs(task.id, **wrong)


def test_what_is_not_there_is_said(api: Any, world: World) -> None:
    task, _ = started(api, world)
    for missing in ((uuid4(),), (task.id, 2), (task.id, uuid4())):
        with pytest.raises(NotFoundError):
            api.get_logs(*missing)
