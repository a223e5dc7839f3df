"""What a task step submits: the fields of a task, whose texts may hold ``${…}``.

A field that holds none is checked here, as a task's own would be, and stored as the JSON that it is; one that holds
some is checked when its values are known. What a workflow decides itself is refused: id, dependencies and the
idempotency key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler, JsonValue, PlainValidator, TypeAdapter, ValidationError, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from taskengine.errors import InvalidInputError
from taskengine.models.definition import Found, did_you_mean, faulty, lines, shown
from taskengine.models.definition_types import template_faults
from taskengine.models.depth import refuse_deep
from taskengine.models.requests import TaskCreateRequest
from taskengine.models.task import RequestFields, refuse_attempts
from taskengine.models.template_text import is_template

_DECIDED = {
    "id": "is made from the workflow's id and the step's path",
    "depends_on": "belongs to the step: depends_on with names of its siblings",
    "idempotency_key": "is the workflow's",
    "template": "is for tasks of no workflow: a step's texts are templates",
}
#: Fields that a template may have.
TEMPLATE_FIELDS = tuple(name for name in TaskCreateRequest.model_fields if name not in _DECIDED)


class _Schema:
    """The JSON Schema of a template: each field as in a task, or a text with ``${…}``."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return every field with its own type, and none required."""
        fields = {name: {"anyOf": [_field_schema(name), _LATE]} for name in TEMPLATE_FIELDS}
        return {"type": "object", "properties": fields, "additionalProperties": False}


_LATE = {"type": "string", "pattern": r"\$\{"}


def _field_schema(name: str) -> JsonSchemaValue:
    schema = _adapter(name).json_schema()
    schema.pop("$defs", None)
    return {} if "$ref" in str(schema) else schema


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    field = TaskCreateRequest.model_fields[name]
    typed: Any = Annotated[field.annotation, field]
    return TypeAdapter[Any](typed)


def holds_template(value: JsonValue) -> bool:
    """Return whether a text of *value*, at any depth, holds ``${``."""
    match value:
        case str():
            return is_template(value)
        case dict():
            return any(map(holds_template, value.values()))
        case list():
            return any(map(holds_template, value))
        case _:
            return False


def _template(given: Any, info: ValidationInfo) -> dict[str, JsonValue]:
    if isinstance(given, RequestFields):
        given = _asked_for(given)
    if not isinstance(given, Mapping):
        raise ValueError(f"must be an object with the fields of a task, not {shown(given)}")
    made: dict[str, JsonValue] = {}
    found: list[Found] = []
    for name, value in given.items():
        found += _field(name, value, made, info)
    found = found or list(_together(made))
    if found:
        raise faulty("task_template", found)
    return made


def _asked_for(task: RequestFields) -> dict[str, Any]:
    """Return what was set of a task that somebody made, but what a workflow decides: its id is always set."""
    kept = task.model_fields_set & {*TEMPLATE_FIELDS} | {"depends_on"} & task.model_fields_set
    return {name: getattr(task, name) for name in TaskCreateRequest.model_fields if name in kept}


def _field(name: Any, value: Any, made: dict[str, JsonValue], info: ValidationInfo) -> Iterator[Found]:
    """Put a field into what is made, as JSON, or say what is wrong with it."""
    if name in _DECIDED:
        yield (name,), f"{_DECIDED[name]}; leave it out"
    elif name not in TEMPLATE_FIELDS:
        yield (str(name),), f"unknown field {name!r:.80}{did_you_mean(str(name), TEMPLATE_FIELDS)}"
    elif value is not None:
        try:
            refuse_deep(value, name)
            late = list(template_faults(value, info, (name,)))
            yield from late
            if not late:
                made[name] = _json(name, value)
        except ValidationError as exc:
            yield from (((name, *location), says) for location, says in lines(exc))
        except InvalidInputError as exc:
            yield (name, *filter(None, [exc.field if exc.field != name else None])), str(exc)


def _json(name: str, value: Any) -> JsonValue:
    adapter = _adapter(name)
    if name not in _OBJECTS and holds_template(value):
        return TypeAdapter[JsonValue](JsonValue).validate_python(value)
    checked: JsonValue = adapter.dump_python(adapter.validate_python(value), mode="json", exclude_unset=True)
    return checked


#: Objects of anything: a text is as good as any other value.
_OBJECTS = frozenset({"input", "metadata", "execution_context", "resource_requirements"})


def _together(made: Mapping[str, JsonValue]) -> Iterator[Found]:
    known = {name: value for name, value in made.items() if name in _OBJECTS or not holds_template(value)}
    try:
        refuse_attempts(TaskCreateRequest.model_validate(known))
    except InvalidInputError as exc:
        yield tuple(filter(None, [exc.field])), str(exc)


#: The fields of a task; see the module.
TaskTemplate = Annotated[dict[str, JsonValue], PlainValidator(_template), _Schema()]
