"""Somebody's answer to what a task asks. Who gave it is recorded, not proven: there are no identities yet."""

from __future__ import annotations

from pydantic import JsonValue

from taskengine.api.arguments import Id, id_text, text, user
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import required
from taskengine.api.operations.refusals import missing_task, not_allowed
from taskengine.core.lifecycle import TERMINAL
from taskengine.core.questions import LARGEST, refusals
from taskengine.errors import InvalidInputError, NotAllowedError, PayloadTooLargeError
from taskengine.models import Task
from taskengine.store import kept, tasks
from taskengine.store.call import Operation
from taskengine.store.codec import dumps
from taskengine.store.fields import TaskField


def answer(
    context: OperationContext, task_id: Id, value: JsonValue, question_id: str | None, by: str | None
) -> Operation[Task]:
    """Answer what a task asks; the task as it stands then."""
    id, who = id_text(task_id), user(by, "by")
    wanted = None if question_id is None else text(question_id, "question_id", 100)
    size = len(dumps(value, "value").encode())
    if size > LARGEST:
        raise PayloadTooLargeError("value", size, LARGEST)
    stored = yield from tasks.fields(context.keys, id, TaskField.question)
    asked = kept.asked_from(stored[TaskField.question])
    if asked is None or (wanted is not None and wanted != asked.question.id):
        raise (yield from _other(context, id, asked, wanted))
    if faults := refusals(asked.question, value):
        raise InvalidInputError(f"value: {'; '.join(faults)} (asked: {asked.question.text:.200})", field="value")
    said = yield from kept.answer_question(id, asked, value, who)
    if said.word == "missing":
        raise (yield from missing_task(context, id))
    if not said.ok:
        raise (yield from _other(context, id, kept.asked_from(said.text() if said.word == "other" else None), wanted))
    return (yield from required(context, id))


def _other(
    context: OperationContext, id: str, asked: kept.Asked | None, wanted: str | None
) -> Operation[NotAllowedError]:
    """Return the error that says what the task asks now, if anything."""
    task = yield from tasks.read([id])
    if task[0] is None:
        raise (yield from missing_task(context, id))
    if asked is None:
        over = "; what is over asks nothing" if task[0].status in TERMINAL else "; it may have been answered already"
        return (yield from not_allowed(context, task[0], f"is {task[0].status} and asks nothing{over}"))
    now = f"asks {asked.question.text!r:.200} now (question {asked.question.id})"
    was = f", not question {wanted}" if wanted is not None and wanted != asked.question.id else ""
    return (yield from not_allowed(context, task[0], f"{now}{was}; answer that"))
