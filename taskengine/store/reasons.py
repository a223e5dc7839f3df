"""Why a task is where it is, as its record alone tells: one line for people."""

from __future__ import annotations

from collections.abc import Mapping

from taskengine.core import remedy
from taskengine.core.demand import for_people, from_words
from taskengine.models import TaskStatus
from taskengine.store.fields import TaskField
from taskengine.store.keys import RULED
from taskengine.store.pause_record import PAUSE_KINDS, pause_from
from taskengine.store.question_record import question_from


def reason(id: str, status: TaskStatus, fields: Mapping[str, str]) -> str | None:
    """Return why a task is in *status*; None where there is nothing to say."""
    own = _own_reason(id, status, fields)
    if "paused" not in fields:
        return own
    scope, _, record = fields["paused"].partition(" ")
    paused = f"paused: {pause_from(scope, record)}"
    return f"{own}; {paused}" if own else paused


def _own_reason(id: str, status: TaskStatus, fields: Mapping[str, str]) -> str | None:
    if status is TaskStatus.READY:
        return _ready_reason(fields)
    if status is TaskStatus.RETRYING:
        refused = fields.get(TaskField.error_kind) == "not_now"
        why = "its agent said not now" if refused else "waits for its next attempt because of"
        return f"{why}: {fields.get(TaskField.error, 'an error')}"
    if status is TaskStatus.PENDING:
        return _pending_reason(id, fields)
    if status is TaskStatus.PAUSED and (asked := question_from(fields.get(TaskField.question))):
        behind = "; stays paused behind the answer" if TaskField.pause_asked in fields else ""
        return f"asks: {asked.text}; {remedy.answer(id)}{behind}"
    if status is TaskStatus.PAUSED:
        return f"paused: {pause_from('task:', fields[TaskField.pause])}"
    if status is TaskStatus.RUNNING and TaskField.pause_asked in fields:
        return f"makes no further attempt, paused: {pause_from('task:', fields[TaskField.pause_asked])}"
    return fields.get(TaskField.reason) or fields.get(TaskField.cancel)


def _ready_reason(fields: Mapping[str, str]) -> str | None:
    park = fields.get(TaskField.parked)
    if "paused" in fields or (park and park.partition(":")[0] in PAUSE_KINDS):
        return None  # what was resumed a moment ago goes back by itself
    if park and park.startswith("offer:"):
        return f"no worker offers agent {park[6:]!r}; {remedy.start_worker(f'@{park[6:]}')}"
    if park and park.startswith("room:"):
        demand = for_people(from_words(park.partition("|")[2].replace("*", "")))
        return f"no host has room for it now{f' ({demand})' if demand else ''}"
    if park:
        return f"parked: {park}"
    if fields.get("offers") == "0":
        queue = fields[TaskField.queue]
        what = f"agent {queue[1:]!r}" if queue.startswith("@") else f"capability {queue!r}"
        return f"no worker offers {what}; {remedy.start_worker(queue)}"
    return None


def _pending_reason(id: str, fields: Mapping[str, str]) -> str | None:
    rule, waiting = fields.get(TaskField.rule), int(fields.get(TaskField.waiting, 0))
    if rule and waiting + RULED > 0 and not fields.keys() & {TaskField.held, TaskField.due}:
        return f"waits for {rule} of its dependencies; {waiting + RULED} are open"
    if waiting > 0:
        return f"waits for {waiting} of its dependencies"
    if TaskField.held in fields:
        return f"held; {remedy.execute_held(id)}"
    return "waits for its scheduled time" if TaskField.due in fields else None
