"""What a client says to workflows, and asks about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from taskengine import models
from taskengine.api import operations
from taskengine.api.aio.base_client import AsyncBaseClient
from taskengine.api.arguments import Id


class AsyncWorkflows(AsyncBaseClient):
    """Watch and steer workflows by their ids."""

    async def register_workflow(
        self, workflow: models.Workflow | models.WorkflowDefinition, by: str | None = None
    ) -> int:
        """Register a definition under its name, for others to start and to run as a step; its version.

        The same definition again is the same version. What runs already keeps the definition that it started with; the
        latest 20 of a name are kept.
        """
        return await self._run(operations.workflow_names.register_workflow(self._context, workflow, by))

    async def get_definition(self, name: str) -> models.WorkflowDefinition:
        """Return the latest definition registered under a name; NotFoundError, with the nearest name, when there is
        none.
        """
        return await self._run(operations.workflow_names.get_definition(self._context, name))

    async def get_workflow(self, workflow_id: Id) -> models.Workflow:
        """Return a workflow as it stands, with its variables and, once COMPLETED, its outputs; NotFoundError when there
        is none.
        """
        return await self._run(operations.workflow_read.get_workflow(self._context, workflow_id))

    async def wait_workflow(self, workflow_id: Id, timeout: float | None = None) -> models.Workflow:
        """Wait for the end of a workflow; the workflow with its outputs.

        WorkflowExecutionError carries one that did not complete; WaitTimeoutError after *timeout* seconds leaves it
        running. After two seconds without progress it logs what the workflow waits for.
        """
        return await self._run(operations.workflow_start.wait_workflow(self._context, workflow_id, timeout))

    async def get_workflow_status(self, workflow_id: Id) -> models.WorkflowState:
        """Return how a workflow and each of its steps stand, as a tree."""
        return await self._run(operations.workflow_read.get_workflow_status(self._context, workflow_id))

    async def list_workflows(
        self,
        name: str | None = None,
        status: models.WorkflowStatus | str | None = None,
        created_by: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> models.WorkflowPage:
        """Return one page of the workflows that meet every filter, newest first; each as :meth:`get_workflow` has it.

        The name is compared whole; *created_by* is who started it. Pass ``page.cursor`` back for the next page. A page
        that searched for long is short, or empty, and has a cursor: only one without is the last.
        """
        operation = operations.workflow_list.list_workflows(
            self._context, name=name, status=status, created_by=created_by, limit=limit, after=cursor
        )
        return await self._run(operation)

    async def list_step_children(
        self, workflow_id: Id, step: str, limit: int = 20, cursor: str | None = None
    ) -> models.StepPage:
        """Return the steps in the step at a path: :meth:`get_workflow_status` shows those of a loop, a map or an inner
        workflow as numbers alone.

        Of a loop each turn with its steps, of a map each item, at most *limit* (100); ``each[17]`` is the path of one.
        Turns that are kept no more are left out. Pass ``page.cursor`` back for the next page.
        """
        operation = operations.workflow_children.list_step_children(self._context, workflow_id, step, limit, cursor)
        return await self._run(operation)

    async def pause_workflow(
        self, workflow_id: Id, reason: str | None = None, until: datetime | None = None, by: str | None = None
    ) -> bool:
        """Let nothing of a workflow start any more; False when it is paused already, which takes the new terms.

        What runs goes on and counts; timers stand still, signals and variables are kept for later. *until* ends it by
        itself, *by* defaults to the user of the system. NotAllowedError when it is over.
        """
        operation = operations.workflow_control.pause_workflow(self._context, workflow_id, reason, until, by)
        return await self._run(operation)

    async def resume_workflow(self, workflow_id: Id, by: str | None = None) -> bool:
        """End the pause of a workflow; False when it was not paused."""
        return await self._run(operations.workflow_control.resume_workflow(workflow_id, by))

    async def cancel_workflow(self, workflow_id: Id, reason: str = "cancelled by a client") -> bool:
        """Cancel a workflow; False when it is over, or being cancelled, already.

        Steps that have not started never do, running tasks are asked to stop; it is CANCELLED when all are over.
        """
        return await self._run(operations.workflow_control.cancel_workflow(workflow_id, reason))

    async def retry_workflow(self, workflow_id: Id) -> bool:
        """Open a FAILED or CANCELLED workflow again: its failed steps run anew, completed ones keep their results.

        True; NotAllowedError when it is neither.
        """
        return await self._run(operations.workflow_control.retry_workflow(self._context, workflow_id))

    async def signal_workflow(
        self, workflow_id: Id, name: str, payload: Any = None, signal_id: str | None = None
    ) -> bool:
        """Send a signal to the next step that waits for its name; the payload, any JSON, is that step's output.

        Signals wait for their steps, a thousand of a name (then ConflictError). What no step took is dropped when the
        workflow completes; one that failed or was cancelled keeps it for its retry. One with a *signal_id* counts once:
        False when it was there. NotAllowedError when the workflow is over.
        """
        operation = operations.workflow_talk.signal_workflow(self._context, workflow_id, name, payload, signal_id)
        return await self._run(operation)

    async def approve(
        self,
        workflow_id: Id,
        step: str,
        approved: bool = True,
        by: str | None = None,
        reason: str | None = None,
        form: Mapping[str, Any] | None = None,
    ) -> bool:
        """Answer the approval at the path *step*: its output is the answer. False when there was one: the first stands,
        and :meth:`get_approval` says whose.

        Who says so is recorded, not proven, also where the step names its approvers; *by* defaults to the user of the
        system. *form* is what the step's ``form`` asks for; InvalidInputError tells what of it is wrong.
        """
        operation = operations.workflow_approve.approve(self._context, workflow_id, step, approved, by, reason, form)
        return await self._run(operation)

    async def get_approval(self, workflow_id: Id, step: str) -> models.ApprovalAnswer | None:
        """Return who answered the approval at the path *step*, what and when; None before it has its answer.

        An approval that was rejected has none any more once its workflow is retried.
        """
        return await self._run(operations.workflow_approve.get_approval(self._context, workflow_id, step))

    async def update_context(
        self, workflow_id: Id, values: Mapping[str, Any], if_revision: int | None = None
    ) -> int:
        """Set variables of a workflow, and ask again whoever waits for a condition; their new revision.

        A workflow that a sub_workflow step runs has variables of its own: it is named by that step's id. Signals and
        answers are the outer workflow's.
        *if_revision*: only as long as they have that one, else ConflictError. NotAllowedError when the workflow is
        over.
        """
        return await self._run(operations.workflow_talk.update_context(self._context, workflow_id, values, if_revision))
