"""The type of each answer of the client; mypy reads this, and nobody runs it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_type
from uuid import UUID

from taskengine import AgentInfo, ApiKey, Finding, HostInfo, LimitInfo, NewKey
from taskengine.api import TaskAPI, WorkflowHandle
from taskengine.models import (
    AgentUsage,
    ApprovalAnswer,
    Artifact,
    BulkResult,
    DeadLetter,
    DeadLetterPage,
    Event,
    Explanation,
    LogPage,
    Pause,
    QuarantinedMessage,
    QuarantinePage,
    RequeuedLetters,
    Run,
    RunPage,
    StepPage,
    Task,
    TaskCreateRequest,
    TaskExecution,
    TaskPage,
    TaskPriority,
    TaskStatus,
    TaskUpdateRequest,
    Workflow,
    WorkflowDefinition,
    WorkflowPage,
    WorkflowState,
)
from taskengine.models.plan import DependencyGraph, ExecutionPlan
from taskengine.settings import Settings


async def opened() -> None:
    assert_type(TaskAPI("redis://localhost").settings, Settings)
    async with TaskAPI(settings=Settings()) as api:
        assert_type(api, TaskAPI)
    assert_type(await api.close(), None)


async def tasks(api: TaskAPI, id: UUID, task: Task, request: TaskCreateRequest, then: datetime) -> None:
    assert_type(await api.create_task(task, run_id=str(id)), Task)
    assert_type(await api.create_tasks([task, request], name="nightly"), list[Task])
    assert_type(await api.get_task(str(id)), Task)
    assert_type(await api.get_tasks(id), list[Task])
    assert_type(await api.update_task(id, TaskUpdateRequest(priority=TaskPriority.HIGH)), Task)
    assert_type(await api.update_task(id, priority="high"), Task)
    assert_type(await api.delete_task(id, cascade=True), bool)
    assert_type(await api.list_tasks(TaskStatus.READY, metadata={"team": "core"}), TaskPage)
    assert_type(await api.list_tasks(created_after=then, created_before=then, error_kind="timeout"), TaskPage)
    assert_type(await api.add_dependency(id, str(id)), Task)
    assert_type(await api.wait([id, str(id)], 5), list[Task])
    assert_type(await api.get_dependency_graph(), DependencyGraph)
    assert_type(await api.get_execution_plan([id]), ExecutionPlan)
    for each in await api.list_tasks():
        assert_type(each, Task)


async def executions(api: TaskAPI, id: UUID, wait: bool) -> None:
    """Who waits has an execution; who does not may have none."""
    assert_type(await api.execute_task(id), TaskExecution)
    assert_type(await api.execute_task(id, "bot", True, 5), TaskExecution)
    assert_type(await api.execute_task(id, wait=False), TaskExecution | None)
    assert_type(await api.execute_task(id, wait=wait), TaskExecution | None)
    assert_type(await api.retry_task(id), TaskExecution)
    assert_type(await api.retry_task(id, wait=False), TaskExecution | None)
    assert_type(await api.cancel_task_execution(id, "enough"), bool)
    assert_type(await api.cancel_task(id), bool)
    assert_type(await api.get_task_execution(id), TaskExecution | None)
    assert_type(await api.get_task_executions(id), list[TaskExecution])
    assert_type(await api.get_latest_executions([id]), list[TaskExecution | None])


async def runs(api: TaskAPI, id: UUID) -> None:
    assert_type(await api.list_runs(finished=True), RunPage)
    assert_type(await api.get_run(id), Run)
    assert_type(await api.wait_run(id, timeout=60), Run)
    assert_type(await api.find_task("3f2a"), UUID)
    assert_type(await api.find_run("nightly"), UUID)


async def control(api: TaskAPI, id: UUID, until: datetime) -> None:
    assert_type(await api.pause(capability="lint", until=until), Pause)
    assert_type(await api.resume(everything=True), bool)
    assert_type(await api.list_pauses(), list[Pause])
    assert_type(await api.list_artifacts(id), list[Artifact])
    assert_type(await api.get_artifact(id, "a.diff"), bytes)
    assert_type(await api.get_agent_usage("day", 7), list[AgentUsage])
    assert_type(await api.answer(id, "yes", question_id="q", by="ann"), Task)
    assert_type(await api.pause_task(id, "look", until), Pause)
    assert_type(await api.resume_task(id), bool)
    assert_type(await api.hold_task(id), bool)
    assert_type(await api.release_task(id), bool)


async def bulk(api: TaskAPI, filters: Mapping[str, Any]) -> None:
    def shown(so_far: BulkResult) -> None: ...

    assert_type(await api.cancel_tasks(reason="enough", progress=shown, **filters), BulkResult)
    assert_type(await api.pause_tasks(everything=True), BulkResult)
    assert_type(await api.resume_tasks(dry_run=True, **filters), BulkResult)
    assert_type(await api.hold_tasks(**filters), BulkResult)
    assert_type(await api.release_tasks(**filters), BulkResult)
    assert_type(await api.retry_tasks(**filters), BulkResult)
    assert_type(await api.update_tasks("high", **filters), BulkResult)
    assert_type(await api.delete_tasks(**filters), BulkResult)


async def operations(api: TaskAPI, id: UUID) -> None:
    assert_type(await api.explain(id), Explanation)
    assert_type(await api.get_logs(id, execution=1), LogPage)
    assert_type(await api.follow_logs(id, str(id), timeout=5), LogPage)
    assert_type(await api.get_events(id), list[Event])
    assert_type(await api.get_task_events(id), list[Event])
    assert_type(await api.get_queue_statistics(), dict[str, Any])
    assert_type(await api.get_queue_demand("lint"), dict[str, Any])
    assert_type(await api.list_workers(), list[dict[str, Any]])
    assert_type(await api.health_check(), dict[str, Any])
    assert_type(await api.list_dead_letters("lint"), DeadLetterPage)
    assert_type(await api.get_dead_letter(id), DeadLetter)
    assert_type(await api.requeue_dead_letters([id]), RequeuedLetters)
    assert_type(await api.drop_dead_letters(everything=True), list[UUID])
    assert_type(await api.list_quarantined(), QuarantinePage)
    assert_type(await api.get_quarantined("abcd"), QuarantinedMessage)
    assert_type(await api.drop_quarantined(["abcd"]), int)


async def workflows(api: TaskAPI, id: UUID, workflow: Workflow) -> None:
    assert_type(await api.start_workflow(workflow, idempotency_key="k"), WorkflowHandle)
    assert_type(await api.execute_workflow(workflow, timeout=5), Workflow)
    assert_type(await api.execute_workflow("nightly", context={"n": 1}), Workflow)
    assert_type(await api.register_workflow(workflow), int)
    assert_type(await api.get_definition("release"), WorkflowDefinition)
    assert_type(await api.get_workflow(id), Workflow)
    assert_type(await api.get_workflow_status(str(id)), WorkflowState)
    assert_type(await api.list_step_children(id, "each", limit=5), StepPage)
    assert_type(await api.list_workflows("nightly", "failed", limit=5), WorkflowPage)
    assert_type(await api.pause_workflow(id, "a look"), bool)
    assert_type(await api.resume_workflow(id), bool)
    assert_type(await api.retry_workflow(id), bool)
    assert_type(await api.restart_workflow(id), WorkflowHandle)
    assert_type(await api.wait_workflow(id, timeout=5), Workflow)
    assert_type(api.get_workflow_handle(str(id)), WorkflowHandle)
    assert_type(await api.cancel_workflow(id, "enough"), bool)
    assert_type(await api.signal_workflow(id, "go", {"n": 1}, signal_id="1"), bool)
    assert_type(await api.approve(id, "release", by="ann"), bool)
    assert_type(await api.get_approval(id, "release"), ApprovalAnswer | None)
    assert_type(await api.update_context(id, {"x": 1}, if_revision=3), int)


async def agents(api: TaskAPI) -> None:
    assert_type(await api.register_agent("a", "claude", {"code_review"}, secret="KEY", config={"x": 1}), AgentInfo)
    assert_type(await api.list_agents("online", capability="lint"), list[AgentInfo])
    assert_type(await api.get_agent("a"), AgentInfo)
    assert_type(await api.update_agent("a", if_revision=3, preference=1), AgentInfo)
    assert_type(await api.pause_agent("a", "a look"), Pause)
    assert_type(await api.resume_agent("a"), bool)
    assert_type(await api.drain_agent("a", "a deploy"), AgentInfo)
    assert_type(await api.unregister_agent("a", cascade=True), None)
    assert_type(await api.set_limit("key", in_flight=8), LimitInfo)
    assert_type(await api.list_limits(), list[LimitInfo])
    assert_type(await api.remove_limit("key"), None)
    assert_type(await api.create_key("ann", scope="submit", rate=60), NewKey)
    assert_type(await api.list_keys(), list[ApiKey])
    assert_type(await api.revoke_key("0123456789ab"), bool)
    assert_type(await api.list_hosts(), list[HostInfo])
    assert_type(await api.examine(deep=True), list[Finding])


async def refused(api: TaskAPI, task: Task) -> None:
    """What a type checker must not let through: an ignore that nothing needs is an error too."""
    await api.create_task("lint")  # type: ignore[arg-type]
    await api.get_task(7)  # type: ignore[arg-type]
    await api.wait(task)  # type: ignore[arg-type]
    await api.pause("lint", until="tomorrow")  # type: ignore[arg-type]
    await api.list_tasks(state="ready")  # type: ignore[call-arg]
    await api.update_tasks(everything=True)  # type: ignore[call-arg]
    TaskAPI(Settings())  # type: ignore[arg-type]


async def handles(handle: WorkflowHandle) -> None:
    assert_type(handle.id, UUID)
    assert_type(await handle.result(timeout=5), Workflow)
    assert_type(await handle.get(), Workflow)
    assert_type(await handle.status(), WorkflowState)
    assert_type(await handle.pause("a look"), bool)
    assert_type(await handle.resume(), bool)
    assert_type(await handle.cancel("enough"), bool)
    assert_type(await handle.retry(), bool)
    assert_type(await handle.signal("go", {"n": 1}), bool)
    assert_type(await handle.approve("ask", by="ann"), bool)
    assert_type(await handle.update_context({"n": 1}), int)
