"""A workflow that runs, as whoever started it holds it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from taskengine import models
from taskengine.api.aio.workflows import AsyncWorkflows


class WorkflowHandle(UUID):
    """The id of a workflow, and its verbs: each is the client's method of the longer name, for this workflow.

    It may stand wherever an id may. A copy, also one for another process, is the id alone.
    """

    _api: AsyncWorkflows

    def __init__(self, id: UUID, api: AsyncWorkflows) -> None:
        super().__init__(int=id.int)
        object.__setattr__(self, "_api", api)  # a UUID refuses to be changed

    def __reduce__(self) -> tuple[type[UUID], tuple[str]]:
        return UUID, (str(self),)

    @property
    def id(self) -> UUID:
        """The id alone."""
        return UUID(int=self.int)

    async def result(self, timeout: float | None = None) -> models.Workflow:
        """Wait for its end; see :meth:`TaskAPI.wait_workflow`."""
        return await self._api.wait_workflow(self, timeout)

    async def get(self) -> models.Workflow:
        """Return it as it stands; see :meth:`TaskAPI.get_workflow`."""
        return await self._api.get_workflow(self)

    async def status(self) -> models.WorkflowState:
        """Return how it and its steps stand; see :meth:`TaskAPI.get_workflow_status`."""
        return await self._api.get_workflow_status(self)

    async def pause(self, reason: str | None = None, until: datetime | None = None, by: str | None = None) -> bool:
        """Let nothing of it start any more; see :meth:`TaskAPI.pause_workflow`."""
        return await self._api.pause_workflow(self, reason, until, by)

    async def resume(self, by: str | None = None) -> bool:
        """End its pause; see :meth:`TaskAPI.resume_workflow`."""
        return await self._api.resume_workflow(self, by)

    async def cancel(self, reason: str = "cancelled by a client") -> bool:
        """Cancel it; see :meth:`TaskAPI.cancel_workflow`."""
        return await self._api.cancel_workflow(self, reason)

    async def retry(self) -> bool:
        """Open it again; see :meth:`TaskAPI.retry_workflow`."""
        return await self._api.retry_workflow(self)

    async def signal(self, name: str, payload: Any = None, signal_id: str | None = None) -> bool:
        """Send it a signal; see :meth:`TaskAPI.signal_workflow`."""
        return await self._api.signal_workflow(self, name, payload, signal_id)

    async def approve(
        self,
        step: str,
        approved: bool = True,
        by: str | None = None,
        reason: str | None = None,
        form: Mapping[str, Any] | None = None,
    ) -> bool:
        """Answer one of its approvals; see :meth:`TaskAPI.approve`."""
        return await self._api.approve(self, step, approved, by, reason, form)

    async def get_approval(self, step: str) -> models.ApprovalAnswer | None:
        """Return the answer that one of its approvals has; see :meth:`TaskAPI.get_approval`."""
        return await self._api.get_approval(self, step)

    async def update_context(self, values: Mapping[str, Any], if_revision: int | None = None) -> int:
        """Set variables of it; see :meth:`TaskAPI.update_context`."""
        return await self._api.update_context(self, values, if_revision)
