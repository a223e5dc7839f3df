"""The async door: awaitable methods for callers on an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, Self, TypeVar, overload
from uuid import UUID

from taskengine.api.arguments import Id
from taskengine.api.door import Door
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
from taskengine.store.aio import AsyncStore
from taskengine.store.call import Story

T = TypeVar("T")


class TaskAPI(Door):
    """Submit, watch and steer tasks from an event loop.

    ``TaskAPI()`` uses ``TASKENGINE_REDIS_URL``, or starts the embedded server; *url* and *settings* say
    otherwise. Nothing happens before the first call, which also refuses a server that could lose tasks.
    ``async with`` closes the connections, and is optional. Every id may be a UUID or its text.
    """

    def __init__(self, url: str | None = None, settings: Settings | None = None) -> None:
        super().__init__(url, settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening = asyncio.Lock()
        self._open: AsyncStore | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the next call opens them again."""
        store, self._open = self._open, None
        if store is not None and self._loop is asyncio.get_running_loop():
            await store.close()

    async def create_task(self, task: Task | TaskCreateRequest, run_id: Id | None = None) -> Task:
        """Store a task; it runs as soon as it is READY.

        Safe to repeat: the same id or ``idempotency_key`` with the same content answers with the first one's
        record, as it stands now, also after an update; with other content it raises IdempotencyConflictError.
        UnknownDependencyError names a dependency that is not stored.
        """
        return await self._run(submit.create_task(self._scope, task, run_id))

    async def create_tasks(
        self,
        tasks: Iterable[Task | TaskCreateRequest],
        run_id: Id | None = None,
        idempotency_key: str | None = None,
    ) -> list[Task]:
        """Store a whole graph, all or nothing and visible at once; its tasks in the order given, as they
        stand then.

        *run_id* adds them to an existing run. *idempotency_key* names the graph: the same key with the same
        tasks in the same order answers with the first one's tasks, whatever ids the new ones have; with other
        ones it raises IdempotencyConflictError, whose ``.existing_id`` is the first one's run. A key counts
        until its run is pruned, or for TASKENGINE_IDEMPOTENCY_SECONDS; then it is free again.

        Safe to repeat like :meth:`create_task`, also when a graph is built again with new ids under the same
        idempotency keys. CircularDependencyError names the path of a cycle.
        """
        return await self._run(submit.create_tasks(self._scope, tasks, run_id, idempotency_key))

    async def get_task(self, task_id: Id) -> Task:
        """A task with its input and, once COMPLETED, its result; NotFoundError when there is none."""
        return await self._run(ask.get_task(self._scope, task_id))

    async def explain(self, task_id: Id) -> Explanation:
        """Why a task is where it is: a headline, and facts such as what it waits for, its place, its error.

        Bounded: it names at most twenty dependencies and reads no whole graph. NotFoundError when there is none.
        """
        return await self._run(explain.explain_task(self._scope, task_id))

    async def get_tasks(self, task_ids: Iterable[Id] | Id) -> list[Task]:
        """Tasks in the order asked, without results and large inputs; NotFoundError when one is not there."""
        return await self._run(ask.get_tasks(task_ids))

    async def update_task(
        self, task_id: Id, request: TaskUpdateRequest | None = None, **changes: Any
    ) -> Task:
        """Change a stored task, given a request or the fields by name, all or nothing; the task as it stands
        then.

        See :class:`TaskUpdateRequest` for what may change when; else NotAllowedError tells the task's story.
        A new priority or deadline counts at once, a new timeout from the next attempt on.
        """
        return await self._run(change.update_task(self._scope, task_id, request, changes))

    async def delete_task(self, task_id: Id, cascade: bool = False) -> bool:
        """Delete a task that is over, with its executions; False when there was none.

        One that is open, or that open tasks depend on, is refused (NotAllowedError names them); with
        *cascade* they are cancelled first, which for running ones takes up to their grace.
        """
        return await self._run(delete.delete_task(self._scope, task_id, cascade))

    async def list_tasks(
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
        """One page of the tasks that meet every filter, newest first, without results and large inputs.

        *metadata* must be contained in the task's, nested values too. Pass ``page.cursor`` back for the next
        page.
        """
        return await self._run(
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
    async def execute_task(
        self,
        task_id: Id,
        agent_id: str | None = None,
        wait: Literal[True] = True,
        timeout: float | None = None,
    ) -> TaskExecution: ...
    @overload
    async def execute_task(
        self, task_id: Id, agent_id: str | None = None, wait: bool = True, timeout: float | None = None
    ) -> TaskExecution | None: ...
    async def execute_task(
        self, task_id: Id, agent_id: str | None = None, wait: bool = True, timeout: float | None = None
    ) -> TaskExecution | None:
        """Start a task as soon as it may, releasing a hold or a schedule, on that agent if one is named.

        Waits for its end, retries included, up to *timeout* seconds (None: for ever; WaitTimeoutError), and
        returns the latest execution; TaskExecutionError holds it when the task failed or was cancelled. A
        task that runs or is over is not run again: its execution is awaited. With ``wait=False`` the latest
        execution, or None, at once.
        """
        return await self._run(execute.execute_task(self._scope, task_id, agent_id, wait, timeout))

    async def cancel_task_execution(self, task_id: Id, reason: str = "cancelled by a client") -> bool:
        """Cancel a task: at once when it has not started, else its agent is asked and given its grace.

        False when it was over already.
        """
        return await self._run(execute.cancel_task(task_id, reason))

    cancel_task = cancel_task_execution

    async def pause(
        self,
        capability: str | None = None,
        agent_id: str | None = None,
        run_id: Id | None = None,
        everything: bool = False,
        reason: str | None = None,
        until: datetime | None = None,
        by: str | None = None,
    ) -> Pause:
        """Let nothing start any more of one capability, agent or run, or nothing at all; the pause as it stands.

        What runs goes on and counts: ``.running`` says how many still do, ``.state`` is ``draining`` or
        ``drained``, and asking again counts anew. Timers stand still meanwhile. *until* ends it by itself,
        *by* defaults to the user of the system. Safe to repeat: the pause keeps its beginning, and takes
        another reason or end.
        """
        story = pause.pause(
            capability=capability, agent_id=agent_id, run_id=run_id, everything=everything,
            reason=reason, until=until, by=by,
        )  # fmt: skip
        return await self._run(story)

    async def resume(
        self,
        capability: str | None = None,
        agent_id: str | None = None,
        run_id: Id | None = None,
        everything: bool = False,
        by: str | None = None,
    ) -> bool:
        """End the pause of exactly this scope; False when it was not paused. Other pauses go on to hold."""
        story = pause.resume(
            capability=capability, agent_id=agent_id, run_id=run_id, everything=everything, by=by
        )
        return await self._run(story)

    async def list_pauses(self) -> list[Pause]:
        """Every pause of a scope that holds, the oldest first, with what still runs there."""
        return await self._run(pause.list_pauses(self._scope))

    async def pause_task(
        self, task_id: Id, reason: str | None = None, until: datetime | None = None, by: str | None = None
    ) -> Pause:
        """Pause one task: what has not started is PAUSED at once, its timers stand; the pause as it stands.

        A running attempt ends as it ends: only if another one would follow is the task PAUSED. ``.state`` is
        ``draining`` until then. Safe to repeat: the pause keeps its beginning, and takes another reason or
        end. NotAllowedError when the task is over.
        """
        return await self._run(pause.pause_task(self._scope, task_id, reason, until, by))

    async def resume_task(self, task_id: Id) -> bool:
        """Let a task go on that was paused by name, to where its dependencies, hold and timers put it now.

        False when it was not paused; a pause of its capability, agent or run goes on to hold. NotAllowedError
        when the task is over.
        """
        return await self._run(pause.resume_task(self._scope, task_id))

    async def hold_task(self, task_id: Id) -> bool:
        """Keep a task that has not started from starting, also one that is queued; False when it is held
        already.

        NotAllowedError when it runs, waits for another attempt, or is over.
        """
        return await self._run(pause.hold_task(self._scope, task_id, held=True))

    async def release_task(self, task_id: Id) -> bool:
        """Take the hold off a task, which goes to where its dependencies and times put it; False when it is
        not held.
        """
        return await self._run(pause.hold_task(self._scope, task_id, held=False))

    async def cancel_tasks(
        self,
        *,
        reason: str = "cancelled by a client",
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        """Cancel every task that meets all *filters* and is not over: those of :class:`TaskFilter`, by name.

        Like its siblings it goes newest first, 64 at a time; *progress* is called with the result so
        far after each. *dry_run* counts and names what it would do. Tasks that come meanwhile are left alone.
        Safe to repeat, also after an interruption: what was done is skipped. No filter at all raises
        InvalidInputError unless *everything* is True.
        """
        return await self._run(bulk.cancel_tasks(Selection(filters, everything, dry_run, progress), reason))

    async def pause_tasks(
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
        """Pause by name every task that meets all *filters*, as :meth:`pause_task` and :meth:`cancel_tasks` do.

        To hold back all that a capability, an agent or a run has and will have, :meth:`pause` is one flag.
        """
        selection = Selection(filters, everything, dry_run, progress)
        return await self._run(bulk.pause_tasks(selection, reason, until, by))

    async def resume_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        """Let every task go on that meets all *filters* and was paused by name; see :meth:`cancel_tasks`."""
        return await self._run(bulk.resume_tasks(Selection(filters, everything, dry_run, progress)))

    async def hold_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        """Hold every task back that meets all *filters* and has not started; see :meth:`cancel_tasks`."""
        selection = Selection(filters, everything, dry_run, progress)
        return await self._run(bulk.hold_tasks(selection, held=True))

    async def release_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        """Take the hold off every task that meets all *filters*; see :meth:`cancel_tasks`."""
        selection = Selection(filters, everything, dry_run, progress)
        return await self._run(bulk.hold_tasks(selection, held=False))

    async def retry_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        """Open every FAILED or CANCELLED task again that meets all *filters*; see :meth:`cancel_tasks`.

        Those that a dependency's end closed are skipped as ``blocked``: they open with that dependency.
        """
        return await self._run(bulk.retry_tasks(Selection(filters, everything, dry_run, progress)))

    async def update_tasks(
        self,
        new_priority: TaskPriority | int,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        """Give every task that meets all *filters* and is not over another priority, which counts at once;
        see :meth:`cancel_tasks`.
        """
        selection = Selection(filters, everything, dry_run, progress)
        return await self._run(bulk.update_tasks(selection, new_priority))

    async def delete_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> BulkResult:
        """Delete every task that meets all *filters*, is over, and that nothing open depends on; see
        :meth:`cancel_tasks`.
        """
        return await self._run(bulk.delete_tasks(self._scope, Selection(filters, everything, dry_run, progress)))

    @overload
    async def retry_task(
        self, task_id: Id, wait: Literal[True] = True, timeout: float | None = None
    ) -> TaskExecution: ...
    @overload
    async def retry_task(
        self, task_id: Id, wait: bool = True, timeout: float | None = None
    ) -> TaskExecution | None: ...
    async def retry_task(
        self, task_id: Id, wait: bool = True, timeout: float | None = None
    ) -> TaskExecution | None:
        """Open a FAILED or CANCELLED task again, with fresh retries, and go on as :meth:`execute_task`.

        What its end had closed opens too. One that a dependency's end closed is refused; NotAllowedError
        names the task to retry instead.
        """
        return await self._run(execute.retry_task(self._scope, task_id, wait, timeout))

    async def get_task_execution(self, task_id: Id) -> TaskExecution | None:
        """The latest execution of a task with its logs and result; None when it never had one."""
        return await self._run(ask.get_execution(self._scope, task_id))

    async def get_task_executions(self, task_id: Id) -> list[TaskExecution]:
        """The latest 100 executions of a task, oldest first, without logs and large results."""
        return await self._run(ask.get_executions(self._scope, task_id))

    async def get_latest_executions(self, task_ids: Iterable[Id] | Id) -> list[TaskExecution | None]:
        """The latest execution of each task, in the order asked, without outcomes and logs: who runs it where, since
        when, and how far it is. None where none began, or the task is not there.
        """
        return await self._run(ask.get_latest_executions(task_ids))

    async def get_logs(
        self, task_id: Id, execution: Id | int | None = None, after: str | None = None, limit: int = 1000
    ) -> LogPage:
        """What a task's agent logged and printed, behind the cursor *after*: up to *limit* lines, and about a MiB.

        Of the latest attempt and those that follow it, or of one *execution* (its id, or the attempt's number) alone.
        Pass ``page.cursor`` back for what follows; ``page.is_over`` says that nothing will.
        """
        return await self._run(logs.get_logs(self._scope, task_id, execution, after, limit))

    async def follow_logs(
        self,
        task_id: Id,
        execution: Id | int | None = None,
        after: str | None = None,
        timeout: float | None = None,
    ) -> LogPage:
        """:meth:`get_logs` once there is something: waits for the next lines, or for the end of the task.

        An empty page that is not over means that *timeout* seconds passed. Lines are live within a second.
        """
        return await self._run(logs.follow_logs(self._scope, task_id, execution, after, timeout))

    async def add_dependency(self, task_id: Id, dependency_id: Id) -> Task:
        """Make a stored task that has not started wait for another stored one as well; safe to repeat.

        CircularDependencyError names the path that the edge would close.
        """
        return await self._run(edges.add_dependency(self._scope, task_id, dependency_id))

    async def wait(self, task_ids: Iterable[Id] | Id, timeout: float | None = None) -> list[Task]:
        """The tasks with their results (those over 256 KiB: :meth:`get_task`), in the order asked, once all
        are over.

        WaitTimeoutError after *timeout* seconds; its ``.pending`` holds the ids that are still open.
        """
        return await self._run(wait.wait(self._scope, task_ids, timeout))

    async def get_dependency_graph(self, run_id: Id | None = None) -> DependencyGraph:
        """Nodes and edges of a run and what it depends on outside, or of all that is stored; ids as text."""
        return await self._run(plan.get_dependency_graph(self._scope, run_id))

    async def get_execution_plan(self, task_ids: Iterable[Id] | Id) -> ExecutionPlan:
        """How these tasks, and everything open that they wait for, can run: waves and critical path, ids as
        text.
        """
        return await self._run(plan.get_execution_plan(task_ids))

    async def get_events(self, run_id: Id, after: int = 0, limit: int = 1000) -> list[Event]:
        """What happened in a run behind the sequence *after*, oldest first."""
        return await self._run(ask.get_events(self._scope, run_id, after, limit))

    async def get_task_events(self, task_id: Id, limit: int = 100) -> list[Event]:
        """The latest *limit* things that happened to a task, oldest first; searched in the last 20 000 of its run."""
        return await self._run(ask.get_task_events(self._scope, task_id, limit))

    async def get_queue_statistics(self) -> dict[str, Any]:
        """``pending_tasks``, ``running_tasks``, … by status, and ``queues``: ready, granted and workers of
        each.
        """
        return await self._run(fleet.get_queue_statistics())

    async def list_workers(self) -> list[dict[str, Any]]:
        """Worker nodes that beat, or did until a moment ago, with slots, capabilities and agents."""
        return await self._run(fleet.list_workers())

    async def health_check(self) -> dict[str, Any]:
        """``status`` healthy, degraded or unhealthy, with ``problems`` in words; never raises for a server
        that is down.
        """
        try:
            return await self._run(fleet.health_check())
        except StoreError as exc:
            return fleet.unhealthy(exc)

    async def list_dead_letters(
        self,
        capability: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> DeadLetterPage:
        """One page of the tasks that lost one worker after another and were given up, newest first.

        Without stories (:meth:`get_dead_letter`). *since*: given up then or later. Retrying or deleting a task takes
        it off the list.
        """
        return await self._run(
            dead.list_dead_letters(self._scope, capability=capability, since=since, limit=limit, after=cursor)
        )

    async def get_dead_letter(self, task_id: Id) -> DeadLetter:
        """A dead letter with its story: the executions that were lost, and its events."""
        return await self._run(dead.get_dead_letter(self._scope, task_id))

    async def requeue_dead_letters(
        self,
        task_ids: Iterable[Id] | Id | None = None,
        capability: str | None = None,
        since: datetime | None = None,
        everything: bool = False,
    ) -> list[UUID]:
        """Open dead letters again as :meth:`retry_task` does, with a fresh count of losses; the ids of those
        that were opened.

        Either *task_ids* (NotFoundError for one that is no dead letter, and none is touched), or all that meet the
        filters; *everything* says that there shall be no filter.
        """
        return await self._run(dead.requeue_dead_letters(self._scope, task_ids, capability, since, everything))

    async def drop_dead_letters(
        self,
        task_ids: Iterable[Id] | Id | None = None,
        capability: str | None = None,
        since: datetime | None = None,
        everything: bool = False,
    ) -> list[UUID]:
        """Strike dead letters off the list, chosen as in :meth:`requeue_dead_letters`; the ids of those struck.

        Their tasks stay FAILED with their stories until their retention ends or :meth:`delete_task`.
        """
        return await self._run(dead.drop_dead_letters(self._scope, task_ids, capability, since, everything))

    async def list_quarantined(self, limit: int = 50, cursor: str | None = None) -> QuarantinePage:
        """One page of the messages that no worker could read, newest first, each with its reason."""
        return await self._run(quarantine.list_quarantined(self._scope, limit, cursor))

    async def get_quarantined(self, message_id: str) -> QuarantinedMessage:
        """One of those messages, with the first 64 KiB of what it is."""
        return await self._run(quarantine.get_quarantined(self._scope, message_id))

    async def drop_quarantined(
        self, message_ids: Iterable[str] | str | None = None, everything: bool = False
    ) -> int:
        """Forget such messages; how many. No task depends on them: lost wake-ups are sent anew."""
        return await self._run(quarantine.drop_quarantined(self._scope, message_ids, everything))

    async def _run(self, story: Story[T]) -> T:
        return await (await self._store()).run(story)

    async def _store(self) -> AsyncStore:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # connections belong to the loop that opened them
            self._loop, self._opening, self._open = loop, asyncio.Lock(), None
        async with self._opening:
            if self._open is None:
                url, envelope = await asyncio.to_thread(self._address)
                store = AsyncStore(url, self.settings, envelope)
                await store.check()
                self._open = store
        return self._open
