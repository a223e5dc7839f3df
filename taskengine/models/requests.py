"""What clients send to create and update tasks, and the page they get back from a listing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    BeforeValidator,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
)

from taskengine.models.base import InputModel, Moment
from taskengine.models.enums import TaskPriority, TriggerRule
from taskengine.models.task import Positive, RequestFields, RetryRules, Task, schema_of, system_user


class TaskCreateRequest(RequestFields):
    """The client's half of a :class:`Task`; an unknown field is refused."""

    def to_task(self) -> Task:
        """Return the task that this request asks for."""
        given = {name: getattr(self, name) for name in self.model_fields_set | {"id"}}
        if self.created_by is None:
            given.pop("created_by", None)
        return Task(**given)

    def as_task(self, asked_by: str | None = None) -> Task:
        """Return the same of a request that nobody changed since it was made and nobody will use again: the task holds
        what it holds, and checks none of it a second time, which took as long as the first.

        *asked_by*: who asks where it does not say; None is the user of the system.
        """
        values, given = {**_BLANK, **self.__dict__}, self.model_fields_set | {"id"}
        if self.created_by is None:
            values["created_by"] = system_user() if asked_by is None else asked_by
            given = given - {"created_by"} if asked_by is None else given | {"created_by"}
        if not (self.name and self.capability):
            values["capability"] = self.capability or str(self.task_type)
            values["name"] = self.name or values["capability"][:500]
            given |= {"name", "capability"}
        return Task.of_checked(values, given)


#: Every field of a task in its place, as one has it that was just asked for.
_BLANK: Mapping[str, Any] = {name: field.default for name, field in Task.model_fields.items()}


class TaskUpdateRequest(InputModel):
    """Changes to a stored task; a field that is not set stays as it is.

    Name, description, priority, deadline, metadata, the timeouts, max_retries, retry, max_total_tokens and
    output_schema change while the task is not terminal; input, execution_context, depends_on, trigger_rule,
    scheduled_at and expires_at only while no execution ran. ``timeout`` and ``heartbeat_timeout`` count from the next
    attempt on, everything else at once.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    description: Annotated[str, StringConstraints(max_length=100_000)] | None = None
    priority: TaskPriority | None = None
    deadline: Moment | None = None
    scheduled_at: Moment | None = None
    expires_at: Moment | None = None
    metadata: dict[str, JsonValue] | None = None
    timeout: Positive | None = None
    queue_timeout: Positive | None = None
    heartbeat_timeout: Positive | None = None
    total_timeout: Positive | None = None
    max_retries: Annotated[int, Field(ge=0, le=10_000)] | None = None
    retry: RetryRules | None = None
    max_total_tokens: Annotated[int, Field(ge=1, le=10**12)] | None = None
    output_schema: Annotated[dict[str, JsonValue] | None, BeforeValidator(schema_of)] = None
    input: dict[str, JsonValue] | None = None
    execution_context: dict[str, JsonValue] | None = None
    depends_on: set[UUID] | None = None
    trigger_rule: TriggerRule | None = None

    @model_serializer(mode="wrap")
    def _only_what_is_set(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """In JSON too, a field that is not set is not there: None would take the stored value away."""
        return {name: value for name, value in dump(self).items() if name in self.model_fields_set}


#: Changes of these need a task that never ran.
BEFORE_FIRST_RUN = frozenset(
    {"input", "execution_context", "depends_on", "trigger_rule", "scheduled_at", "expires_at"}
)


class TaskPage(list[Task]):
    """One page of a listing, newest first: a list with a cursor."""

    def __init__(self, tasks: Iterable[Task] = (), cursor: str | None = None) -> None:
        super().__init__(tasks)
        #: Pass it back for the next page; None on the last one.
        self.cursor = cursor
