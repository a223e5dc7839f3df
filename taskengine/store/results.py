"""Tasks with what lies apart from their hash: results, and inputs over the inline limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from taskengine.errors import InvalidInputError, NotFoundError
from taskengine.models import Task, TaskStatus
from taskengine.store.call import Operation
from taskengine.store.codec import loads_object, pairs
from taskengine.store.executions import output, payload
from taskengine.store.fields import TaskField
from taskengine.store.keys import Keys
from taskengine.store.task_record import task_from, with_fault
from taskengine.store.verb import Verb

#: Outputs read in one script.
PIECE = 256
_HAVE_RESULT = frozenset({TaskStatus.COMPLETED})

_READ: Verb[list[Any]] = Verb("read", list)
_READ_OUTPUTS: Verb[list[str]] = Verb("read_outputs", list)


def whole(keys: Keys, id: str) -> Operation[Task | None]:
    """Return a task with its input and its result, also where those are large; None when there is no such task."""
    raw = yield from _READ(tasks=(id,))
    if not raw[0]:
        return None
    fields = pairs(raw[0])
    task = task_from(id, fields)
    if fields.get(TaskField.large_input):
        text = yield from payload(keys, fields[TaskField.large_input])
        try:
            task.input = loads_object(text or "{}")
        except (ValueError, InvalidInputError) as exc:
            task = with_fault(task, "input", exc)
    if task.status not in _HAVE_RESULT:
        return task
    try:
        return _with_result(task, (yield from output(keys, id)))
    except NotFoundError:
        return task  # its own record is there, and says what there was


def with_results(tasks: Sequence[Task]) -> Operation[list[Task]]:
    """Return the tasks with their results; one over the inline limit stays None, or a wait could bring gigabytes."""
    ended = [str(task.execution_id) for task in tasks if task.status in _HAVE_RESULT]
    texts: list[str] = []
    while len(texts) < len(ended):
        texts += yield from _READ_OUTPUTS(executions=ended[len(texts) : len(texts) + PIECE])
    found = dict(zip(ended, texts, strict=True))
    return [_with_result(task, found.get(str(task.execution_id))) for task in tasks]


def _with_result(task: Task, text: str | None) -> Task:
    if not text:
        return task
    try:  # what was stored needs no check
        return BaseModel.model_copy(task, update={"result": loads_object(text)})
    except ValueError as exc:
        return with_fault(task, "result", exc)
