"""The handle of a workflow: its id, and its verbs."""

from __future__ import annotations

import pickle
from copy import deepcopy
from uuid import UUID, uuid4

import pytest

from taskengine import NotFoundError, Task, Workflow, WorkflowExecutionError, WorkflowStep
from taskengine.testing import Engine

from .conftest import QUEUE, work

WAITS = (
    WorkflowStep(kind="wait", name="go", signal="go"),
    WorkflowStep(kind="approval", name="ask", prompt="?"),
    WorkflowStep(kind="wait", name="change", wait_condition="variables.ready"),
    WorkflowStep(name="last", task_template=work()),
)


def waiting(**more: object) -> Workflow:
    return Workflow(name="w", steps=WAITS, outputs={"by": "${steps.ask.output.by}"}, **more)


def test_it_has_the_verbs_of_its_workflow(engine: Engine) -> None:
    handle = engine.api.start_workflow(waiting())
    assert handle.pause("a look") is True
    assert handle.resume() is True
    assert handle.signal("go", signal_id="1") is True
    assert handle.signal("go", signal_id="1") is False
    engine.run_until_idle()
    assert handle.approve("ask", by="ann") is True
    assert handle.update_context({"ready": True}) == 1
    assert handle.result().result == {"by": "ann"}
    assert handle.get().status == handle.status().status == "completed"
    assert handle.cancel() is False


def test_it_cancels_and_retries(engine: Engine) -> None:
    handle = engine.api.start_workflow(waiting())
    assert handle.cancel("enough") is True
    with pytest.raises(WorkflowExecutionError, match="enough"):
        handle.result()
    assert handle.retry() is True
    assert handle.get().status == "running"


def test_it_stands_wherever_an_id_may(engine: Engine) -> None:
    flow = waiting()
    handle = engine.api.start_workflow(flow)
    assert (handle, hash(handle), str(handle)) == (flow.id, hash(flow.id), str(flow.id))
    assert engine.api.get_workflow(handle).id == engine.api.get_run(handle).id == handle
    behind = engine.api.create_task(Task(name="behind", capability=QUEUE, depends_on={handle}))
    engine.run_until_idle()
    assert engine.api.get_task(behind.id).status == "pending"


def test_a_copy_of_it_is_the_id_alone(engine: Engine) -> None:
    handle = engine.api.start_workflow(waiting())
    for copy in (pickle.loads(pickle.dumps(handle)), deepcopy(handle), handle.id):
        assert (type(copy), copy) == (UUID, handle)


def test_a_handle_of_an_id_asks_nobody(engine: Engine) -> None:
    handle = engine.api.start_workflow(waiting())
    assert engine.api.get_workflow_handle(str(handle)).get().name == "w"
    with pytest.raises(NotFoundError):
        engine.api.get_workflow_handle(uuid4()).result()


def test_the_result_of_a_task_is_none_of_a_workflow(engine: Engine) -> None:
    (task,) = engine.submit(Task(name="t", capability=QUEUE))
    with pytest.raises(NotFoundError):
        engine.api.wait_workflow(task.id)


async def test_the_async_one_is_awaited(engine: Engine) -> None:
    handle = await engine.aio.start_workflow(waiting(variables={"ready": True}))
    await handle.signal("go")
    await handle.approve("ask", by="ann")
    assert (await handle.result(timeout=60)).result == {"by": "ann"}
    again = await engine.aio.restart_workflow(handle)
    assert again != handle
    assert (await again.status()).name == "w"
