"""Change stored tasks: their fields, priority, clocks and dependencies, checked as at submit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskengine.api.arguments import Id, id_text
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import required
from taskengine.api.operations.edges import missing, refuse_cycle
from taskengine.api.operations.moments import refuse_past_change
from taskengine.api.operations.refusals import changeable, not_allowed
from taskengine.api.operations.submit import refuse_schemas
from taskengine.core import remedy
from taskengine.core.lifecycle import EXECUTING
from taskengine.core.order import moved
from taskengine.errors import InvalidInputError, NotAllowedError
from taskengine.models import Task, TaskUpdateRequest
from taskengine.models.requests import BEFORE_FIRST_RUN
from taskengine.models.task import STATE_FIELDS
from taskengine.store import tasks
from taskengine.store.call import Operation
from taskengine.store.codec import UNREADABLE, millis
from taskengine.store.executions import put_payload
from taskengine.store.fields import TaskField
from taskengine.store.records import index_names, record
from taskengine.store.tasks import EdgeChange

#: Dependencies that one update may take off and put on: all are moved in one script.
MAX_EDGES = 256


def update_task(
    context: OperationContext, task_id: Id, request: TaskUpdateRequest | None, changes: Mapping[str, Any]
) -> Operation[Task]:
    """Change what the client may change, all of it or nothing; the task as it stands then."""
    id, wanted = id_text(task_id), _wanted(request, changes)
    if not wanted:
        return (yield from required(context, id))
    while True:
        edge_revision = yield from tasks.edge_revision(context.keys)
        before = yield from tasks.fields(context.keys, id, TaskField.revision, TaskField.score, TaskField.large_input)
        task = yield from changeable(context, id)
        if task.error_kind == UNREADABLE:
            # What cannot be read would be gone from what is written.
            raise NotAllowedError(f"task {id} cannot be changed: {task.error_message}", id=id)
        if "timeout" in wanted and task.runs_workflow and task.status in EXECUTING:
            says = "runs its steps, and its timeout began with them; cancel it, or change it before it begins"
            raise (yield from not_allowed(context, task, says))
        changed = _changed(task, wanted)
        if "output_schema" in wanted:
            refuse_schemas([changed])
        yield from refuse_past_change(changed, wanted)
        edges = _edges(task, changed, edge_revision)
        yield from refuse_cycle(task, edges.added)
        new = record(changed, changed.estimated_seconds)
        if new.payload and new.payload[0] != before[TaskField.large_input]:
            yield from put_payload(*new.payload)
        deadline = changed.deadline.timestamp() if changed.deadline else None
        answer = yield from tasks.update(
            id,
            before[TaskField.revision] or "0",
            new,
            moved(float(before[TaskField.score] or 0), changed.priority, deadline),
            index_names(task),
            before_first_run=not BEFORE_FIRST_RUN.isdisjoint(wanted),
            edges=edges,
            due=(millis(changed.scheduled_at) or 0) if "scheduled_at" in wanted else None,
        )
        if answer.ok:
            return (yield from required(context, id))
        if answer.word == "missing":
            raise missing(task, answer.text())
        if answer.word == "conflict":
            raise (yield from not_allowed(context, task, _forbidden(id, wanted, answer.text())))


def _wanted(request: TaskUpdateRequest | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    if request is not None and (changes or not isinstance(request, TaskUpdateRequest)):
        raise InvalidInputError(
            "pass one TaskUpdateRequest, or the fields to change by name", field="request"
        )
    asked = TaskUpdateRequest(**changes) if request is None else request
    return {name: getattr(asked, name) for name in asked.model_fields_set}


def _changed(task: Task, wanted: Mapping[str, Any]) -> Task:
    """Return the task with its new fields; what the client never set stays unset."""
    kept = {name: getattr(task, name) for name in task.model_fields_set - STATE_FIELDS}
    return Task(**{**kept, **wanted})


def _edges(task: Task, changed: Task, revision: str) -> EdgeChange:
    dropped = tuple(sorted(str(id) for id in task.depends_on - changed.depends_on))
    added = tuple(sorted(str(id) for id in changed.depends_on - task.depends_on))
    if len(dropped) + len(added) > MAX_EDGES:
        raise InvalidInputError(
            f"depends_on changes {len(dropped) + len(added)} dependencies; change {MAX_EDGES} at once",
            field="depends_on",
        )
    return EdgeChange(revision, dropped, added)


def _forbidden(id: str, wanted: Mapping[str, Any], status: str) -> str:
    early = sorted(BEFORE_FIRST_RUN.intersection(wanted))
    if early:
        return f"is {status}; {', '.join(early)} can be changed only before its first attempt"
    return f"is {status}; what is over is not changed, {remedy.reopen(id)}"
