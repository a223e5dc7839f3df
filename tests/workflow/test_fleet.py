"""Workflows on real processes: a server, a coordinator and a Celery worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, TaskAPI, Workflow, WorkflowExecutionError, WorkflowStep

from ..conftest import Valkey
from ..fleet import Fleet, until


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


def test_plain_steps_go_on_while_no_coordinator_lives(fleet: Fleet) -> None:
    """Gates of nested steps fall, and values are read; what needs a decision waits for the next leader."""
    held = WorkflowStep(name="a", task_template={"capability": "work", "input": {"do": "nothing"}, "hold": True})
    reads = WorkflowStep(
        name="b", task_template={"capability": "work", "input": {"do": "nothing", "got": "${steps.a.output}"}}
    )
    wide = WorkflowStep(kind="parallel", name="p", sub_steps=[reads, step("c")])
    chain = WorkflowStep(kind="sequential", name="s", sub_steps=[wide, step("d")])
    plain, decided = flow(held, chain, step("e")), flow(held, chain, step("e", when="true"))
    with BlockingTaskAPI(settings=fleet.settings) as api:
        for one in (plain, decided):
            api.start_workflow(one)
        first = [until(lambda id=one.id: _task(api, id, "a"), what="the task of a") for one in (plain, decided)]
        fleet.processes[0].close()
        until(lambda: fleet.view().leader is None, what="no leader")
        for task in first:
            api.execute_task(task.id, wait=False)
        until(lambda: api.get_workflow(plain.id).status == "completed", what="the end of plain steps")
        until(lambda: _statuses(api, decided)["s"] == "completed", what="the end of plain steps before a decision")
        assert (api.get_workflow(decided.id).status, _statuses(api, decided)["e"]) == ("running", "pending")
        assert fleet.view().leader is None
        fleet.coordinator("second")
        until(lambda: api.get_workflow(decided.id).status == "completed", what="the decision of the next leader")


def _task(api: BlockingTaskAPI, workflow: Any, name: str) -> Any:
    return next((task for task in api.list_tasks(run_id=workflow) if task.name == name), None)


def _statuses(api: BlockingTaskAPI, workflow: Workflow) -> dict[str, str]:
    return {one.path: one.status.value for one in api.get_workflow_status(workflow.id).steps}
