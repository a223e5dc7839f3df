"""The blocking door, for scripts and threads: no event loop anywhere. Its docstrings are those of the async
one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, Self, TypeVar, overload
from uuid import UUID

from taskengine.api.aio import TaskAPI
from taskengine.api.arguments import Id
from taskengine.api.door import Door, documented_like
from taskengine.api.stories import (
    ask,
    bulk,
    change,
    dead,
    delete,
    edges,
    execute,
    explain,
    fleet,
    logs,
    pause,
    plan,
    quarantine,
    submit,
    wait,
)
from taskengine.api.stories.bulk import Progress, Selection
from taskengine.api.stories.plan import DependencyGraph, ExecutionPlan
from taskengine.errors import StoreError
from taskengine.models import (
    BulkResult,
    DeadLetter,
    DeadLetterPage,
    Event,
    Explanation,
    LogPage,
    Pause,
    QuarantinedMessage,
    QuarantinePage,
    Task,
    TaskCreateRequest,
    TaskExecution,
    TaskPage,
    TaskPriority,
    TaskStatus,
    TaskType,
    TaskUpdateRequest,
)
from taskengine.settings import Settings
from taskengine.store.call import Story
from taskengine.store.sync import SyncStore

T = TypeVar("T")


@documented_like(TaskAPI)
class BlockingTaskAPI(Door):
    """:class:`TaskAPI` without ``await``, over the blocking driver; threads may share one."""

    def __init__(self, url: str | None = None, settings: Settings | None = None) -> None:
        super().__init__(url, settings)
        self._opening = threading.Lock()
        self._open: SyncStore | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        store, self._open = self._open, None
        if store is not None:
            store.close()

    def create_task(self, task: Task | TaskCreateRequest, run_id: Id | None = None) -> Task:
        return self._run(submit.create_task(self._scope, task, run_id))

    def create_tasks(
        self,
        tasks: Iterable[Task | TaskCreateRequest],
        run_id: Id | None = None,
        idempotency_key: str | None = None,
    ) -> list[Task]:
        return self._run(submit.create_tasks(self._scope, tasks, run_id, idempotency_key))

    def get_task(self, task_id: Id) -> Task:
        return self._run(ask.get_task(self._scope, task_id))

    def explain(self, task_id: Id) -> Explanation:
        return self._run(explain.explain_task(self._scope, task_id))

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
        priority: TaskPriority | int | None = None,
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
                self._scope,
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

    def pause(
        self,
        capability: str | None = None,
        agent_id: str | None = None,
        run_id: Id | None = None,
        everything: bool = False,
        reason: str | None = None,
        until: datetime | None = None,
        by: str | None = None,
    ) -> Pause:
        story = pause.pause(
            capability=capability, agent_id=agent_id, run_id=run_id, everything=everything,
            reason=reason, until=until, by=by,
        )  # fmt: skip
        return self._run(story)

    def resume(
        self,
        capability: str | None = None,
        agent_id: str | None = None,
        run_id: Id | None = None,
        everything: bool = False,
        by: str | None = None,
    ) -> bool:
        story = pause.resume(
            capability=capability, agent_id=agent_id, run_id=run_id, everything=everything, by=by
        )
        return self._run(story)

    def list_pauses(self) -> list[Pause]:
        return self._run(pause.list_pauses(self._scope))

    def pause_task(
        self, task_id: Id, reason: str | None = None, until: datetime | None = None, by: str | None = None
    ) -> Pause:
        return self._run(pause.pause_task(self._scope, task_id, reason, until, by))

    def resume_task(self, task_id: Id) -> bool:
        return self._run(pause.resume_task(self._scope, task_id))

    def hold_task(self, task_id: Id) -> bool:
        return self._run(pause.hold_task(self._scope, task_id, held=True))

    def release_task(self, task_id: Id) -> bool:
        return self._run(pause.hold_task(self._scope, task_id, held=False))

    def cancel_tasks(
        self,
        *,
        reason: str = "cancelled by a client",
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        return self._run(bulk.cancel_tasks(Selection(filters, everything, dry_run, progress), reason))

    def pause_tasks(
        self,
        *,
        reason: str | None = None,
        until: datetime | None = None,
        by: str | None = None,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        selection = Selection(filters, everything, dry_run, progress)
        return self._run(bulk.pause_tasks(selection, reason, until, by))

    def resume_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        return self._run(bulk.resume_tasks(Selection(filters, everything, dry_run, progress)))

    def hold_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        selection = Selection(filters, everything, dry_run, progress)
        return self._run(bulk.hold_tasks(selection, held=True))

    def release_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        selection = Selection(filters, everything, dry_run, progress)
        return self._run(bulk.hold_tasks(selection, held=False))

    def retry_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        return self._run(bulk.retry_tasks(Selection(filters, everything, dry_run, progress)))

    def update_tasks(
        self,
        new_priority: TaskPriority | int,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        selection = Selection(filters, everything, dry_run, progress)
        return self._run(bulk.update_tasks(selection, new_priority))

    def delete_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        return self._run(bulk.delete_tasks(self._scope, Selection(filters, everything, dry_run, progress)))

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

    def get_logs(
        self, task_id: Id, execution: Id | int | None = None, after: str | None = None, limit: int = 1000
    ) -> LogPage:
        return self._run(logs.get_logs(self._scope, task_id, execution, after, limit))

    def follow_logs(
        self,
        task_id: Id,
        execution: Id | int | None = None,
        after: str | None = None,
        timeout: float | None = None,
    ) -> LogPage:
        return self._run(logs.follow_logs(self._scope, task_id, execution, after, timeout))

    def add_dependency(self, task_id: Id, dependency_id: Id) -> Task:
        return self._run(edges.add_dependency(self._scope, task_id, dependency_id))

    def wait(self, task_ids: Iterable[Id] | Id, timeout: float | None = None) -> list[Task]:
        return self._run(wait.wait(self._scope, task_ids, timeout))

    def get_dependency_graph(self, run_id: Id | None = None) -> DependencyGraph:
        return self._run(plan.get_dependency_graph(self._scope, run_id))

    def get_execution_plan(self, task_ids: Iterable[Id] | Id) -> ExecutionPlan:
        return self._run(plan.get_execution_plan(task_ids))

    def get_events(self, run_id: Id, after: int = 0, limit: int = 1000) -> list[Event]:
        return self._run(ask.get_events(self._scope, run_id, after, limit))

    def get_task_events(self, task_id: Id, limit: int = 100) -> list[Event]:
        return self._run(ask.get_task_events(self._scope, task_id, limit))

    def get_queue_statistics(self) -> dict[str, Any]:
        return self._run(fleet.get_queue_statistics())

    def list_workers(self) -> list[dict[str, Any]]:
        return self._run(fleet.list_workers())

    def health_check(self) -> dict[str, Any]:
        try:
            return self._run(fleet.health_check())
        except StoreError as exc:
            return fleet.unhealthy(exc)

    def list_dead_letters(
        self,
        capability: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> DeadLetterPage:
        return self._run(
            dead.list_dead_letters(self._scope, capability=capability, since=since, limit=limit, after=cursor)
        )

    def get_dead_letter(self, task_id: Id) -> DeadLetter:
        return self._run(dead.get_dead_letter(self._scope, task_id))

    def requeue_dead_letters(
        self,
        task_ids: Iterable[Id] | Id | None = None,
        capability: str | None = None,
        since: datetime | None = None,
        everything: bool = False,
    ) -> list[UUID]:
        return self._run(dead.requeue_dead_letters(self._scope, task_ids, capability, since, everything))

    def drop_dead_letters(
        self,
        task_ids: Iterable[Id] | Id | None = None,
        capability: str | None = None,
        since: datetime | None = None,
        everything: bool = False,
    ) -> list[UUID]:
        return self._run(dead.drop_dead_letters(self._scope, task_ids, capability, since, everything))

    def list_quarantined(self, limit: int = 50, cursor: str | None = None) -> QuarantinePage:
        return self._run(quarantine.list_quarantined(self._scope, limit, cursor))

    def get_quarantined(self, message_id: str) -> QuarantinedMessage:
        return self._run(quarantine.get_quarantined(self._scope, message_id))

    def drop_quarantined(
        self, message_ids: Iterable[str] | str | None = None, everything: bool = False
    ) -> int:
        return self._run(quarantine.drop_quarantined(self._scope, message_ids, everything))

    def _run(self, story: Story[T]) -> T:
        return self._store().run(story)

    def _store(self) -> SyncStore:
        with self._opening:
            if self._open is None:
                url, envelope = self._address()
                store = SyncStore(url, self.settings, envelope)
                store.check()
                self._open = store
        return self._open
