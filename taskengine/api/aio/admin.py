"""What an operator asks and mends: why, logs, history, fleet, dead letters, quarantine."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from taskengine import models
from taskengine.api import operations
from taskengine.api.aio.base_client import AsyncBaseClient
from taskengine.api.arguments import Id
from taskengine.errors import StoreError


class AsyncAdmin(AsyncBaseClient):
    """Questions of an operator, and what is kept aside."""

    async def explain(self, task_id: Id) -> models.Explanation:
        """Return why a task is where it is: a headline, and facts such as what it waits for, its place, its error.

        A step of a workflow, and a workflow itself, are explained as well.
        Bounded: it names at most twenty dependencies and reads no whole graph. NotFoundError when there is none.
        """
        return await self._run(operations.explain.explain_task(self._context, task_id))

    async def get_logs(
        self, task_id: Id, execution: Id | int | None = None, after: str | None = None, limit: int = 1000
    ) -> models.LogPage:
        """Return what a task's agent logged and printed, behind the cursor *after*: up to *limit* lines, and about a
        MiB.

        Of the latest attempt and those that follow it, or of one *execution* (its id, or the attempt's number) alone.
        Pass ``page.cursor`` back for what follows; ``page.is_over`` says that nothing will.
        """
        return await self._run(operations.logs.get_logs(self._context, task_id, execution, after, limit))

    async def follow_logs(
        self,
        task_id: Id,
        execution: Id | int | None = None,
        after: str | None = None,
        timeout: float | None = None,
    ) -> models.LogPage:
        """:meth:`get_logs` once there is something: waits for the next lines, or for the end of the task.

        An empty page that is not over means that *timeout* seconds passed. Lines are live within a second.
        """
        return await self._run(operations.logs.follow_logs(self._context, task_id, execution, after, timeout))

    async def get_events(self, run_id: Id, after: int = 0, limit: int = 1000) -> list[models.Event]:
        """Return what happened in a run behind the sequence *after*, oldest first."""
        return await self._run(operations.ask.get_events(self._context, run_id, after, limit))

    async def get_task_events(self, task_id: Id, limit: int = 100) -> list[models.Event]:
        """Return the latest *limit* things that happened to a task, oldest first; searched in the last 20 000 of its
        run.
        """
        return await self._run(operations.ask.get_task_events(self._context, task_id, limit))

    async def get_queue_statistics(self) -> dict[str, Any]:
        """``pending_tasks``, ``running_tasks``, … by status, and ``queues``: ready, granted, running and
        workers of each.
        """
        return await self._run(operations.fleet.get_queue_statistics())

    async def get_queue_demand(self, queue: str) -> dict[str, Any]:
        """``demand``: how many slots a queue, a capability or ``@agent``, could use now. An autoscaler reads it.

        It is the sum of ``ready``, ``parked`` (for lack of a worker of its agent, or of room on the hosts), ``granted``
        and ``running``, which stand beside it; of the last two alone while the queue is paused. A queue that nobody
        knows demands 0.
        """
        return await self._run(operations.fleet.get_queue_demand(queue))

    async def list_workers(self) -> list[dict[str, Any]]:
        """Worker nodes that beat, or did until a moment ago, with slots, capabilities and agents."""
        return await self._run(operations.fleet.list_workers())

    async def list_hosts(self) -> list[models.HostInfo]:
        """Machines on which workers live: what each has of each resource, and what running executions reserve of it."""
        return await self._run(operations.fleet.list_hosts())

    async def health_check(self) -> dict[str, Any]:
        """``status`` healthy, degraded or unhealthy, with ``problems`` in words; never raises for a server
        that is down.
        """
        try:
            return await self._run(operations.fleet.health_check())
        except StoreError as exc:
            return operations.fleet.unhealthy(exc)

    async def examine(self, deep: bool = False) -> list[models.Finding]:
        """Return what ``taskengine doctor`` finds: how server, coordinator, workers, queues and what is kept aside are,
        each with what to do where it is not well.

        Changes nothing, and never raises for a server that is down: that is a finding. *deep* reads every record as
        well and checks what must always hold: some 4 seconds and 20 MB for 10 000 tasks. A server of REST gives up
        after 20 seconds, and says so.
        """
        seconds = self._deep_seconds if deep else None
        try:
            found = await self._run(operations.examine.examine(self._context, self._asks_from, seconds))
        except StoreError as exc:
            return [operations.examine.refused(exc)]
        with suppress(StoreError):  # a server that does not let us ask has somebody who looks after it
            found += await self._run(operations.examine.examine_access())
        return found

    async def list_dead_letters(
        self,
        capability: str | None = None,
        since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> models.DeadLetterPage:
        """One page of the tasks that lost one worker after another and were given up, newest first.

        Without their history (:meth:`get_dead_letter`). *since*: given up then or later. Retrying or deleting a task
        takes it off the list. A page that searched for long is short, or empty, and has a cursor: only one without is
        the last.
        """
        operation = operations.dead.list_dead_letters(
            capability=capability, since=since, limit=limit, after=cursor
        )
        return await self._run(operation)

    async def get_dead_letter(self, task_id: Id) -> models.DeadLetter:
        """Return a dead letter with its history: the executions that were lost, and its events."""
        return await self._run(operations.dead.get_dead_letter(self._context, task_id))

    async def requeue_dead_letters(
        self,
        task_ids: Iterable[Id] | Id | None = None,
        capability: str | None = None,
        since: datetime | None = None,
        everything: bool = False,
    ) -> models.RequeuedLetters:
        """Open dead letters again as :meth:`retry_task` does, with a fresh count of losses; the ids of those
        that were opened. ``skipped`` says of the others why: a task of a workflow is opened by ``retry_workflow``.

        Either *task_ids* (NotFoundError for one that is no dead letter, and none is touched), or all that meet the
        filters; *everything* says that there shall be no filter.
        """
        operation = operations.dead.requeue_dead_letters(self._context, task_ids, capability, since, everything)
        return await self._run(operation)

    async def drop_dead_letters(
        self,
        task_ids: Iterable[Id] | Id | None = None,
        capability: str | None = None,
        since: datetime | None = None,
        everything: bool = False,
    ) -> list[UUID]:
        """Strike dead letters off the list, chosen as in :meth:`requeue_dead_letters`; the ids of those struck.

        Their tasks stay FAILED with their history until their retention ends or :meth:`delete_task`.
        """
        operation = operations.dead.drop_dead_letters(self._context, task_ids, capability, since, everything)
        return await self._run(operation)

    async def list_quarantined(self, limit: int = 50, cursor: str | None = None) -> models.QuarantinePage:
        """One page of the messages that no worker could read, newest first, each with its reason."""
        return await self._run(operations.quarantine.list_quarantined(self._context, limit, cursor))

    async def get_quarantined(self, message_id: str) -> models.QuarantinedMessage:
        """One of those messages, with the first 64 KiB of what it is.

        A beginning of its id, four characters or more, will do where it is the only one: else AmbiguousIdError.
        """
        return await self._run(operations.quarantine.get_quarantined(self._context, message_id))

    async def drop_quarantined(
        self, message_ids: Iterable[str] | str | None = None, everything: bool = False
    ) -> int:
        """Forget such messages; how many. No task depends on them: lost wake-ups are sent anew."""
        return await self._run(operations.quarantine.drop_quarantined(self._context, message_ids, everything))
