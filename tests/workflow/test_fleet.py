"""Workflows on real processes: a server, a coordinator and a Celery worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, TaskAPI, Workflow, WorkflowExecutionError, WorkflowStep

from ..conftest import Valkey
from ..fleet import Fleet


def step(name: str, do: str = "nothing", **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template={"capability": "work", "input": {"do": do}, "max_retries": 0}, **more)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    server = Valkey()
    made = Fleet(server, tmp_path_factory.mktemp("fleet"))
    try:
        made.coordinator()
        made.worker("w", "-Q", "work")
        made.await_leader()
        yield made
    finally:
        made.close()
        server.close()


def flow(*steps: WorkflowStep) -> Workflow:
    return Workflow(name="nightly", steps=steps)


def test_a_workflow_runs_to_its_end_on_a_fleet(fleet: Fleet) -> None:
    wide = WorkflowStep(kind="parallel", name="p", sub_steps=[step("b"), step("c")])
    with BlockingTaskAPI(settings=fleet.settings) as api:
        done = api.execute_workflow(flow(step("a"), wide, step("d", on_failure="continue")), timeout=30)
        assert done.status == "completed"
        state = api.get_workflow_status(done.id)
    assert [(one.path, one.status.value) for one in state.steps] == [
        ("a", "completed"), ("p", "completed"), ("d", "completed"),
    ]  # fmt: skip


async def test_a_failed_workflow_is_carried_by_its_error(fleet: Fleet) -> None:
    async with TaskAPI(settings=fleet.settings) as api:
        with pytest.raises(WorkflowExecutionError) as caught:
            await api.execute_workflow(flow(step("a", "fail"), step("b")), timeout=30)
    assert caught.value.workflow.failed_step == "a"
