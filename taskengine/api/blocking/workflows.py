"""What a client says to workflows, and asks about them."""

# Generated from ../aio/workflows.py: change that file, then run python taskengine/api/generate.py

from __future__ import annotations

from uuid import UUID

from taskengine.api.arguments import Id
from taskengine.api.blocking.door import BlockingDoor
from taskengine.api.stories import workflow_read, workflow_start
from taskengine.models import Workflow, WorkflowDefinition, WorkflowState


class BlockingWorkflows(BlockingDoor):
    """Start, watch and steer workflows."""

    def start_workflow(
        self, workflow: Workflow | WorkflowDefinition, idempotency_key: str | None = None
    ) -> UUID:
        """Start a workflow; its id, which is also that of its run.

        Safe to repeat: the same id or key with the same definition, context and variables answers with the first one's
        id; with others it raises IdempotencyConflictError.
        """
        return self._run(workflow_start.start_workflow(workflow, idempotency_key))

    def execute_workflow(
        self, workflow: Workflow | WorkflowDefinition, timeout: float | None = None, idempotency_key: str | None = None
    ) -> Workflow:
        """Start a workflow and wait for its end; the workflow with its outputs.

        WorkflowExecutionError carries one that did not complete; WaitTimeoutError after *timeout* seconds leaves it
        running.
        """
        return self._run(
            workflow_start.execute_workflow(self._scope, workflow, timeout, idempotency_key)
        )

    def get_workflow(self, workflow_id: Id) -> Workflow:
        """A workflow as it stands, with its variables and, once COMPLETED, its outputs; NotFoundError when there is
        none.
        """
        return self._run(workflow_read.get_workflow(self._scope, workflow_id))

    def get_workflow_status(self, workflow_id: Id) -> WorkflowState:
        """How a workflow and each of its steps stand, as a tree."""
        return self._run(workflow_read.get_workflow_status(self._scope, workflow_id))
