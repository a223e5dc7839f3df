"""What a client asks about a workflow: itself, and how its steps stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from taskengine.api.arguments import Id, id_text
from taskengine.api.context import OperationContext
from taskengine.api.operations.refusals import missing_workflow
from taskengine.api.operations.workflow_why import surroundings
from taskengine.core.identity import step_id
from taskengine.core.lifecycle import TERMINAL
from taskengine.core.status_tree import StepFields, paths_of, tree, why_all
from taskengine.core.steps.paths import last_steps
from taskengine.models import Workflow, WorkflowDefinition, WorkflowState, WorkflowStatus
from taskengine.models.enums import TaskStatus
from taskengine.store import steps, workflows
from taskengine.store.call import Operation
from taskengine.store.codec import loads, loads_object, moment
from taskengine.store.fields import TaskField
from taskengine.store.keys import RULED
from taskengine.store.pause_record import pause_from
from taskengine.store.question_record import question_from
from taskengine.store.step_values import Where
from taskengine.store.workflows import Stored


def get_workflow(context: OperationContext, workflow_id: Id) -> Operation[Workflow]:
    """Return a workflow with its outputs, once it completed; NotFoundError when there is none."""
    return workflow_of(*(yield from stored_workflow(context, workflow_id)))


def workflow_of(id: str, stored: Stored, definition: WorkflowDefinition) -> Workflow:
    """Make a workflow of what is stored of it and of its definition."""
    fields: dict[str, Any] = {name: getattr(definition, name) for name in WorkflowDefinition.model_fields}
    fields |= {
        "context": loads_object(stored.frame.get("ctx", "{}")),
        "variables": {name: loads(text) for name, text in stored.variables.items()},
        "id": UUID(id),
        "run_id": UUID(stored.fields["run"]),
        "version": None,
        "result": loads_object(stored.result) if stored.result else None,
        **_state(stored),
    }
    return Workflow.model_construct(**fields)


def get_workflow_status(context: OperationContext, workflow_id: Id) -> Operation[WorkflowState]:
    """Return a workflow as it stands, with all its steps; a turn or an item is in none of them, nor is a step of
    an inner workflow.
    """
    id, stored, definition = yield from stored_workflow(context, workflow_id)
    last = last_steps(int(stored.fields.get("n", 0)))
    paths = paths_of(definition, last)
    found = yield from steps.read([str(step_id(id, path)) for path in paths])
    by_path = {path: StepFields(step_id(id, path), _plain(one)) for path, one in zip(paths, found, strict=True) if one}
    around = yield from surroundings(
        context.keys,
        Where(id, id, "", definition, ""),
        {"": StepFields(UUID(id), stored.fields), **by_path},
        paused=bool(stored.pause[0]),
    )
    made = tree(definition, by_path, around, last)
    return WorkflowState(
        why=why_all((*made.steps, *made.finally_steps), stored.fields, around),
        id=UUID(id),
        name=definition.name,
        revision=int(stored.frame.get("vr", 0)),
        variables={name: loads(text) for name, text in stored.variables.items()},
        steps=made.steps,
        finally_steps=made.finally_steps,
        **_state(stored),
    )


def _plain(fields: Mapping[str, str]) -> Mapping[str, str]:
    """Fields of a step, whose counter of open children may lie lower: that of a map with ``max_parallel``. Of what its
    task asks the text alone.
    """
    asked = question_from(fields.get(TaskField.question))
    if asked is not None:
        fields = {**fields, TaskField.question: asked.text}
    waiting = int(fields.get(TaskField.waiting, 0))
    return {**fields, TaskField.waiting: str(waiting + RULED)} if waiting < 0 else fields


def stored_workflow(context: OperationContext, workflow_id: Id) -> Operation[tuple[str, Stored, WorkflowDefinition]]:
    """Return the id of a workflow, what is stored of it, and its definition; NotFoundError when there is none."""
    id = id_text(workflow_id, "workflow_id")
    stored = yield from workflows.read(id)
    if stored is None:
        raise (yield from missing_workflow(context, id))
    return id, stored, (yield from definition_of(context, stored))


def definition_of(context: OperationContext, stored: Stored) -> Operation[WorkflowDefinition]:
    """Return the definition that a workflow started with."""
    text = yield from workflows.definition(context.keys, stored.frame["def"])
    return WorkflowDefinition.model_validate_json(text)


def _state(stored: Stored) -> dict[str, Any]:
    fields = stored.fields
    return {
        "status": status_of(stored),
        "created_at": moment(fields.get("cr")),
        "started_at": moment(fields.get("sta")),
        "completed_at": moment(fields.get("fin")),
        "error_message": fields.get("err"),
        "error_kind": fields.get("knd"),
        "failed_step": fields.get("cul"),
        "reason": _reason(stored),
    }


def status_of(stored: Stored) -> WorkflowStatus:
    """Return where a workflow is; one whose run is paused is PAUSED until it is over."""
    status = TaskStatus(stored.fields["st"])
    if status in TERMINAL:
        return WorkflowStatus(status.value)
    if stored.fields.get("end_as") == "cancelled":
        return WorkflowStatus.CANCELLING
    if stored.pause[0]:
        return WorkflowStatus.PAUSED
    return WorkflowStatus(status.value)


def _reason(stored: Stored) -> str | None:
    scope, record = stored.pause
    if scope and status_of(stored) == WorkflowStatus.PAUSED:
        return f"paused: {pause_from(scope, record)}"
    return stored.fields.get("rsn") or (stored.fields.get("frs") if "err" not in stored.fields else None)
