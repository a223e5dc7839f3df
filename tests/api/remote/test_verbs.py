"""Verbs over HTTP that are more than one request, or more than a value: waits, progress, handles, errors."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from taskengine import (
    BlockingTaskAPI,
    BlockingWorkflowHandle,
    Task,
    TaskAPI,
    TaskExecutionError,
    TaskStatus,
    WaitTimeoutError,
    Workflow,
    WorkflowHandle,
    errors,
)
from taskengine.api.problems import PROBLEM_JSON, kind_of, problem
from taskengine.api.remote import waits
from taskengine.api.remote.made import RemoteBlockingTaskAPI, RemoteTaskAPI
from taskengine.api.remote.message import Answer
from taskengine.api.remote.revive import error_of
from taskengine.api.surface import ALIASES, ROWS
from taskengine.models import BulkResult
from taskengine.models.steps import WaitStep
from taskengine.settings import Settings
from taskengine.store.codec import dumps

from ...served import Served
from ...store.world import World
from ..test_problems import examples

pytestmark = pytest.mark.process


@pytest.fixture
def remote(locked: Served, settings: Settings, key: Callable[..., str]) -> Iterator[BlockingTaskAPI]:
    with BlockingTaskAPI(locked.url, settings, api_key=key()) as client:
        yield client


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request waits no longer than a fifth of a second."""
    monkeypatch.setattr(waits, "LONGEST_WAIT", 0.2)


def later(seconds: float, do: Callable[[], Any]) -> threading.Timer:
    timer = threading.Timer(seconds, do)
    timer.start()
    return timer


@pytest.mark.parametrize("client", [RemoteTaskAPI, RemoteBlockingTaskAPI])
def test_every_row_is_a_verb_that_looks_like_the_clients(client: type) -> None:
    base = client.__mro__[1]
    for name in {*(row.name for row in ROWS), *ALIASES}:
        ours, theirs = getattr(client, name), getattr(base, name)
        assert ours is not theirs
        assert (inspect.signature(ours), ours.__doc__) == (inspect.signature(theirs), theirs.__doc__)
        assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(theirs)


@pytest.mark.parametrize("error", list(examples()), ids=lambda each: type(each).__name__)
def test_an_error_comes_back_as_it_was(error: errors.TaskEngineError) -> None:
    document = problem(error)
    body = dumps(document, "problem").encode()
    found = error_of(Answer(int(document["status"]), PROBLEM_JSON, body), "http://host")
    assert type(found) is type(error)
    assert str(found) == str(error)
    for name in kind_of(type(error)).fields:
        assert getattr(found, name) == getattr(error, name), name


@pytest.mark.usefixtures("short")
def test_a_wait_outlives_the_time_of_a_request(remote: BlockingTaskAPI, world: World) -> None:
    task = remote.create_task(Task(name="a", capability="lint"))
    timer = later(0.9, lambda: world.finish(task))
    (done,) = remote.wait([task.id], timeout=30)
    timer.join()
    assert done.status is TaskStatus.COMPLETED


@pytest.mark.usefixtures("short")
def test_a_wait_ends_with_its_own_time_and_names_what_is_open(remote: BlockingTaskAPI) -> None:
    task = remote.create_task(Task(name="a", capability="lint"))
    with pytest.raises(WaitTimeoutError, match=r"did not end within 0\.5 s") as late:
        remote.wait([task.id], timeout=0.5)
    assert late.value.pending == (str(task.id),)


@pytest.mark.usefixtures("short")
def test_a_task_that_is_awaited_is_started_once(remote: BlockingTaskAPI, world: World) -> None:
    held = remote.create_task(Task(name="a", capability="lint", hold=True))
    timer = later(0.7, lambda: world.finish(held))
    assert remote.execute_task(held.id, timeout=30).status == "completed"
    timer.join()
    failing = remote.create_task(Task(name="b", capability="lint", max_retries=0))
    timer = later(0.7, lambda: world.finish(failing, disposition="failed", error="broken"))
    with pytest.raises(TaskExecutionError, match="broken") as failed:
        remote.execute_task(failing.id, timeout=30)
    timer.join()
    assert failed.value.execution.task_id == failing.id


