"""What a verb is called with, as JSON: checked here where Python says more than JSON can, else by the server.

Ids, tasks and workflows are read by what the verb itself reads them with, so that a wrong one is refused with the same
words, and what is stored is the same, whichever way it came.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel

from taskengine.api.arguments import Id, id_text, id_texts, new_task, new_tasks
from taskengine.api.operations.agent_fields import place_of
from taskengine.api.operations.workflow_start import new_workflow
from taskengine.errors import InvalidInputError
from taskengine.models import Task, TaskCreateRequest, TaskUpdateRequest, Workflow, WorkflowDefinition
from taskengine.settings import Settings
from taskengine.store.codec import canonical, content

_LISTED = frozenset(get_args(Id))


def plain(value: Any, hint: Any, name: str, settings: Settings) -> Any:
    """Return one argument as JSON values; InvalidInputError where it cannot be what *hint* says."""
    if hint == Any:
        return value  # JSON already, or refused by whoever writes it
    kinds = _members(hint)
    if value is None and type(None) in kinds:
        return None
    if any(get_origin(kind) is Iterable and _members(get_args(kind)[0]) == _LISTED for kind in kinds):
        return id_texts(value, name)
    if kinds - {type(None)} == _LISTED:
        return id_text(value, name)
    if isinstance(value, str) and Iterable[str] in kinds:
        return [value]
    if Task in kinds:
        return of_task(value, name)
    if any(get_origin(kind) is Iterable and Task in _members(get_args(kind)[0]) for kind in kinds):
        return of_tasks(value, settings)
    if WorkflowDefinition in kinds:
        return value if isinstance(value, str) and str in kinds else of_workflow(value)
    if TaskUpdateRequest in kinds:
        return of_change(value)
    if kinds - {type(None)} == {str} and not isinstance(value, str):
        # Not as JSON, where a number in the query would become a text.
        raise InvalidInputError(f"{name} is {value!r:.80}; pass a text", field=name)
    return spelled(value)


def _members(hint: Any) -> frozenset[Any]:
    return frozenset(get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,))


def spelled(value: Any) -> Any:
    """Return a value as JSON spells it; what JSON knows no word for stays as it is, and is refused when it is sent."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: spelled(each) for key, each in value.items()}
    if callable(value):
        return place_of(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [spelled(each) for each in value]
    return value


def of_task(given: Any, field: str = "task") -> dict[str, Any]:
    """Return what a client asks for with a task: what differs from the defaults, and how it is known."""
    return _of_task(new_task(given, field), given)


def of_tasks(given: Any, settings: Settings) -> list[dict[str, Any]]:
    """Return the same of a graph."""
    listed: Any = given if isinstance(given, Task | TaskCreateRequest | str | Mapping) else _listed(given)
    return [
        _of_task(task, one) for task, one in zip(new_tasks(listed, settings.max_graph), listed, strict=True)
    ]


def _listed(given: Any) -> Any:
    """Return what may be an iterator as something to go over twice."""
    return list(given) if isinstance(given, Iterable) else given


def _of_task(task: Task, given: Task | TaskCreateRequest) -> dict[str, Any]:
    asked = {**content(task), "id": str(task.id), "name": task.name, "capability": task.capability}
    if given.created_by is not None:  # else it is the key's name
        asked["created_by"] = given.created_by
    if task.depends_on:
        asked["depends_on"] = sorted(map(str, task.depends_on))
    if task.idempotency_key is not None:
        asked["idempotency_key"] = task.idempotency_key
    canonical(asked, f"task {task.name!r}")
    return asked


def of_workflow(given: Any) -> dict[str, Any]:
    """Return a workflow with its id, by which the same one sent again is known."""
    made: Workflow = new_workflow(given)
    return made.model_dump(mode="json")


def of_change(given: Any) -> dict[str, Any]:
    """Return what a request changes."""
    if not isinstance(given, TaskUpdateRequest):
        raise InvalidInputError(
            "pass one TaskUpdateRequest, or the fields to change by name", field="request"
        )
    return given.model_dump(mode="json")
