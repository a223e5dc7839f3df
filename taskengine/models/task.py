"""The task: what a client asks for, and what the engine knows of it.

A record has two halves. *Request fields* are the client's; they alone make its content (hash, update). *State fields*
are the engine's: whatever a client puts there is ignored at submit.
"""

from __future__ import annotations

import getpass
from functools import lru_cache
from typing import Annotated, Any, Self
from uuid import UUID, uuid4

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from taskengine.errors import CircularDependencyError, InvalidInputError
from taskengine.models.base import InputModel, Moment
from taskengine.models.enums import TaskPriority, TaskStatus, TaskType, TriggerRule
from taskengine.models.question import Question

#: Queue names travel through Celery's ``-Q a,b`` and Redis keys: no comma, no space, no separator.
Capability = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,100}$")]
#: An agent's name; its queue is ``@name``.
AgentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,100}$")]
#: Bytes of an idempotency key.
LONGEST_KEY = 512


def _short(key: str) -> str:
    if len(key.encode(errors="replace")) > LONGEST_KEY:
        raise ValueError(f"is {len(key.encode(errors='replace'))} bytes; use 1 to {LONGEST_KEY}")
    return key


#: A client's name for what it submits, which it may send again.
IdempotencyKey = Annotated[str, StringConstraints(min_length=1), AfterValidator(_short)]
#: Seconds, up to 30 years: later moments would not fit into what the server's scripts can spell exactly.
Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
#: Who asked for a task.
Author = Annotated[str, StringConstraints(min_length=1, max_length=200)]


@lru_cache(maxsize=1)
def system_user() -> str:
    """Return who asks for a task where nobody says it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a passwd entry
        return "unknown"


class RetryRules(InputModel):
    """How long to wait before the next attempt, and what is not worth one. Defaults are Temporal's."""

    model_config = ConfigDict(frozen=True)

    #: Seconds before the first retry.
    initial_interval: Positive = 1.0
    #: Each further wait is this many times the one before.
    backoff_coefficient: Annotated[float, Field(ge=1, le=100)] = 2.0
    #: Seconds that no wait exceeds, before jitter.
    maximum_interval: Positive = 100.0
    #: Share of the wait that chance may take off, 0 to 1.
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.1
    #: Class names of errors (``ValueError`` or ``pkg.mod.Error``) that are not retried.
    non_retryable_errors: tuple[str, ...] = ()


_TO_STEPS = "give it to the tasks of its steps"
#: Fields that say how workers attempt a task, and what to do instead where a workflow is run.
_OF_ATTEMPTS = {
    "max_retries": _TO_STEPS, "retry": _TO_STEPS, "queue_timeout": _TO_STEPS, "heartbeat_timeout": _TO_STEPS,
    "total_timeout": "say timeout, which is for the whole workflow",
}  # fmt: skip


def schema_of(given: Any) -> Any:
    """Return the JSON Schema of a pydantic model class; anything else as it is."""
    return given.model_json_schema() if isinstance(given, type) and issubclass(given, BaseModel) else given


class RequestFields(InputModel):
    """What a client asks for; the other half of a :class:`Task` is the engine's."""

    id: UUID = Field(default_factory=uuid4)
    #: Defaults to the capability.
    name: Annotated[str, StringConstraints(max_length=500)] = ""
    description: Annotated[str, StringConstraints(max_length=100_000)] | None = None
    task_type: TaskType = TaskType.CUSTOM
    #: What a worker must offer: the name of its queue. Defaults to the task type.
    capability: Capability | None = None
    priority: TaskPriority = TaskPriority.NORMAL
    #: Defaults to the user of the system.
    created_by: Author | None = None
    #: Name of the only agent that may run it; None: any that offers the capability.
    assigned_to: AgentName | None = None
    #: Whether ``${…}`` in description and input stands for values of its input and of its dependencies' results; None
    #: leaves the description to the type of the agent that runs it (a prompt is a template), and the input as it is.
    template: bool | None = None
    depends_on: set[UUID] = Field(default_factory=set)
    #: When it starts, as a function of how its dependencies stand.
    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS
    #: The arguments of the agent.
    input: dict[str, JsonValue] = Field(default_factory=dict)
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    execution_context: dict[str, JsonValue] = Field(default_factory=dict)
    resource_requirements: dict[str, JsonValue] = Field(default_factory=dict)
    #: What its result must fit: JSON Schema, or a pydantic model class. One that does not fails as ``invalid_output``.
    output_schema: Annotated[dict[str, JsonValue] | None, BeforeValidator(schema_of)] = None
    #: Tokens of all kinds that all of its attempts together may use; at the limit it FAILS as ``limit``. None is no cap
    #: but that of its agent.
    max_total_tokens: Annotated[int, Field(ge=1, le=10**12)] | None = None
    #: Earlier deadlines start first inside one priority; nothing is cancelled by it.
    deadline: Moment | None = None
    #: Not before this time.
    scheduled_at: Moment | None = None
    #: Cancelled when its first attempt has not begun by then; one that runs goes on.
    expires_at: Moment | None = None
    #: Stays PENDING until ``execute_task``.
    hold: bool = False
    #: Seconds one attempt may take; None is the setting ``default_timeout``. A workflow that a task runs may take as
    #: long, and with None as long as it says itself.
    timeout: Positive | None = None
    #: Seconds it may be READY without a worker taking it; then it FAILED.
    queue_timeout: Positive | None = None
    #: Seconds an attempt may go without ``context.progress`` or ``context.log``, from its start on; then it is over as
    #: one that ran too long is. For agents that report.
    heartbeat_timeout: Positive | None = None
    #: Seconds all attempts may take together, from the start of the first one; no retry follows it or outlives it.
    total_timeout: Positive | None = None
    #: Failed attempts that are tried again; lost workers are not counted.
    max_retries: Annotated[int, Field(ge=0, le=10_000)] = 3
    retry: RetryRules | None = None
    #: Seconds this task is expected to take; orders equals by the longest remaining path.
    estimated_seconds: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = 1.0
    idempotency_key: IdempotencyKey | None = None

    def _names_workflow(self) -> bool:
        """Whether it asks for a registered workflow: of that type, for no other worker, and by name."""
        is_plain = self.task_type is TaskType.WORKFLOW and self.assigned_to is None
        is_own = self.capability in (None, TaskType.WORKFLOW.value)
        return is_plain and is_own and isinstance(self.input.get("workflow"), str)

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        refuse_attempts(self, also_defaults=False)
        if self._names_workflow() and self.trigger_rule is not TriggerRule.ALL_SUCCESS:
            raise InvalidInputError(
                f"trigger_rule is {self.trigger_rule}, but a task that runs a workflow starts when all before it "
                "completed; let a task with that rule stand before it",
                field="trigger_rule",
            )
        if self.id in self.depends_on:
            raise CircularDependencyError([self.name or str(self.id)] * 2)
        if self.expires_at and self.scheduled_at and self.expires_at <= self.scheduled_at:
            raise InvalidInputError(
                f"expires_at is {self.expires_at.isoformat()}, not after scheduled_at "
                f"{self.scheduled_at.isoformat()}: it could never start; let it expire later",
                field="expires_at",
            )
        return self


