"""A workflow that runs, as whoever started it holds it."""

# Generated from ../aio/workflow_handle.py: change that file, then run python taskengine/api/generate.py

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from taskengine import models
from taskengine.api.blocking.workflows import BlockingWorkflows


class BlockingWorkflowHandle(UUID):
    """The id of a workflow, and its verbs: each is the client's method of the longer name, for this workflow.

    It may stand wherever an id may. A copy, also one for another process, is the id alone.
    """

    _api: BlockingWorkflows

    def __init__(self, id: UUID, api: BlockingWorkflows) -> None:
        super().__init__(int=id.int)
        object.__setattr__(self, "_api", api)  # a UUID refuses to be changed

    def __reduce__(self) -> tuple[type[UUID], tuple[str]]:
        return UUID, (str(self),)

    @property
    def id(self) -> UUID:
        """The id alone."""
        return UUID(int=self.int)

    def result(self, timeout: float | None = None) -> models.Workflow:
        """Wait for its end; see :meth:`BlockingTaskAPI.wait_workflow`."""
        return self._api.wait_workflow(self, timeout)

    def get(self) -> models.Workflow:
        """Return it as it stands; see :meth:`BlockingTaskAPI.get_workflow`."""
        return self._api.get_workflow(self)

    def status(self) -> models.WorkflowState:
        """Return how it and its steps stand; see :meth:`BlockingTaskAPI.get_workflow_status`."""
        return self._api.get_workflow_status(self)

    def pause(self, reason: str | None = None, until: datetime | None = None, by: str | None = None) -> bool:
        """Let nothing of it start any more; see :meth:`BlockingTaskAPI.pause_workflow`."""
        return self._api.pause_workflow(self, reason, until, by)

    def resume(self, by: str | None = None) -> bool:
        """End its pause; see :meth:`BlockingTaskAPI.resume_workflow`."""
        return self._api.resume_workflow(self, by)

    def cancel(self, reason: str = "cancelled by a client") -> bool:
        """Cancel it; see :meth:`BlockingTaskAPI.cancel_workflow`."""
        return self._api.cancel_workflow(self, reason)

    def retry(self) -> bool:
        """Open it again; see :meth:`BlockingTaskAPI.retry_workflow`."""
        return self._api.retry_workflow(self)

    def signal(self, name: str, payload: Any = None, signal_id: str | None = None) -> bool:
        """Send it a signal; see :meth:`BlockingTaskAPI.signal_workflow`."""
        return self._api.signal_workflow(self, name, payload, signal_id)

    def approve(
        self,
        step: str,
        approved: bool = True,
        by: str | None = None,
        reason: str | None = None,
        form: Mapping[str, Any] | None = None,
    ) -> bool:
        """Answer one of its approvals; see :meth:`BlockingTaskAPI.approve`."""
        return self._api.approve(self, step, approved, by, reason, form)

    def get_approval(self, step: str) -> models.ApprovalAnswer | None:
        """Return the answer that one of its approvals has; see :meth:`BlockingTaskAPI.get_approval`."""
        return self._api.get_approval(self, step)

    def update_context(self, values: Mapping[str, Any], if_revision: int | None = None) -> int:
        """Set variables of it; see :meth:`BlockingTaskAPI.update_context`."""
        return self._api.update_context(self, values, if_revision)
