"""The blocking door's verbs for single tasks and graphs; with its siblings they are ``BlockingTaskAPI``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, overload

from taskengine.api.aio.tasks import TaskAPI
from taskengine.api.arguments import Id
from taskengine.api.blocking.bulk import BlockingBulk
from taskengine.api.blocking.control import BlockingControl
from taskengine.api.blocking.operations import BlockingOperations
from taskengine.api.blocking.runs import BlockingRuns
from taskengine.api.door import documented_like
from taskengine.api.stories import ask, change, delete, edges, execute, plan, submit, wait
from taskengine.api.stories.plan import DependencyGraph, ExecutionPlan
from taskengine.models import (
    Task,
    TaskCreateRequest,
    TaskExecution,
    TaskPage,
    TaskPriority,
    TaskStatus,
    TaskType,
    TaskUpdateRequest,
)


@documented_like(TaskAPI)
class BlockingTaskAPI(BlockingControl, BlockingBulk, BlockingRuns, BlockingOperations):
    """:class:`TaskAPI` without ``await``, over the blocking driver; threads may share one."""

    def create_task(self, task: Task | TaskCreateRequest, run_id: Id | None = None) -> Task:
        return self._run(submit.create_task(self._scope, task, run_id))

    def create_tasks(
        self,
        tasks: Iterable[Task | TaskCreateRequest],
        run_id: Id | None = None,
        idempotency_key: str | None = None,
        name: str | None = None,
    ) -> list[Task]:
        return self._run(submit.create_tasks(self._scope, tasks, run_id, idempotency_key, name))

    def get_task(self, task_id: Id) -> Task:
        return self._run(ask.get_task(self._scope, task_id))

    def get_tasks(self, task_ids: Iterable[Id] | Id) -> list[Task]:
        return self._run(ask.get_tasks(task_ids))

    def update_task(self, task_id: Id, request: TaskUpdateRequest | None = None, **changes: Any) -> Task:
        return self._run(change.update_task(self._scope, task_id, request, changes))

    def delete_task(self, task_id: Id, cascade: bool = False) -> bool:
        return self._run(delete.delete_task(self._scope, task_id, cascade))

    def list_tasks(
        self,
        status: TaskStatus | str | None = None,
        task_type: TaskType | str | None = None,
        priority: TaskPriority | int | str | None = None,
        assigned_to: str | None = None,
        created_by: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        limit: int = 50,
        cursor: str | None = None,
        run_id: Id | None = None,
        capability: str | None = None,
    ) -> TaskPage:
        return self._run(
            ask.list_tasks(
                status=status,
                task_type=task_type,
                priority=priority,
                assigned_to=assigned_to,
                created_by=created_by,
                metadata=metadata,
                run_id=run_id,
                capability=capability,
                limit=limit,
                after=cursor,
            )
        )

    @overload
    def execute_task(
        self,
        task_id: Id,
        agent_id: str | None = None,
        wait: Literal[True] = True,
        timeout: float | None = None,
    ) -> TaskExecution: ...

    @overload
    def execute_task(
        self, task_id: Id, agent_id: str | None = None, wait: bool = True, timeout: float | None = None
    ) -> TaskExecution | None: ...

    def execute_task(
        self, task_id: Id, agent_id: str | None = None, wait: bool = True, timeout: float | None = None
    ) -> TaskExecution | None:
        return self._run(execute.execute_task(self._scope, task_id, agent_id, wait, timeout))

    def cancel_task_execution(self, task_id: Id, reason: str = "cancelled by a client") -> bool:
        return self._run(execute.cancel_task(task_id, reason))

    cancel_task = cancel_task_execution

    @overload
    def retry_task(
        self, task_id: Id, wait: Literal[True] = True, timeout: float | None = None
    ) -> TaskExecution: ...

    @overload
    def retry_task(
        self, task_id: Id, wait: bool = True, timeout: float | None = None
    ) -> TaskExecution | None: ...

    def retry_task(
        self, task_id: Id, wait: bool = True, timeout: float | None = None
    ) -> TaskExecution | None:
        return self._run(execute.retry_task(self._scope, task_id, wait, timeout))

    def get_task_execution(self, task_id: Id) -> TaskExecution | None:
        return self._run(ask.get_execution(self._scope, task_id))

    def get_task_executions(self, task_id: Id) -> list[TaskExecution]:
        return self._run(ask.get_executions(self._scope, task_id))

    def get_latest_executions(self, task_ids: Iterable[Id] | Id) -> list[TaskExecution | None]:
        return self._run(ask.get_latest_executions(task_ids))

    def add_dependency(self, task_id: Id, dependency_id: Id) -> Task:
        return self._run(edges.add_dependency(self._scope, task_id, dependency_id))

    def wait(self, task_ids: Iterable[Id] | Id, timeout: float | None = None) -> list[Task]:
        return self._run(wait.wait(self._scope, task_ids, timeout))

    def get_dependency_graph(self, run_id: Id | None = None) -> DependencyGraph:
        return self._run(plan.get_dependency_graph(self._scope, run_id))

    def get_execution_plan(self, task_ids: Iterable[Id] | Id) -> ExecutionPlan:
        return self._run(plan.get_execution_plan(task_ids))
