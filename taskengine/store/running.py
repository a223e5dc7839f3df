"""The task as its agent gets it, from what a worker is told of it.

Thousands of tasks differ in their ids alone: their documents are the same text. So the first task of a document is
read and checked whole, and kept as a template; the others are copies of it with ids, name and counts of their own. The
text is the key: a document that was changed between two attempts is another one. What an agent could change in its
copy is never the template's: its dicts are read from the text again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from pydantic import TypeAdapter

from taskengine.errors import InvalidInputError
from taskengine.models import Task, TaskStatus
from taskengine.store.codec import loads_object
from taskengine.store.replies import Assignment

_FIELDS = frozenset(Task.model_fields)
#: Those that can be changed in place, but for the dependencies, which are no part of a document.
_CONTAINERS = tuple(name for name, field in Task.model_fields.items() if field.default_factory is dict)
#: Documents that one process keeps a template of, and characters of the longest: what is long is seldom the same.
_MOST, _LONGEST = 256, 1000
#: Six times as fast as UUID's own.
_uuid = TypeAdapter(UUID).validator.validate_python


@dataclass(frozen=True, slots=True)
class _Template:
    """What all tasks of a document have in common."""

    #: Never handed out.
    task: Task
    #: Whether the document fills a dict.
    is_filled: bool

    @classmethod
    def of(cls, task: Task) -> Self:
        """Keep of *task*, which its agent gets, nothing that can be changed in place."""
        kept = task.with_checked({"depends_on": frozenset()})
        vars(kept).update(dict.fromkeys(_CONTAINERS))
        return cls(kept, any(getattr(task, name) for name in _CONTAINERS))

    def copy(self, told: Assignment) -> Task:
        """Another task of the document: the store's own ids need no check, and the rest was checked."""
        document = loads_object(told.doc) if self.is_filled else {}
        made = self.task.with_checked({
            "id": _uuid(told.task_id),
            "name": told.name,
            "depends_on": {_uuid(id) for id, _, _ in told.inputs},
            "run_id": _uuid(told.run_id),
            "attempt": told.attempt,
            "retry_count": told.retries,
            "execution_id": _uuid(told.execution_id),
        })  # fmt: skip
        vars(made).update({name: document.get(name) or {} for name in _CONTAINERS})  # not set where it is not given
        return made


class Templates:
    """A template by document, for one process; any thread may ask."""

    def __init__(self) -> None:
        self._known: dict[str, _Template] = {}

    def task(self, told: Assignment, input: str | None) -> Task:
        """Return the task as its agent gets it; *input* is JSON that lay by reference.

        InvalidInputError when it cannot be read.
        """
        found = self._known.get(told.doc) if input is None else None
        if found is not None and told.name:
            return found.copy(told)
        task = _checked(told, input)
        if input is None and len(told.doc) <= _LONGEST:
            if len(self._known) >= _MOST:
                self._known.clear()  # the few that are used come back at once
            self._known[told.doc] = _Template.of(task)
        return task


def _checked(told: Assignment, input: str | None) -> Task:
    try:
        record = {k: v for k, v in loads_object(told.doc).items() if k in _FIELDS}
        if input is not None:
            record["input"] = loads_object(input)
    except ValueError as exc:
        raise InvalidInputError(f"it is no JSON that can be read: {exc}", field="input") from exc
    record |= {
        "id": told.task_id,
        "name": told.name,
        "depends_on": [id for id, _, _ in told.inputs],
        "status": TaskStatus.RUNNING,
        "run_id": told.run_id,
        "attempt": told.attempt,
        "retry_count": told.retries,
        "execution_id": told.execution_id,
    }
    return Task.model_validate(record)  # ids stay text until pydantic reads them, which is five times faster


#: This process's.
running_task = Templates().task
