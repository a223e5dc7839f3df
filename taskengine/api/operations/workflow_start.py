"""Start a workflow: its definition is laid by once, and what starts with it is one script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from taskengine.api.arguments import Id, id_text, seconds, text
from taskengine.api.arguments import idempotency_key as argument_key
from taskengine.api.context import OperationContext
from taskengine.api.operations.workflow_read import get_workflow
from taskengine.api.operations.workflow_wait import until_workflow_over
from taskengine.core.lifecycle import WORKFLOW_COMPLETED
from taskengine.core.order import score
from taskengine.core.workflow_faults import context_faults, refuse_faulty
from taskengine.errors import (
    IdempotencyConflictError,
    InvalidInputError,
    InvalidWorkflowError,
    WorkflowExecutionError,
)
from taskengine.models import Workflow, WorkflowDefinition
from taskengine.models.steps import digest_of
from taskengine.store import workflows
from taskengine.store.call import Operation
from taskengine.store.codec import digest, dumps
from taskengine.store.library import Library, library, named
from taskengine.store.steps import step_record
from taskengine.store.workflows import Start


@dataclass(frozen=True, slots=True)
class Order:
    """What a client wants to run."""

    #: A workflow, a definition, or the name of a registered one.
    workflow: Workflow | WorkflowDefinition | str
    idempotency_key: str | None = None
    #: They replace those of the definition, name by name.
    context: Mapping[str, Any] | None = None
    variables: Mapping[str, Any] | None = None


def start_workflow(context: OperationContext, order: Order) -> Operation[UUID]:
    """Start a workflow; the id of the first one where its id or key was used for the same."""
    key = argument_key(order.idempotency_key)
    workflow = yield from _ordered(context, order)
    refuse_faulty(workflow)
    if found := context_faults(workflow):
        raise InvalidWorkflowError("Workflow", found)
    shared = _shared(workflow)
    runs = yield from library(context.keys, shared)
    shared_json = shared.definition_json()
    new = _start(workflow, digest_of(shared_json), key, runs)
    texts = {**runs.inline, new.digest: shared_json.decode()}
    answer = yield from workflows.start(new)
    while answer.word == "undefined" and answer.text() in texts:
        yield from workflows.put_definition(answer.text(), texts[answer.text()])
        answer = yield from workflows.start(new)
    if answer.word == "conflict":
        field = answer.text()
        value = str(workflow.id) if field == "id" else str(key)
        raise IdempotencyConflictError(field, value, answer.text(1), kind="workflow")
    return UUID(answer.text())


def execute_workflow(context: OperationContext, order: Order, timeout: float | None) -> Operation[Workflow]:
    """Start a workflow and wait for its end; WorkflowExecutionError carries one that did not complete."""
    limit = seconds(timeout)
    id = yield from start_workflow(context, order)
    return (yield from _result_of(context, str(id), limit))


def _ordered(context: OperationContext, order: Order) -> Operation[Workflow]:
    given: object = order.workflow
    if isinstance(given, str):
        _, version, definition = yield from named(context.keys, text(given, "workflow", 200))
        given = Workflow.model_copy(new_workflow(definition))
        given = given.with_checked({"version": version})
    workflow = new_workflow(given)
    changes: dict[str, Any] = {}
    if order.context:
        changes["context"] = {**workflow.context, **order.context}
    if order.variables:
        changes["variables"] = {**workflow.variables, **order.variables}
    return workflow.model_copy(update=changes) if changes else workflow


def wait_workflow(context: OperationContext, workflow_id: Id, timeout: float | None) -> Operation[Workflow]:
    """Return a workflow once it completed; WorkflowExecutionError carries one that did not."""
    limit, id = seconds(timeout), id_text(workflow_id, "workflow_id")
    yield from get_workflow(context, id)  # the id of a task is none of a workflow
    return (yield from _result_of(context, id, limit))


def _result_of(context: OperationContext, id: str, timeout: float | None) -> Operation[Workflow]:
    yield from until_workflow_over(context, id, timeout)
    workflow = yield from get_workflow(context, id)
    if workflow.status not in WORKFLOW_COMPLETED:
        why = workflow.error_message or workflow.reason or "no reason was given"
        raise WorkflowExecutionError(f"workflow {workflow.name!r} ({id}) {workflow.status}: {why}", workflow=workflow)
    return workflow


def new_workflow(given: object) -> Workflow:
    """Return what a client gave, as a workflow with an id."""
    if isinstance(given, Workflow):
        return given
    if isinstance(given, WorkflowDefinition):
        fields = {name: getattr(given, name) for name in WorkflowDefinition.model_fields}
        blank = {name: field.get_default(call_default_factory=True) for name, field in Workflow.model_fields.items()}
        return Workflow.model_construct(**{**blank, **fields})
    raise no_workflow(given)


def no_workflow(given: object) -> InvalidInputError:
    """Return the refusal of what is none, with what makes one of it."""
    makes = ""
    if isinstance(given, dict):
        makes = ", which Workflow(**fields) makes of it"
    elif callable(getattr(given, "build", None)):
        makes = ", which its build() makes"
    return InvalidInputError(f"workflow is a {type(given).__name__}; pass a Workflow{makes}", field="workflow")


def _shared(workflow: Workflow) -> WorkflowDefinition:
    """Return the definition without what only this one starts with: a thousand that differ in it alone share it."""
    fields = {name: getattr(workflow, name) for name in WorkflowDefinition.model_fields}
    return WorkflowDefinition.model_construct(**{**fields, "context": {}, "variables": {}})


def _start(workflow: Workflow, definition: str, key: str | None, runs: Library) -> Start:
    context = dumps(workflow.context, "context")
    variables = {name: dumps(value, f"variables.{name}") for name, value in workflow.variables.items()}
    deadline = workflow.deadline.timestamp() if workflow.deadline else None
    record = step_record(
        workflow.id, "", workflow.name, score=score(int(workflow.priority), deadline, 0),
        sha=digest(definition, context, dumps(workflow.variables, "variables")), key=digest(key) if key else "",
        k="workflow",
    )  # fmt: skip
    by = workflow.created_by or ""
    return Start(
        str(workflow.id), definition, context, workflow.name, by, record, variables, runs.names, runs.digests
    )
