"""The manual's blocks about workflows as they are written, run to their end; only the import differs.

The engine is in this process and its clock is turned, for one block waits for five minutes. What the manual leaves to
its reader is handed in: the steps it names, and whoever sets the fields of its conditions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from taskengine import TaskType, WorkflowBuilder, WorkflowStatus, WorkflowStep, agent
from taskengine.testing import Engine

from .conftest import run_block
from .workflow_steps import CONDITIONAL, LOOP, PARALLEL, SEQUENTIAL, TASK, WAIT

EXECUTE = """
    # Execute workflow
    result = await api.execute_workflow(workflow)
    """
PREBUILT = """
    # CI/CD Pipeline
    workflow = WorkflowBuilder.create_ci_cd_workflow(
        name="CI/CD Pipeline",
        created_by="user123",
        repository_url="https://github.com/example/repo"
    )
    first = await api.execute_workflow(workflow)

    # Data Processing Pipeline
    workflow = WorkflowBuilder.create_data_processing_workflow(
        name="ETL Pipeline",
        created_by="user123", 
        data_sources=["db1", "api1", "file1"]
    )
    second = await api.execute_workflow(workflow)

    # Code Review Workflow
    workflow = WorkflowBuilder.create_code_review_workflow(
        name="PR Review",
        created_by="user123",
        pull_request_url="https://github.com/example/repo/pull/123"
    )
    third = await api.execute_workflow(workflow)
    """  # noqa: W291  # as in the manual
#: What the prebuilt ones read of their tasks, all at once.
ANSWER = {
    "commit": "c", "url": "u", "release": "r", "status": "passed", "valid": True, "location": "l", "rows": 3,
    "files": [], "findings": [], "passed": True, "healthy": True, "count": 0, "text": "fine",
}  # fmt: skip


def step(name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template={"name": name, "task_type": "testing"}, **more)


STEPS = {
    "unit_test_step": step("unit", outputs={"test_status": "${output.status}"}),
    "integration_test_step": step("integration"),
    "deploy_step": step("deploy"),
    "verify_step": step("verify"),
    "notify_step": step("notify"),
    "rollback_step": step("rollback"),
    "retry_step": step("retry", outputs={"retry_count": "${variables.retry_count + 1}"}),
}


@pytest.fixture
def engine() -> Iterator[Engine]:
    """One agent for each type, which says what all of them may be asked for."""

    @agent("everything", capabilities={kind.value for kind in TaskType})
    def everything(task: Any, context: Any) -> dict[str, Any]:
        ran.append(task.name)
        return ANSWER

    ran: list[str] = []
    with Engine([everything]) as made:
        made.ran = ran  # type: ignore[attr-defined]
        yield made
        made.check()


async def built(*blocks: str, **variables: Any) -> Any:
    builder = WorkflowBuilder("manual", "user123", variables=variables)
    for block in blocks:
        await run_block(block, builder=builder, **STEPS)
    return builder.build()


@pytest.mark.parametrize(
    ("block", "variables", "ran"),
    [
        (TASK, {}, ["Build Application"]),
        (PARALLEL, {}, ["integration", "unit"]),
        (SEQUENTIAL, {}, ["deploy", "notify", "verify"]),
        (CONDITIONAL, {"test_status": "passed"}, ["deploy"]),
        (CONDITIONAL, {"test_status": "failed"}, ["rollback"]),
        (LOOP, {"retry_count": 0}, ["retry"] * 3),
    ],
)
async def test_each_kind_runs_to_its_end(
    engine: Engine, block: str, variables: dict[str, Any], ran: list[str]
) -> None:
    names = await run_block(EXECUTE, api=engine.aio, workflow=await built(block, **variables))
    assert names["result"].status is WorkflowStatus.COMPLETED
    assert sorted(engine.ran) == ran  # type: ignore[attr-defined]


async def test_all_kinds_in_one_workflow_run_to_their_end(engine: Engine) -> None:
    """``test_status`` comes from the outputs of a step, ``retry_count`` from the loop, ``approved`` from a client."""
    workflow = await built(TASK, PARALLEL, SEQUENTIAL, CONDITIONAL, LOOP, WAIT, retry_count=0)
    await engine.aio.start_workflow(workflow)
    engine.run_for(299)
    names = await run_block("status = await api.get_workflow_status(workflow_id)", **verbs(engine, workflow))
    assert [one.status.value for one in names["status"].steps] == ["completed"] * 5 + ["waiting", "pending"]
    engine.run_for(2)
    assert (await engine.aio.get_workflow_status(workflow.id)).steps[-1].status == "waiting"
    await engine.aio.update_context(workflow.id, {"approved": True})
    done = await engine.aio.wait_workflow(workflow.id, timeout=10)
    assert done.variables == {"retry_count": 3, "test_status": "passed", "approved": True}


def verbs(engine: Engine, workflow: Any) -> dict[str, Any]:
    return {"api": engine.aio, "workflow_id": workflow.id}


async def test_the_verbs_say_that_they_did_something(engine: Engine) -> None:
    workflow = await built(WAIT)
    await engine.aio.start_workflow(workflow)
    engine.run_until_idle()
    names = await run_block(
        """
        # Pause workflow
        success = await api.pause_workflow(workflow_id)
        paused = success

        # Resume workflow
        success = await api.resume_workflow(workflow_id)
        resumed = success

        # Cancel workflow
        success = await api.cancel_workflow(workflow_id)

        # Get workflow status
        status = await api.get_workflow_status(workflow_id)
        """,
        **verbs(engine, workflow),
    )
    assert (names["paused"], names["resumed"], names["success"]) == (True, True, True)
    assert names["status"].status in {WorkflowStatus.CANCELLING, WorkflowStatus.CANCELLED}


async def test_the_prebuilt_run_to_their_end(engine: Engine) -> None:
    names = await run_block(PREBUILT, api=engine.aio)
    assert [names[name].status.value for name in ("first", "second", "third")] == ["completed"] * 3
    assert names["third"].created_by == "user123"
