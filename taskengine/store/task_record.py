"""A task as Redis holds it, read back. :mod:`taskengine.store.fields` is the dictionary of its hash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from taskengine.core.identity import execution_id
from taskengine.errors import InvalidInputError
from taskengine.models import Task, TaskStatus
from taskengine.store.codec import UNREADABLE, leniently, loads_object, moment
from taskengine.store.fields import TaskField
from taskengine.store.question_record import question_from
from taskengine.store.reasons import reason

_EMPTY = "{}"
_FIELDS = frozenset(Task.model_fields)


def task_from(id: str, fields: Mapping[str, str]) -> Task:
    """Return the task of a stored hash; fields that this version does not know are left out.

    A listing never fails because of one record: of a document that cannot be read the task shows what is left, and
    says so as its error, of the kind ``unreadable_record``.
    """
    try:
        return _task(id, fields, loads_object(fields.get(TaskField.doc, _EMPTY)))
    except (ValueError, InvalidInputError) as exc:
        why = f"its record cannot be read: {exc}; delete it once it is over"
        return _task(id, {**fields, TaskField.error: why, TaskField.error_kind: UNREADABLE}, _rest(fields))


def _rest(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return what can be told of a document that cannot be read: its plain values, as far as this version knows
    them.
    """
    queue = fields.get(TaskField.queue, "")
    found = leniently(fields[TaskField.doc])
    doc = found if isinstance(found, dict) else {}
    plain = {name: value for name, value in doc.items() if not isinstance(value, dict | list)}
    known = {name: value for name, value in plain.items() if name in _FIELDS and _is_known(name, value)}
    return known if queue.startswith("@") else {"capability": queue, **known}


def _is_known(name: str, value: Any) -> bool:
    try:
        Task(**{name: value})
    except InvalidInputError:
        return False
    return True


def with_fault(task: Task, what: str, exc: Exception) -> Task:
    """Return the task without *what* of it cannot be read, which it says as its error."""
    says = f"its {what} cannot be read: {exc}"
    return BaseModel.model_copy(task, update={"error_kind": UNREADABLE, "error_message": says})


def _task(id: str, fields: Mapping[str, str], stored: Mapping[str, Any]) -> Task:
    doc = {k: v for k, v in stored.items() if k in _FIELDS}
    queue = fields.get(TaskField.queue, "")
    if queue.startswith("@"):
        doc["assigned_to"] = queue[1:]
    if TaskField.held in fields or "hold" in doc:
        doc["hold"] = TaskField.held in fields
    status = TaskStatus(fields[TaskField.status])
    due = moment(fields.get(TaskField.due))
    attempt = int(fields.get(TaskField.attempts, 0)) - (TaskField.granted in fields)
    return Task(
        **doc,
        id=UUID(id),
        name=fields.get(TaskField.name, ""),
        depends_on={UUID(d) for d in fields.get(TaskField.depends_on, "").split()},
        status=status,
        run_id=UUID(fields[TaskField.run]),
        attempt=attempt,
        execution_id=execution_id(id, attempt) if attempt else None,
        retry_count=int(fields.get(TaskField.retries, 0)),
        lost_count=int(fields.get(TaskField.lost, 0)),
        created_at=moment(fields.get(TaskField.created)),
        ready_at=moment(fields.get(TaskField.ready)),
        started_at=moment(fields.get(TaskField.started)),
        completed_at=moment(fields.get(TaskField.finished)),
        deadline_at_risk_since=moment(fields.get(TaskField.at_risk)),
        next_attempt_at=due if status is TaskStatus.RETRYING else None,
        error_message=fields.get(TaskField.error),
        error_kind=fields.get(TaskField.error_kind),
        reason=reason(id, status, fields),
        closed_by=UUID(fields[TaskField.closed_by]) if fields.get(TaskField.closed_by) else None,
        cancel_requested=TaskField.cancel in fields,
        pause_requested=status is TaskStatus.RUNNING and TaskField.pause_asked in fields,
        question=question_from(fields.get(TaskField.question)),
    )
