"""add_dependency: a stored task waits for another one too, and never for itself."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest

from taskengine import (
    BlockingTaskAPI,
    CircularDependencyError,
    NotAllowedError,
    NotFoundError,
    Task,
    UnknownDependencyError,
)

from ..store.world import World


def lint(name: str, *on: Task) -> Task:
    return Task(name=name, capability="lint", depends_on={task.id for task in on})


def test_task_waits_for_its_new_dependency(api: Any, world: World) -> None:
    a, b = lint("a"), lint("b")
    api.create_tasks([a, b])
    for _ in range(2):
        after = api.add_dependency(b.id, str(a.id))
        assert (after.depends_on, after.status) == ({a.id}, "pending")
    world.finish(a)
    assert api.get_task(b.id).status == "ready"


def test_dependency_that_is_over_holds_nothing_back(api: Any, world: World) -> None:
    a, b = lint("a"), lint("b")
    api.create_tasks([a, b])
    world.finish(a)
    assert api.add_dependency(b.id, a.id).status == "ready"


def test_cycle_through_many_is_refused_with_its_path(api: Any) -> None:
    tasks = [lint("0")]
    for n in range(1, 600):
        tasks.append(lint(str(n), tasks[-1]))
    api.create_tasks(tasks)
    with pytest.raises(CircularDependencyError) as refused:
        api.add_dependency(tasks[0].id, tasks[599].id)
    assert refused.value.path == ("0", *(str(n) for n in range(599, -1, -1)))
    with pytest.raises(CircularDependencyError) as refused:
        api.add_dependency(tasks[5].id, tasks[5].id)
    assert refused.value.path == ("5", "5")
    assert api.get_task(tasks[0].id).depends_on == set()


def test_cycle_through_a_cancelled_task_is_refused(api: Any) -> None:
    a, b, c = lint("a"), lint("b"), lint("c")
    b.add_dependency(a.id)
    c.add_dependency(b.id)
    api.create_tasks([a, b, c])
    api.cancel_task(b.id)
    with pytest.raises(CircularDependencyError):
        api.add_dependency(a.id, c.id)


def test_started_task_takes_no_dependency(api: Any, world: World) -> None:
    a, b = lint("a"), lint("b")
    api.create_tasks([a, b])
    world.finish(a)
    with pytest.raises(NotAllowedError, match=r"'a' .* is completed and has started") as refused:
        api.add_dependency(a.id, b.id)
    assert [line.split()[1] for line in refused.value.history] == ["created", "ready", "started", "completed"]


def test_unknown_ends_are_named(api: Any) -> None:
    task, stranger = api.create_task(lint("a")), uuid4()
    with pytest.raises(UnknownDependencyError) as refused:
        api.add_dependency(task.id, stranger)
    assert refused.value.missing == (str(stranger),)
    with pytest.raises(NotFoundError):
        api.add_dependency(stranger, task.id)


def test_two_edges_that_would_close_a_cycle_at_once_are_not_both_added(one: BlockingTaskAPI) -> None:
    pairs = [(lint(f"a{n}"), lint(f"b{n}")) for n in range(40)]
    one.create_tasks([task for pair in pairs for task in pair])
    refused: list[str] = []
    gate = threading.Barrier(2)

    def add(backwards: bool) -> None:
        gate.wait()
        for pair in pairs:
            task, dependency = reversed(pair) if backwards else pair
            try:
                one.add_dependency(task.id, dependency.id)
            except CircularDependencyError:
                refused.append(pair[0].name)

    threads = [threading.Thread(target=add, args=(backwards,)) for backwards in (False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(refused) == sorted(pair[0].name for pair in pairs)
