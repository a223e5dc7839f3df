"""The same verbs for all tasks that meet a filter, a bounded piece at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from taskengine.api.aio.bulk import AsyncBulk
from taskengine.api.blocking.door import BlockingDoor
from taskengine.api.door import documented_like
from taskengine.api.stories import bulk
from taskengine.api.stories.bulk import Progress, Selection
from taskengine.models import BulkResult, TaskPriority


@documented_like(AsyncBulk)
class BlockingBulk(BlockingDoor):
    """Verbs for every task that meets all filters."""

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
        new_priority: TaskPriority | int | str,
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
