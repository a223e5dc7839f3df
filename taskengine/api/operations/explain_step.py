"""Why a step of a workflow is where it is, asked by its id; a workflow's own is one as well."""

from __future__ import annotations

from uuid import UUID

from taskengine.api.context import OperationContext
from taskengine.api.operations.part import part_of
from taskengine.api.operations.workflow_read import get_workflow_status, stored_workflow
from taskengine.api.operations.workflow_within import step_at
from taskengine.core.explain.inputs import Part
from taskengine.core.explain.step import explain_step, explain_workflow
from taskengine.core.identity import step_id
from taskengine.errors import NotFoundError
from taskengine.models import Explanation, TaskStatus
from taskengine.store import tasks
from taskengine.store.call import Operation
from taskengine.store.fields import TaskField

_WORKFLOW = "workflow"
#: The queue of tasks that run a workflow.
_OF_TASK = "%w"


def explain_part(context: OperationContext, id: str) -> Operation[Explanation]:
    """Return the explanation of a step or a workflow; NotFoundError when the id is neither's."""
    own = yield from tasks.fields(context.keys, id, TaskField.status, TaskField.kind, TaskField.path)
    stored = own[TaskField.status]
    if stored is None or own[TaskField.kind] is None:
        raise NotFoundError("task", id)
    part = yield from part_of(context, id)
    if own[TaskField.kind] == _WORKFLOW:
        state = yield from get_workflow_status(context, id)
        return explain_workflow(UUID(id), TaskStatus(stored), state, part)
    path = own[TaskField.path] or ""
    workflow = yield from _workflow_of(context, id, path)
    found, kept, definition = yield from stored_workflow(context, workflow)
    state_of_step = yield from step_at(context, found, kept, definition, path)
    return explain_step(UUID(id), TaskStatus(stored), state_of_step, part or Part(workflow, TaskStatus(stored)))


def is_workflow(context: OperationContext, id: str) -> Operation[bool]:
    """Whether an id is a workflow's, which is read as a task where somebody waits for it."""
    own = yield from tasks.fields(context.keys, id, TaskField.kind, TaskField.queue)
    return own[TaskField.kind] == _WORKFLOW and own[TaskField.queue] != _OF_TASK


def _workflow_of(context: OperationContext, id: str, path: str) -> Operation[str]:
    """Return the workflow whose step has this id: a task of another one may run it."""
    at = id
    while above := (yield from tasks.fields(context.keys, at, TaskField.parent))[TaskField.parent]:
        at = above
        if str(step_id(at, path)) == id:
            break
    return at
