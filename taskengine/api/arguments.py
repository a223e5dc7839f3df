"""What clients pass, checked: each wrong value raises InvalidInputError with the name of its argument."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from taskengine.errors import InvalidInputError
from taskengine.models import Task, TaskCreateRequest
from taskengine.models.task import LONGEST_KEY, AgentName, Capability, IdempotencyKey, refuse_attempts
from taskengine.store.by_moment import Entry
from taskengine.store.codec import dumps

#: Every id may be given as text, as it stands in JSON and on a command line.
Id: TypeAlias = UUID | str
E = TypeVar("E", bound=Enum)
_AGENT_NAME = TypeAdapter(AgentName)
_CAPABILITY = TypeAdapter(Capability)
_IDEMPOTENCY_KEY = TypeAdapter(IdempotencyKey)


def id_text(value: Id, field: str = "task_id") -> str:
    """Return the id as the store spells it."""
    if isinstance(value, UUID):
        return str(value)
    try:
        return str(UUID(value))
    except (ValueError, TypeError, AttributeError) as exc:
        raise InvalidInputError(
            f"{field} is {value!r}, which is no UUID; pass the id of a Task, such as task.id", field=field
        ) from exc


def id_texts(values: Iterable[Id] | Id, field: str = "task_ids") -> list[str]:
    """Ids as the store spells them; one alone is a list of one."""
    if isinstance(values, UUID | str):
        return [id_text(values, field)]
    if not isinstance(values, Iterable):
        raise InvalidInputError(f"{field} is {values!r}; pass a list of ids", field=field)
    return [id_text(value, field) for value in values]


def new_tasks(given: Iterable[Task | TaskCreateRequest], most: int) -> list[Task]:
    """Return the tasks to submit, each once, at most *most*."""
    if not isinstance(given, Iterable) or isinstance(given, Task | TaskCreateRequest | str | Mapping):
        raise InvalidInputError(f"tasks is a {type(given).__name__}; pass a list of tasks", field="tasks")
    tasks = [new_task(one, f"tasks[{at}]") for at, one in enumerate(given)]
    if len(tasks) > most:
        raise InvalidInputError(
            f"tasks holds {len(tasks)} tasks, one submit may hold {most}; "
            "split it, or raise TASKENGINE_MAX_GRAPH",
            field="tasks",
        )
    _refuse_twice("id", [str(task.id) for task in tasks])
    _refuse_twice("idempotency_key", [task.idempotency_key for task in tasks])
    return tasks


def _refuse_twice(field: str, values: Iterable[str | None]) -> None:
    seen: dict[str, int] = {}
    for at, value in enumerate(values):
        if value is not None and seen.setdefault(value, at) != at:
            raise InvalidInputError(
                f"tasks[{seen[value]}] and tasks[{at}] both have {field} {value}; give each its own",
                field=field,
            )


def new_task(given: Task | TaskCreateRequest, field: str = "task") -> Task:
    """Return the task to submit."""
    if not isinstance(given, Task | TaskCreateRequest):
        raise InvalidInputError(
            f"{field} is a {type(given).__name__}; pass a Task or a TaskCreateRequest", field=field
        )
    refuse_attempts(given)
    return given.to_task() if isinstance(given, TaskCreateRequest) else given


def seconds(value: float | None, field: str = "timeout") -> float | None:
    """Return a number of seconds, None for no limit."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or value < 0:
        raise InvalidInputError(
            f"{field} is {value!r}; use seconds, 0 or more, or None for no limit", field=field
        )
    return float(value)


def number(value: int, field: str, least: int, most: int) -> int:
    """Return a whole number from *least* to *most*."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidInputError(f"{field} is {value!r}; use a whole number, {least} to {most}", field=field)
    return value


def member(kind: type[E], value: E | str | int, field: str) -> E:
    """Return a member of an enumeration, given itself or as its value; of a numbered one also by name."""
    try:
        return kind(value)
    except ValueError as exc:
        values = ", ".join(m.name.lower() if isinstance(m.value, int) else str(m.value) for m in kind)
        raise InvalidInputError(f"{field} is {value!r}; use one of {values}", field=field) from exc


def text(value: str, field: str, most: int = 500) -> str:
    """Text that is not empty and at most *most* characters long."""
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise InvalidInputError(
            f"{field} is {value!r:.80}; use a text of 1 to {most} characters", field=field
        )
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise InvalidInputError(f"{field} is {value!r:.80}, which is no Unicode text: {exc}", field=field) from exc
    return value


def agent_name(value: str, field: str = "agent_id") -> str:
    """Return a name as ``@agent(name)`` takes it."""
    try:
        return _AGENT_NAME.validate_python(value)
    except ValidationError as exc:
        raise InvalidInputError(
            f"{field} is {value!r:.80}; use an agent's name: 1 to 100 letters, digits, dots, dashes, colons",
            field=field,
        ) from exc


def capability_name(value: str, field: str = "capability") -> str:
    """Return what a worker offers: the name of a queue."""
    try:
        return _CAPABILITY.validate_python(value)
    except ValidationError as exc:
        raise InvalidInputError(
            f"{field} is {value!r:.80}; use a queue's name: 1 to 100 letters, digits, dots, dashes, colons", field=field
        ) from exc


def user(value: str | None, field: str) -> str:
    """Who asks: the user of the system unless somebody is named."""
    return Task(name=field).created_by if value is None else text(value, field, 200)


def idempotency_key(value: str | None, field: str = "idempotency_key") -> str | None:
    """Return a client's name for what it submits: 1 to 512 bytes."""
    if value is None:
        return None
    try:
        return _IDEMPOTENCY_KEY.validate_python(text(value, field, LONGEST_KEY))
    except ValidationError as exc:
        raise InvalidInputError(f"{field} {exc.errors()[0]['ctx']['error']}", field=field) from exc


def mapping(value: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """*given* as a JSON object; InvalidInputError names *field* when it is none."""
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"{field} is a {type(value).__name__}; pass a dict", field=field)
    dumps(value, field)
    return value


def instant(value: datetime, field: str) -> datetime:
    """Return a moment that says its time zone, in UTC."""
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidInputError(
            f"{field} is {value!r:.80}; pass a datetime with a time zone, such as datetime.now(UTC)", field=field
        )
    try:
        return value.astimezone(UTC)
    except OverflowError as exc:
        raise InvalidInputError(f"{field} is {value!r:.80}, not within the years 1 to 9999", field=field) from exc


def cursor(value: str | None) -> int:
    """Return the place in a listing that a cursor stands for; 0 is its beginning."""
    if value is None:
        return 0
    if not isinstance(value, str) or not value.isdecimal() or not 0 < len(value) < 16:
        raise InvalidInputError(
            f"cursor is {value!r}; pass the .cursor of the page before, or None for the first one",
            field="cursor",
        )
    return int(value)


def cursor_at(entry: Entry) -> str:
    """Return the cursor of a page of a list by moment that ends with *entry*."""
    return f"{entry.at_ms}.{entry.id}"


def place_of(value: str | None) -> Entry | None:
    """Return the place in a list by moment that a cursor stands for; None is its beginning."""
    if value is None:
        return None
    ms, _, id = value.partition(".") if isinstance(value, str) else ("", "", "")
    if not ms.isdecimal() or len(ms) > 15:
        raise InvalidInputError(
            f"cursor is {value!r:.80}; pass the .cursor of the page before, or None for the first one",
            field="cursor",
        )
    return Entry(id_text(id, "cursor"), int(ms))