@pytest.mark.usefixtures("short")
def test_a_workflow_that_is_awaited_is_started_once(remote: BlockingTaskAPI) -> None:
    waiting = Workflow(name="w", steps=[WaitStep(name="s", signal="go")])
    with pytest.raises(WaitTimeoutError, match=r"workflow 'w' .* did not end within 0\.7 s") as late:
        remote.execute_workflow(waiting, timeout=0.7)
    assert late.value.pending == (str(waiting.id),)
    assert [each.id for each in remote.list_workflows()] == [waiting.id]


def test_more_ids_than_a_request_may_name_are_one_call(
    remote: BlockingTaskAPI, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "MOST_IDS", 3)
    made = remote.create_tasks([Task(name=str(n), capability="lint") for n in range(8)])
    ids = [task.id for task in made]
    assert [task.id for task in remote.get_tasks(iter(ids))] == ids
    assert remote.get_latest_executions(ids) == [None] * 8
    world.finish(*made[:7])
    with pytest.raises(WaitTimeoutError) as late:
        remote.wait(ids, timeout=0.1)
    assert late.value.pending == (str(ids[7]),)
    world.finish(made[7])
    assert [task.id for task in remote.wait(ids, timeout=30)] == ids


def test_handles_speak_over_http_too(remote: BlockingTaskAPI) -> None:
    waiting = Workflow(name="w", steps=[WaitStep(name="s", signal="go")])
    handle = remote.start_workflow(waiting)
    assert isinstance(handle, BlockingWorkflowHandle)
    assert handle == waiting.id
    assert handle.signal("go", {"x": 1}) is True
    assert handle.get().name == "w"
    assert handle.cancel() is True
    assert remote.get_workflow_handle(handle).status().status == handle.status().status


def test_a_registered_workflow_is_started_once_though_nobody_named_it(remote: BlockingTaskAPI) -> None:
    remote.register_workflow(Workflow(name="w", steps=[WaitStep(name="s", signal="go")]))
    first, second = remote.start_workflow("w"), remote.start_workflow("w")
    assert first != second
    assert remote.start_workflow("w", idempotency_key="k") == remote.start_workflow("w", idempotency_key="k")


def test_many_tasks_are_told_of_as_they_go(remote: BlockingTaskAPI) -> None:
    remote.create_tasks([Task(name=str(n), capability="lint") for n in range(70)])
    told: list[BulkResult] = []
    result = remote.cancel_tasks(capability="lint", progress=told.append)
    assert (result.matched, result.done) == (70, 70)
    assert [each.done for each in told] == [32, 64, 70]


def test_who_hears_of_progress_may_stop_it(remote: BlockingTaskAPI) -> None:
    remote.create_tasks([Task(name=str(n), capability="lint") for n in range(200)])

    def stop(_: BulkResult) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remote.cancel_tasks(capability="lint", progress=stop)
    assert remote.cancel_tasks(capability="lint").matched == 200


def test_whoever_does_it_is_the_key(remote: BlockingTaskAPI) -> None:
    assert remote.pause(capability="lint", by="somebody else").by == "ann"


def test_the_async_client_asks_from_any_loop(locked: Served, settings: Settings, key: Callable[..., str]) -> None:
    api = TaskAPI(locked.url, settings, api_key=key())

    async def many() -> list[Task]:
        made = await asyncio.gather(*(api.create_task(Task(name=str(n), capability="lint")) for n in range(20)))
        handle = await api.start_workflow(
            Workflow(name="w", steps=[WaitStep(name="s", signal="go")])
        )
        assert isinstance(handle, WorkflowHandle)
        assert await handle.signal("go")
        told: list[BulkResult] = []
        assert (await api.cancel_tasks(capability="lint", progress=told.append)).done == len(made)
        assert told
        with pytest.raises(WaitTimeoutError):
            await api.wait_workflow(handle, timeout=0)
        await api.close()
        return made

    for _ in range(2):
        assert len(asyncio.run(many())) == 20


def test_a_fork_has_connections_of_its_own(remote: BlockingTaskAPI) -> None:
    task = remote.create_task(Task(name="a", capability="lint"))
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if remote.get_task(task.id).id == task.id else 1
        finally:
            os._exit(code)
    assert remote.get_task(task.id).id == task.id
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
