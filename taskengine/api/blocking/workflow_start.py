"""Verbs that begin workflows, and the handles of these."""

# Generated from ../aio/workflow_start.py: change that file, then run python taskengine/api/generate.py

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from taskengine import models
from taskengine.api import operations
from taskengine.api.arguments import Id, id_text
from taskengine.api.blocking.workflow_handle import BlockingWorkflowHandle
from taskengine.api.blocking.workflows import BlockingWorkflows


class BlockingWorkflowStart(BlockingWorkflows):
    """Start workflows."""

    def start_workflow(
        self,
        workflow: models.Workflow | models.WorkflowDefinition | str,
        idempotency_key: str | None = None,
        context: Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> BlockingWorkflowHandle:
        """Start a workflow, or one that is registered under a name; its handle.

        The handle is the workflow's id, which is also that of its run, and has its verbs. *context* and *variables*
        replace those of the definition, name by name. Safe to repeat: the same id or key with the same definition,
        context and variables answers with the first one's; with others it raises IdempotencyConflictError.
        """
        order = operations.workflow_start.Order(workflow, idempotency_key, context, variables)
        return BlockingWorkflowHandle(self._run(operations.workflow_start.start_workflow(self._context, order)), self)

    def execute_workflow(
        self,
        workflow: models.Workflow | models.WorkflowDefinition | str,
        timeout: float | None = None,
        idempotency_key: str | None = None,
        context: Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> models.Workflow:
        """Start a workflow and wait for its end; the workflow with its outputs.

        WorkflowExecutionError carries one that did not complete; WaitTimeoutError after *timeout* seconds leaves it
        running. After two seconds without progress it logs what the workflow waits for.
        """
        order = operations.workflow_start.Order(workflow, idempotency_key, context, variables)
        return self._run(operations.workflow_start.execute_workflow(self._context, order, timeout))

    def restart_workflow(self, workflow_id: Id) -> BlockingWorkflowHandle:
        """Start the definition and context of a workflow again, with the variables that it began with; the handle of
        the new one.
        """
        operation = operations.workflow_control.restart_workflow(self._context, workflow_id)
        return BlockingWorkflowHandle(self._run(operation), self)

    def get_workflow_handle(self, workflow_id: Id) -> BlockingWorkflowHandle:
        """Return the handle of a workflow with this id; nobody asks whether there is one."""
        return BlockingWorkflowHandle(UUID(id_text(workflow_id, "workflow_id")), self)
