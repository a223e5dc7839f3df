"""Why something may not be done to a task, told with what happened to it so far."""

from __future__ import annotations

from collections.abc import Mapping

from taskengine.api.context import OperationContext
from taskengine.api.operations.part import outermost
from taskengine.core import remedy
from taskengine.core.steps.paths import DO
from taskengine.errors import NotAllowedError, NotFoundError
from taskengine.models import Event, Task
from taskengine.store import tasks
from taskengine.store.call import Operation
from taskengine.store.fields import TaskField
from taskengine.store.history import history_of
from taskengine.store.results import whole

#: Events told; the latest ones.
_EVENTS = 12


def not_allowed(context: OperationContext, task: Task, why: str) -> Operation[NotAllowedError]:
    """Return the error that says *why* about a task, with the end of its history."""
    events = yield from history_of(context.keys, str(task.run_id), str(task.id), _EVENTS)
    message = f"task {task.name!r} ({task.id}) {why}"
    return NotAllowedError(message, id=task.id, history=[_line(event) for event in events])


def missing_task(context: OperationContext, id: str) -> Operation[NotFoundError | NotAllowedError]:
    """Return the error for an id that is no task's: a step of a workflow, or one itself, is none."""
    if not _is_step((yield from tasks.fields(context.keys, id, TaskField.queue))):
        return NotFoundError("task", id)
    instead = remedy.named(
        "cancel_workflow, pause_workflow or retry_workflow", "taskengine workflow cancel, pause or retry"
    )
    return NotAllowedError(f"{(yield from place(context, id))}, no task; steer the workflow: {instead}", id=id)


def missing_workflow(context: OperationContext, id: str) -> Operation[NotFoundError | NotAllowedError]:
    """Return the error for an id that is no workflow's: a part of one is steered under the outermost one's id."""
    workflow = yield from outermost(context, id)
    if workflow == id:
        return NotFoundError("workflow", id)
    return NotAllowedError(f"{(yield from place(context, id))}; say it to the workflow: {workflow}", id=workflow)


def changeable(context: OperationContext, id: str) -> Operation[Task]:
    """One task, or the error of :func:`missing_task`."""
    found = yield from whole(context.keys, id)
    if found is None or _is_step((yield from tasks.fields(context.keys, id, TaskField.queue))):
        raise (yield from missing_task(context, id))
    return found


def refuse_part(context: OperationContext, id: str) -> Operation[None]:
    """Raise NotAllowedError for what is a part of a workflow, which is deleted with its run alone."""
    fields = yield from tasks.fields(context.keys, id, TaskField.queue, TaskField.parent)
    if _is_step(fields) or fields[TaskField.parent]:
        where = yield from place(context, id)
        raise NotAllowedError(f"{where}, and is deleted with its run, when the retention of that ends", id=id)


def part_not_retried(context: OperationContext, id: str) -> Operation[NotAllowedError]:
    """Return the error for a task of a workflow that is to be retried alone: the steps around it ended as it did."""
    where, workflow = (yield from place(context, id)), (yield from outermost(context, id))
    retry = remedy.retry_workflow_call(workflow)
    return NotAllowedError(f"{where}; it is opened with what else failed there, once that is over: {retry}", id=id)


def reopening(context: OperationContext, id: str) -> Operation[str]:
    """Return what opens a task again that failed or was cancelled; a part of a workflow is opened with that."""
    workflow = yield from outermost(context, id)
    return remedy.reopen(id) if workflow == id else f"{remedy.retry_workflow_call(workflow)} opens it again"


def _is_step(fields: Mapping[str, str | None]) -> bool:
    """Whether no worker runs it; a client's task that runs a workflow is a task."""
    queue = fields[TaskField.queue] or ""
    return queue.startswith("%") and queue != "%w"


def place(context: OperationContext, id: str) -> Operation[str]:
    """Return where in which workflow something stands."""
    own = yield from tasks.fields(context.keys, id, TaskField.path, TaskField.name, TaskField.kind)
    if own[TaskField.kind] == "workflow":
        return f"{id} is workflow {own[TaskField.name]!r}"
    workflow = yield from outermost(context, id)
    name = (yield from tasks.fields(context.keys, workflow, TaskField.name))[TaskField.name]
    path = (own[TaskField.path] or own[TaskField.name] or "").removesuffix(DO)
    return f"{id} is step {path} of workflow {name!r} ({workflow})"


def _line(event: Event) -> str:
    return f"{event.at:%H:%M:%S} {event.what}" + (f" ({event.note})" if event.note else "")
