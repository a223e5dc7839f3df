"""Dead letters: listed newest first, told with their history, given another life, struck off the list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from taskengine import BlockingTaskAPI, InvalidInputError, NotFoundError, Task
from taskengine.api.operations.dead import list_dead_letters
from taskengine.store.fields import TaskField

from ..store.world import World, steps


def kill(world: World, *wanted: Task) -> None:
    """Let every worker that gets one of these tasks die, until they are given up."""
    for task in wanted:
        slot = world.slot(str(task.id))
        assert world.start(slot).task_id == str(task.id)
        for _ in range(3):
            world.claim(slot)  # the slot asks again: what it ran is lost, and it gets the task again
        assert world.status(task.id) == "failed"


def dead(api: Any, world: World, *names: str, **fields: Any) -> list[Task]:
    made = []
    for name in names:
        task = api.create_task(Task(name=name, capability="lint", **fields))
        kill(world, task)
        made.append(task)
    return made


def names(page: Any) -> list[str]:
    return [letter.task.name for letter in page]


def test_a_task_that_lost_three_workers_stands_in_the_list_until_it_is_retried(api: Any, world: World) -> None:
    (task,) = dead(api, world, "a")
    (letter,) = api.list_dead_letters()
    assert (letter.task.id, letter.task.status, letter.task.lost_count) == (task.id, "failed", 3)
    assert abs(datetime.now(UTC) - letter.at) < timedelta(seconds=60)
    api.retry_task(task.id, wait=False)
    assert api.list_dead_letters() == []
    with pytest.raises(NotFoundError, match="dead letter"):
        api.get_dead_letter(task.id)
    world.check()


def test_pages_go_on_where_the_last_one_ended_whatever_is_taken_off_in_between(api: Any, world: World) -> None:
    made = dead(api, world, "a", "b", "c", "d", "e")
    first = api.list_dead_letters(limit=2)
    assert names(first) == ["e", "d"]
    api.drop_dead_letters(made[3].id)
    second = api.list_dead_letters(limit=2, cursor=first.cursor)
    assert names(second) == ["c", "b"]
    last = api.list_dead_letters(limit=2, cursor=second.cursor)
    assert (names(last), last.cursor) == (["a"], None)


def test_letters_of_one_moment_are_all_listed_once(api: Any, world: World) -> None:
    made = dead(api, world, *"abcdef")
    key = world.keys.fixed("dead")
    for task in made:
        world.raw.zadd(key, {str(task.id): 1000})
    seen: list[str] = []
    cursor = None
    while True:
        page = api.list_dead_letters(limit=1, cursor=cursor)
        seen += names(page)
        cursor = page.cursor
        if cursor is None:
            break
    assert sorted(seen) == list("abcdef")


def test_filters_choose_by_capability_and_by_time(api: Any, world: World) -> None:
    (old,) = dead(api, world, "old")
    world.raw.zincrby(world.keys.fixed("dead"), -3_600_000, str(old.id))
    dead(api, world, "new")
    assert names(api.list_dead_letters("lint")) == ["new", "old"]
    assert names(api.list_dead_letters("other")) == []
    assert names(api.list_dead_letters(since=datetime.now(UTC) - timedelta(minutes=5))) == ["new"]


def test_a_search_that_took_long_ends_a_page_and_says_where_to_go_on(one: BlockingTaskAPI, world: World) -> None:
    """What is looked for was given up first, and 12 000 others since: no page looks through all of them."""
    rare, common = (one.create_task(Task(name=name, capability=name)) for name in ("rare", "common"))
    dead = world.keys.fixed("dead")
    world.raw.zadd(dead, {str(rare.id): 1} | {str(UUID(int=n)): 2 + n // 100 for n in range(12_000)})
    with world.raw.pipeline() as trip:
        for n in range(12_000):
            trip.hset(world.keys.of("task", UUID(int=n)), TaskField.queue, "common")
        trip.execute()
    sent: list[str] = []

    def send(call: Any) -> Any:
        sent.append(call.name)
        return world.run(call)

    page = steps(list_dead_letters(capability="rare", since=None, limit=5, after=None), send)
    assert (page, page.cursor is None) == ([], False)
    assert sent == ["find_dead_letters"] * 10
    further = [page]
    while further[-1].cursor:
        further.append(one.list_dead_letters("rare", limit=5, cursor=further[-1].cursor))
    assert [letter.task.id for each in further for letter in each] == [rare.id]
    world.raw.zadd(dead, {str(common.id): 10**12})
    assert one.drop_dead_letters(capability="rare") == [rare.id]
    assert names(one.list_dead_letters(limit=1)) == ["common"]


def test_a_story_tells_the_lost_executions_and_the_events(api: Any, world: World) -> None:
    (task,) = dead(api, world, "a")
    letter = api.get_dead_letter(task.id)
    told = [(one.status, one.attempt, one.node, one.pid) for one in letter.lost]
    assert told == [("lost", n, "n1", 7) for n in (1, 2, 3)]
    assert all(one.error_message == "its slot claimed again" for one in letter.lost)
    assert [event.what for event in letter.events] == [
        "created", "ready", "started", "lost", "ready", "started", "lost", "ready", "started", "lost", "failed",
    ]  # fmt: skip


def test_requeue_gives_a_fresh_count_of_losses(api: Any, world: World) -> None:
    a, b = dead(api, world, "a", "b")
    assert api.requeue_dead_letters(a.id) == [a.id]
    again = api.get_task(a.id)
    assert (again.status, again.lost_count, again.retry_count) == ("ready", 0, 0)
    assert names(api.list_dead_letters()) == ["b"]
    kill(world, a)
    assert names(api.list_dead_letters()) == ["a", "b"]
    assert api.requeue_dead_letters(everything=True) == [a.id, b.id]
    assert api.list_dead_letters() == []
    world.check()


def test_requeue_by_filter_leaves_the_others(api: Any, world: World) -> None:
    (a,) = dead(api, world, "a")
    assert api.requeue_dead_letters(capability="other") == []
    assert api.requeue_dead_letters(capability="lint", since=datetime.now(UTC) - timedelta(minutes=1)) == [a.id]


def test_a_dropped_letter_stays_failed_with_its_story(api: Any, world: World) -> None:
    (task,) = dead(api, world, "a")
    assert api.drop_dead_letters([task.id]) == [task.id]
    assert api.list_dead_letters() == []
    assert api.get_task(task.id).status == "failed"
    assert len(api.get_task_executions(task.id)) == 3
    assert world.happened(task.id)[-1] == "dropped"
    with pytest.raises(NotFoundError):
        api.drop_dead_letters([task.id])
    assert api.delete_task(task.id)
    world.check()


def test_a_deleted_task_is_no_dead_letter(api: Any, world: World) -> None:
    (task,) = dead(api, world, "a")
    assert api.delete_task(task.id)
    assert api.list_dead_letters() == []


@pytest.mark.parametrize("verb", ["requeue_dead_letters", "drop_dead_letters"])
def test_what_is_not_said_is_not_done(api: Any, world: World, verb: str) -> None:
    (task,) = dead(api, world, "a")
    act = getattr(api, verb)
    for wrong in ({}, {"task_ids": task.id, "everything": True}, {"since": datetime(2030, 1, 1)}, {"capability": ""}):
        with pytest.raises(InvalidInputError):
            act(**wrong)
    with pytest.raises(NotFoundError, match="dead letter"):
        act([task.id, uuid4()])  # nothing is done when one of them is none
    assert names(api.list_dead_letters()) == ["a"]


@pytest.mark.parametrize("cursor", ["x", "5", "1.2.3", "99999999999999999999.x", 5])
def test_a_wrong_cursor_is_refused(api: Any, cursor: Any) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        api.list_dead_letters(cursor=cursor)
