"""execute_task, retry_task, cancel and what executions tell."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import pytest

from taskengine import (
    BlockingTaskAPI,
    ExecutionStatus,
    NotAllowedError,
    NotFoundError,
    Task,
    TaskExecutionError,
    WaitTimeoutError,
)
from taskengine.core.identity import execution_id
from taskengine.store import executions, tasks
from taskengine.store.executions import put_payload

from ..store.world import World


def lint(name: str = "a", **fields: Any) -> Task:
    return Task(**{"name": name, "capability": "lint"} | fields)


def test_execute_brings_the_execution_with_its_result(api: Any, world: World) -> None:
    task = api.create_task(lint(hold=True))
    api.execute_task(task.id, wait=False)
    world.finish(task, output='{"n":1}')
    execution = api.execute_task(str(task.id))
    assert (execution.status, execution.result, execution.attempt) == (ExecutionStatus.COMPLETED, {"n": 1}, 1)
    assert execution == api.get_task_execution(task.id)
    assert execution.id == api.get_task(task.id).execution_id == execution_id(task.id, 1)
    assert api.get_task(task.id).result == {"n": 1}


def test_execute_waits_for_the_end(one: BlockingTaskAPI, world: World) -> None:
    task = one.create_task(lint(hold=True))
    found: list[Any] = []
    waiter = threading.Thread(target=lambda: found.append(one.execute_task(task.id, timeout=20)))
    waiter.start()
    world.run(_until_watched(world, task))
    world.finish(task, output='{"n":1}')
    waiter.join()
    assert found[0].result == {"n": 1}


def _until_watched(world: World, task: Task) -> Any:
    """Until somebody waits for the task."""
    while not (yield from tasks.fields(world.keys, str(task.id), "wt"))["wt"]:
        pass


def test_failure_raises_with_the_execution_inside(api: Any, world: World) -> None:
    task = api.create_task(lint())
    world.finish(task, disposition="failed", error="boom", error_kind="crash")
    with pytest.raises(TaskExecutionError, match=r"'a' .* failed: boom") as failed:
        api.execute_task(task.id)
    assert failed.value.execution.status == ExecutionStatus.FAILED
    assert failed.value.execution.error_message == "boom"
    assert api.get_task(task.id).error_message == "boom"


def test_task_closed_by_its_dependency_has_no_execution(api: Any, world: World) -> None:
    a, b = lint("a"), lint("b")
    b.add_dependency(a.id)
    api.create_tasks([a, b])
    world.finish(a, disposition="failed")
    world.think()
    with pytest.raises(TaskExecutionError, match="dependency a failed") as failed:
        api.execute_task(b.id)
    assert failed.value.execution is None


def test_execute_of_what_is_over_runs_nothing(api: Any, world: World) -> None:
    task = api.create_task(lint())
    world.finish(task)
    api.execute_task(task.id)
    assert len(api.get_task_executions(task.id)) == 1


def test_execute_gives_up_after_its_timeout(api: Any) -> None:
    task = api.create_task(lint())
    with pytest.raises(WaitTimeoutError) as late:
        api.execute_task(task.id, timeout=0.05)
    assert late.value.pending == (str(task.id),)


def test_execute_pins_to_the_named_agent(api: Any, world: World) -> None:
    task = api.create_task(lint())
    assert api.execute_task(task.id, "linter_2", wait=False) is None
    assert world.ready("@linter_2") in ([str(task.id)], [])
    assert api.get_task(task.id).assigned_to == "linter_2"
    assert [found.id for found in api.list_tasks(assigned_to="linter_2")] == [task.id]


def test_task_pinned_anew_is_listed_under_its_new_agent_alone(api: Any) -> None:
    task = api.create_task(lint(assigned_to="one"))
    api.execute_task(task.id, "two", wait=False)
    assert api.list_tasks(assigned_to="one") == []
    assert api.update_task(task.id, name="b").assigned_to == "two"
    assert len(api.list_tasks(assigned_to="two")) == 1


def test_task_that_another_agent_has_is_refused(api: Any, world: World) -> None:
    task = api.create_task(lint())
    world.start()
    with pytest.raises(NotAllowedError, match="is running on agent 'lint'") as refused:
        api.execute_task(task.id, "other", wait=False)
    assert "started" in refused.value.history[-1]
    execution = api.execute_task(task.id, "lint", wait=False)
    assert execution.status == ExecutionStatus.RUNNING


def test_execution_of_a_task_that_never_ran_is_none(api: Any) -> None:
    task = api.create_task(lint(hold=True))
    assert api.get_task_execution(task.id) is None
    assert api.get_task_executions(task.id) == []


def test_large_result_comes_with_task_and_execution(one: BlockingTaskAPI, world: World) -> None:
    task = one.create_task(lint())
    told = world.start()
    text = '{"text":"' + "x" * 400_000 + '"}'
    world.run(put_payload(told.execution_id, text))
    world.report(told, big=len(text))
    assert one.get_task(task.id).result == {"text": "x" * 400_000}
    execution = one.get_task_execution(task.id)
    assert execution is not None
    assert execution.result == {"text": "x" * 400_000}
    assert one.wait(task.id)[0].result is None


def test_executions_tell_every_attempt(api: Any, world: World) -> None:
    task = api.create_task(lint())
    world.report(world.start(), disposition="retry", error="no luck", retry_ms=1)
    assert api.get_task(task.id).status == "retrying"
    assert [(e.attempt, e.status) for e in api.get_task_executions(task.id)] == [(1, "failed")]


def test_cancel_before_the_start_is_immediate(api: Any) -> None:
    task = api.create_task(lint())
    assert api.cancel_task_execution(task.id, "not wanted") is True
    after = api.get_task(task.id)
    assert (after.status, after.reason) == ("cancelled", "not wanted")
    assert api.cancel_task(task.id) is False


def test_cancel_of_running_work_asks_its_worker(api: Any, world: World) -> None:
    task = api.create_task(lint())
    told = world.start()
    assert api.cancel_task_execution(task.id, "stop") is True
    assert api.get_task(task.id).cancel_requested is True
    assert api.get_task_execution(task.id).cancel_requested is True
    world.report(told)
    assert api.get_task(task.id).status == "cancelled"
    with pytest.raises(TaskExecutionError, match="cancelled: stop"):
        api.execute_task(task.id)


def test_retry_opens_what_the_failure_closed(api: Any, world: World) -> None:
    a, b = lint("a"), lint("b")
    b.add_dependency(a.id)
    api.create_tasks([a, b])
    world.finish(a, disposition="failed")
    world.think()
    world.beat(slots=0)  # nobody is free: the next attempt is not granted yet
    execution = api.retry_task(a.id, wait=False)
    assert (execution.status, execution.attempt) == (ExecutionStatus.FAILED, 1)
    world.think()
    world.finish(a, b)
    assert [task.status for task in api.wait([a.id, b.id], 5)] == ["completed", "completed"]
    assert [e.attempt for e in api.get_task_executions(a.id)] == [1, 2]


def test_retry_of_a_held_task_releases_it(api: Any) -> None:
    task = api.create_task(lint(hold=True))
    api.cancel_task(task.id)
    assert api.retry_task(task.id, wait=False) is None
    assert api.get_task(task.id).status == "ready"


def test_retry_of_what_a_dependency_closed_names_the_one_to_retry(api: Any, world: World) -> None:
    a, b, c = lint("a"), lint("b"), lint("c")
    b.add_dependency(a.id)
    c.add_dependency(b.id)
    api.create_tasks([a, b, c])
    world.finish(a, disposition="failed")
    world.think()
    with pytest.raises(NotAllowedError, match=f"its dependency 'a' failed; retry that one: {a.id}"):
        api.retry_task(c.id)


@pytest.mark.parametrize("disposition", ["completed", None])
def test_only_what_failed_is_retried(api: Any, world: World, disposition: str | None) -> None:
    task = api.create_task(lint())
    if disposition:
        world.finish(task, disposition=disposition)
    with pytest.raises(NotAllowedError, match="only a failed or cancelled one is retried"):
        api.retry_task(task.id)


def test_unknown_tasks_are_not_found(api: Any) -> None:
    stranger = uuid4()
    for call in (
        api.get_task, api.execute_task, api.retry_task, api.cancel_task, api.get_task_execution,
        api.get_task_executions, api.wait,
    ):  # fmt: skip
        with pytest.raises(NotFoundError, match=str(stranger)) as refused:
            call(stranger)
        assert refused.value.id == str(stranger)


def test_latest_executions_tell_who_runs_what_and_how_far(api: Any, world: World) -> None:
    runs = api.create_task(Task(name="runs", capability="lint"))
    told = world.start()
    waits = api.create_task(Task(name="waits", capability="lint"))
    world.run(executions.append_logs(told.execution_id, 1, progress=0.5, note="half"))
    first, second, third = api.get_latest_executions([waits.id, runs.id, uuid4()])
    assert (first, third) == (None, None)
    assert (str(second.id), second.node) == (told.execution_id, "n1")
    assert (second.progress, second.progress_note) == (0.5, "half")
    world.report(told, output='{"x":1}')
    (ended,) = api.get_latest_executions(runs.id)
    assert (ended.status, ended.result, ended.logs) == ("completed", None, [])
    assert [task.name for task in api.get_tasks([waits.id, runs.id])] == ["waits", "runs"]
    with pytest.raises(NotFoundError):
        api.get_tasks([runs.id, uuid4()])
