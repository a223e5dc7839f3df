"""The same verbs for all tasks that meet a filter, a bounded piece at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from taskengine import models
from taskengine.api import operations
from taskengine.api.aio.base_client import AsyncBaseClient
from taskengine.api.selection import Progress, Selection
from taskengine.models import TaskPriority


class AsyncBulk(AsyncBaseClient):
    """Verbs for every task that meets all filters."""

    async def cancel_tasks(
        self,
        *,
        reason: str = "cancelled by a client",
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> models.BulkResult:
        """Cancel every task that meets all *filters* and is not over: those of :class:`TaskFilter`, by name.

        Like its siblings it goes newest first, 32 at a time; *progress* is called with the result so
        far after each. *dry_run* counts and names what it would do. Tasks that come meanwhile are left alone.
        Safe to repeat, also after an interruption: what was done is skipped. No filter at all raises
        InvalidInputError unless *everything* is True.
        """
        return await self._run(operations.bulk.cancel_tasks(Selection(filters, everything, dry_run, progress), reason))

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
    ) -> models.BulkResult:
        """Pause by name every task that meets all *filters*, as :meth:`pause_task` and :meth:`cancel_tasks` do.

        To hold back all that a capability, an agent or a run has and will have, :meth:`pause` is one flag.
        """
        selection = Selection(filters, everything, dry_run, progress)
        return await self._run(operations.bulk.pause_tasks(selection, reason, until, by))

    async def resume_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> models.BulkResult:
        """Let every task go on that meets all *filters* and was paused by name; see :meth:`cancel_tasks`."""
        return await self._run(operations.bulk.resume_tasks(Selection(filters, everything, dry_run, progress)))

    async def hold_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> models.BulkResult:
        """Hold every task back that meets all *filters* and has not started; see :meth:`cancel_tasks`."""
        selection = Selection(filters, everything, dry_run, progress)
        return await self._run(operations.bulk.hold_tasks(selection, held=True))

    async def release_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> models.BulkResult:
        """Take the hold off every task that meets all *filters*; see :meth:`cancel_tasks`."""
        selection = Selection(filters, everything, dry_run, progress)
        return await self._run(operations.bulk.hold_tasks(selection, held=False))

    async def retry_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> models.BulkResult:
        """Open every FAILED or CANCELLED task again that meets all *filters*; see :meth:`cancel_tasks`.

        Those that a dependency's end closed are skipped as ``blocked``: they open with that dependency.
        """
        return await self._run(operations.bulk.retry_tasks(Selection(filters, everything, dry_run, progress)))

    async def update_tasks(
        self,
        new_priority: TaskPriority | int | str,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> models.BulkResult:
        """Give every task that meets all *filters* and is not over another priority, which counts at once;
        see :meth:`cancel_tasks`.
        """
        selection = Selection(filters, everything, dry_run, progress)
        return await self._run(operations.bulk.update_tasks(selection, new_priority))

    async def delete_tasks(
        self,
        *,
        everything: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **filters: Any,
    ) -> models.BulkResult:
        """Delete every task that meets all *filters*, is over, and that nothing open depends on; see
        :meth:`cancel_tasks`.
        """
        selection = Selection(filters, everything, dry_run, progress)
        return await self._run(operations.bulk.delete_tasks(self._context, selection))