def refuse_attempts(task: RequestFields, *, also_defaults: bool = True) -> None:
    """Raise InvalidInputError for what a task that runs a workflow has no use for: no worker takes it, and nobody tries
    it again.

    *also_defaults*: also where it was given the default of others. A copy has them all for a moment.
    """
    if not task._names_workflow():
        return
    for name, instead in _OF_ATTEMPTS.items():
        value = getattr(task, name)
        is_given = name in task.model_fields_set and also_defaults
        if value not in (None, 0) and (is_given or value != type(task).model_fields[name].default):
            raise InvalidInputError(
                f"{name} is {value}, but no worker attempts a task that runs a workflow; {instead}", field=name
            )


class Task(RequestFields):
    """A unit of work; ``create_task`` submits it, and it runs when it is READY."""

    #: Defaults to the user of the system.
    created_by: Author = Field(default_factory=system_user)

    status: TaskStatus = TaskStatus.PENDING
    run_id: UUID | None = None
    #: Attempts begun so far, with lost ones.
    attempt: int = 0
    #: Retries spent so far.
    retry_count: int = 0
    lost_count: int = 0
    created_at: Moment | None = None
    ready_at: Moment | None = None
    started_at: Moment | None = None
    completed_at: Moment | None = None
    next_attempt_at: Moment | None = None
    #: Since when it is expected to miss its deadline, by what such tasks took before; None while it may meet it.
    deadline_at_risk_since: Moment | None = None
    error_message: str | None = None
    error_kind: str | None = None
    #: Why it is where it is: what a READY task lacks, why a CANCELLED one was cancelled.
    reason: str | None = None
    #: The dependency because of whose end it can never start.
    closed_by: UUID | None = None
    cancel_requested: bool = False
    #: Somebody paused it while it runs: it makes no further attempt.
    pause_requested: bool = False
    #: What its agent asks a person while it is PAUSED for that; answer it with ``api.answer(task_id, value)``.
    question: Question | None = None
    #: The latest execution.
    execution_id: UUID | None = None
    #: Output of the accepted execution; None unless COMPLETED. ``get_task`` and ``wait`` bring it, listings do not.
    result: dict[str, JsonValue] | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, data: Any) -> Any:
        if isinstance(data, dict) and not (data.get("name") and data.get("capability")):
            kind = data.get("task_type", TaskType.CUSTOM)
            capability = data.get("capability") or str(kind)
            data = {**data, "capability": capability, "name": data.get("name") or str(capability)[:500]}
        return data

    @property
    def runs_workflow(self) -> bool:
        """Whether it runs the registered workflow that its input names, and waits for it without a slot."""
        return self._names_workflow()

    @property
    def queue(self) -> str:
        """The queue it waits in: its capability, ``@agent`` when it is pinned; no worker's when it runs a workflow."""
        if self.runs_workflow:
            return "%w"
        return f"@{self.assigned_to}" if self.assigned_to else str(self.capability)

    def can_retry(self) -> bool:
        """Return whether a failed attempt would be tried again."""
        return self.retry_count < self.max_retries

    def increment_retry(self) -> None:
        """Count one retry on this copy; the engine counts its own record."""
        self.retry_count += 1

    def add_dependency(self, task_id: UUID) -> None:
        """Add a dependency to this copy before it is submitted; ``TaskAPI.add_dependency`` changes a stored one."""
        if task_id == self.id:
            raise CircularDependencyError([self.name, self.name])
        self.depends_on = self.depends_on | {task_id}


#: Fields that the engine keeps; everything else of a Task is the client's.
STATE_FIELDS = frozenset(Task.model_fields) - frozenset(RequestFields.model_fields)
