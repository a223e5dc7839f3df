"""delete_task: what is over goes with its executions; nobody loses what they wait for."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from taskengine import BlockingTaskAPI, NotAllowedError, NotFoundError, Task, WaitTimeoutError

from ..store.world import World


def lint(name: str = "a", *on: Task, **fields: Any) -> Task:
    return Task(**{"name": name, "capability": "lint", "depends_on": {task.id for task in on}} | fields)


def test_task_goes_with_its_executions_and_its_key(api: Any, world: World) -> None:
    task = api.create_task(lint(idempotency_key="k", input={"text": "x" * 400_000}))
    world.finish(task)
    assert api.delete_task(task.id) is True
    with pytest.raises(NotFoundError):
        api.get_task(task.id)
    left = {name.split(":")[1] for name in world.key_names()}
    assert left.isdisjoint({"task", "exec", "idem", "payload", "dependents", "bits"})
    assert world.counts() == {}


def test_what_is_not_there_is_not_deleted(api: Any, world: World) -> None:
    assert api.delete_task(uuid4()) is False
    task = api.create_task(lint())
    world.finish(task)
    assert [api.delete_task(task.id), api.delete_task(task.id)] == [True, False]


@pytest.mark.parametrize("started", [False, True])
def test_open_task_is_refused(api: Any, world: World, started: bool) -> None:
    task = api.create_task(lint())
    if started:
        world.start()
    with pytest.raises(NotAllowedError, match="cancel it first, or pass cascade=True") as refused:
        api.delete_task(task.id)
    assert "created" in refused.value.history[0]
    assert api.get_task(task.id).status == ("running" if started else "ready")


def test_task_that_others_wait_for_is_refused_and_names_them(api: Any, world: World) -> None:
    a = lint("a")
    b = lint("bee", a)
    api.create_tasks([a, b])
    with pytest.raises(NotAllowedError, match=f"'bee' \\({b.id}\\) depend on it"):
        api.delete_task(a.id)
    world.finish(a, disposition="failed")
    with pytest.raises(NotAllowedError, match="'bee'"):
        api.delete_task(a.id)
    world.think()
    assert api.delete_task(a.id) is True


@pytest.mark.parametrize("same_run", [True, False])
def test_result_that_others_still_need_is_not_deleted(api: Any, world: World, same_run: bool) -> None:
    a, gate = lint("a"), lint("gate")
    first = api.create_tasks([a, gate])[0]
    api.create_task(lint("bee", a, gate), run_id=first.run_id if same_run else None)
    world.finish(a)
    with pytest.raises(NotAllowedError, match="'bee'"):
        api.delete_task(a.id)


def test_cascade_cancels_those_that_wait(api: Any, world: World) -> None:
    a = lint("a")
    b, c = lint("b", a), lint("c", a)
    api.create_tasks([a, b, c])
    assert api.delete_task(a.id, cascade=True) is True
    assert [api.get_task(task.id).status for task in (b, c)] == ["cancelled", "cancelled"]
    assert api.get_task(b.id).reason == f"task {a.id} is deleted with cascade"
    with pytest.raises(NotFoundError):
        api.get_task(a.id)


def test_cascade_waits_for_running_work_to_end(one: BlockingTaskAPI, world: World) -> None:
    quick = one.settings.model_copy(
        update={"cancel_grace_seconds": 0.1, "kill_after_seconds": 0.1, "lease_seconds": 0.1}
    )
    task = one.create_task(lint())
    told = world.start()
    with BlockingTaskAPI(settings=quick) as impatient, pytest.raises(WaitTimeoutError):
        impatient.delete_task(task.id, cascade=True)
    assert one.get_task(task.id).cancel_requested
    world.report(told)
    assert one.delete_task(task.id, cascade=True) is True


def test_hundreds_that_wait_are_all_seen(one: BlockingTaskAPI, world: World) -> None:
    a = lint("a")
    many = [lint(str(n), a) for n in range(600)]
    one.create_tasks([a, *many])
    one.cancel_task(a.id)
    for task in many[1:]:
        one.cancel_task(task.id)
    with pytest.raises(NotAllowedError, match="'0'"):
        one.delete_task(a.id)
    assert one.delete_task(a.id, cascade=True) is True
    assert one.get_task(many[0].id).status == "cancelled"
