"""The async client's verbs for single tasks and graphs; with its siblings they are ``TaskAPI``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, overload

from taskengine import models
from taskengine.api import operations
from taskengine.api.aio.admin import AsyncAdmin
from taskengine.api.aio.agents import AsyncAgents
from taskengine.api.aio.bulk import AsyncBulk
from taskengine.api.aio.control import AsyncControl
from taskengine.api.aio.keys import AsyncKeys
from taskengine.api.aio.leavings import AsyncLeavings
from taskengine.api.aio.limits import AsyncLimits
from taskengine.api.aio.runs import AsyncRuns
from taskengine.api.aio.workflow_start import AsyncWorkflowStart
from taskengine.api.arguments import Id
from taskengine.models import Task, TaskCreateRequest, TaskPage, TaskPriority, TaskStatus, TaskType, TaskUpdateRequest
from taskengine.models.plan import DependencyGraph, ExecutionPlan


class TaskAPI(
    AsyncControl,
    AsyncBulk,
    AsyncRuns,
    AsyncWorkflowStart,
    AsyncAgents,
    AsyncLimits,
    AsyncKeys,
    AsyncLeavings,
    AsyncAdmin,
):
    """Submit, watch and steer tasks from an event loop.

    ``TaskAPI()`` uses ``TASKENGINE_URL`` or ``TASKENGINE_REDIS_URL``, or starts the embedded server;
    *url* and *settings* say otherwise. Nothing happens before the first call, which also refuses a server that could
    lose tasks. With the address of a ``taskengine server`` (``https://host``) it asks that, and shows *api_key*, else
    ``TASKENGINE_API_KEY``, else this machine's own key.

    ``async with`` closes the connections, and is optional. Every id may be a UUID or its text.
    """

    async def create_task(self, task: Task | TaskCreateRequest, run_id: Id | None = None) -> Task:
        """Store a task; it runs as soon as it is READY.

        Safe to repeat: the same id or ``idempotency_key`` with the same content answers with the first one's
        record, as it stands now, also after an update; with other content it raises IdempotencyConflictError.
        UnknownDependencyError names a dependency that is not stored.
        """
        return await self._run(operations.submit.create_task(self._context, task, run_id))

    async def create_tasks(
        self,
        tasks: Iterable[Task | TaskCreateRequest],
        run_id: Id | None = None,
        idempotency_key: str | None = None,
        name: str | None = None,
    ) -> list[Task]:
        """Store a whole graph, all or nothing and visible at once; its tasks in the order given, as they
        stand then.

        *run_id* adds them to an existing run. *idempotency_key* names the graph: the same key with the same
        tasks in the same order answers with the first one's tasks, whatever ids the new ones have; with other
        ones it raises IdempotencyConflictError, whose ``.existing_id`` is the first one's run. A key counts
        until its run is pruned, or for TASKENGINE_IDEMPOTENCY_SECONDS; then it is free again. *name* is what people
        know the run by (:meth:`list_runs`, ``taskengine run watch NAME``), 1 to 500 characters; runs may share one, and
        a run keeps its first: another one for an existing run raises ConflictError.

        Safe to repeat like :meth:`create_task`, also when a graph is built again with new ids under the same
        idempotency keys. CircularDependencyError names the path of a cycle.
        """
        return await self._run(operations.submit.create_tasks(self._context, tasks, run_id, idempotency_key, name))

    async def get_task(self, task_id: Id) -> Task:
        """Return a task with its input and, once COMPLETED, its result; NotFoundError when there is none."""
        return await self._run(operations.ask.get_task(self._context, task_id))

    async def get_tasks(self, task_ids: Iterable[Id] | Id) -> list[Task]:
        """Tasks in the order asked, without results and large inputs; NotFoundError when one is not there."""
        return await self._run(operations.ask.get_tasks(task_ids))

    async def update_task(
        self, task_id: Id, request: TaskUpdateRequest | None = None, **changes: Any
    ) -> Task:
        """Change a stored task, given a request or the fields by name, all or nothing; the task as it stands
        then.

        See :class:`TaskUpdateRequest` for what may change when; else NotAllowedError tells the task's history.
        A new priority or deadline counts at once, a new timeout from the next attempt on.
        """
        return await self._run(operations.change.update_task(self._context, task_id, request, changes))

    async def delete_task(self, task_id: Id, cascade: bool = False) -> bool:
        """Delete a task that is over, with its executions; False when there was none.

        One that is open, or that open tasks depend on, is refused (NotAllowedError names them); with
        *cascade* they are cancelled first, which for running ones takes up to their grace.
        """
        return await self._run(operations.delete.delete_task(self._context, task_id, cascade))

    async def list_tasks(
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
        asking: bool = False,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        error_kind: str | None = None,
    ) -> TaskPage:
        """One page of the tasks that meet every filter, newest first, without results and large inputs.

        *asking*: only those that wait for a person's answer, each with its ``question``.

        *metadata* must be contained in the task's, nested values too. *created_after* is the first moment that counts,
        *created_before* the first that does not, both with a time zone. *error_kind* is that of the last failure, as
        :class:`Task` shows it. Pass ``page.cursor`` back for the next page. A page that searched for long is short, or
        empty, and has a cursor: only one without is the last. Queue, metadata, moment and error kind are compared task
        by task, thousands a page; the others pass by millions.
        """
        return await self._run(
            operations.ask.list_tasks(
                status=status,
                task_type=task_type,
                priority=priority,
                assigned_to=assigned_to,
                created_by=created_by,
                metadata=metadata,
                run_id=run_id,
                capability=capability,
                asking=asking,
                limit=limit,
                after=cursor,
                created_after=created_after,
                created_before=created_before,
                error_kind=error_kind,
            )
        )

    @overload
    async def execute_task(
        self,
        task_id: Id,
        agent_id: str | None = None,
        wait: Literal[True] = True,
        timeout: float | None = None,
    ) -> models.TaskExecution: ...

    @overload
    async def execute_task(
        self, task_id: Id, agent_id: str | None = None, wait: bool = True, timeout: float | None = None
    ) -> models.TaskExecution | None: ...

    async def execute_task(
        self, task_id: Id, agent_id: str | None = None, wait: bool = True, timeout: float | None = None
    ) -> models.TaskExecution | None:
        """Start a task as soon as it may, releasing a hold or a schedule, on that agent if one is named.

        Waits for its end, retries included, up to *timeout* seconds (None: for ever; WaitTimeoutError), and
        returns the latest execution; TaskExecutionError holds it when the task failed or was cancelled. A
        task that runs or is over is not run again: its execution is awaited. With ``wait=False`` the latest
        execution, or None, at once.
        """
        return await self._run(operations.execute.execute_task(self._context, task_id, agent_id, wait, timeout))

    async def cancel_task_execution(self, task_id: Id, reason: str = "cancelled by a client") -> bool:
        """Cancel a task: at once when it has not started, else its agent is asked and given its grace.

        False when it was over already.
        """
        return await self._run(operations.execute.cancel_task(self._context, task_id, reason))

    cancel_task = cancel_task_execution

    @overload
    async def retry_task(
        self, task_id: Id, wait: Literal[True] = True, timeout: float | None = None
    ) -> models.TaskExecution: ...

    @overload
    async def retry_task(
        self, task_id: Id, wait: bool = True, timeout: float | None = None
    ) -> models.TaskExecution | None: ...

    async def retry_task(
        self, task_id: Id, wait: bool = True, timeout: float | None = None
    ) -> models.TaskExecution | None:
        """Open a FAILED or CANCELLED task again, with fresh retries, and go on as :meth:`execute_task`.

        What its end had closed opens too. One that a dependency's end closed is refused; NotAllowedError
        names the task to retry instead.
        """
        return await self._run(operations.execute.retry_task(self._context, task_id, wait, timeout))

    async def get_task_execution(self, task_id: Id) -> models.TaskExecution | None:
        """Return the latest execution of a task with its logs and result; None when it never had one."""
        return await self._run(operations.ask.get_execution(self._context, task_id))

    async def get_task_executions(self, task_id: Id) -> list[models.TaskExecution]:
        """Return the latest 100 executions of a task, oldest first, without logs and large results."""
        return await self._run(operations.ask.get_executions(self._context, task_id))

    async def get_latest_executions(self, task_ids: Iterable[Id] | Id) -> list[models.TaskExecution | None]:
        """Return the latest execution of each task, in the order asked, without outcomes and logs: who runs it where,
        since when, and how far it is. None where none began, or the task is not there.
        """
        return await self._run(operations.ask.get_latest_executions(task_ids))

    async def add_dependency(self, task_id: Id, dependency_id: Id) -> Task:
        """Make a stored task that has not started wait for another stored one as well; safe to repeat.

        CircularDependencyError names the path that the edge would close.
        """
        return await self._run(operations.edges.add_dependency(self._context, task_id, dependency_id))

    async def wait(self, task_ids: Iterable[Id] | Id, timeout: float | None = None) -> list[Task]:
        """Return the tasks with their results (those over 256 KiB: :meth:`get_task`), in the order asked, once all
        are over.

        WaitTimeoutError after *timeout* seconds; its ``.pending`` holds the ids that are still open.
        """
        return await self._run(operations.wait.wait(self._context, task_ids, timeout))

    async def get_dependency_graph(self, run_id: Id | None = None) -> DependencyGraph:
        """Nodes and edges of a run and what it depends on outside, or of all that is stored; ids as text."""
        return await self._run(operations.plan.get_dependency_graph(self._context, run_id))

    async def get_execution_plan(self, task_ids: Iterable[Id] | Id) -> ExecutionPlan:
        """Return how these tasks, and everything open that they wait for, can run: waves and critical path, ids as
        text.
        """
        return await self._run(operations.plan.get_execution_plan(task_ids))
