"""The steps of a workflow, one class a kind.

``WorkflowStep(name="deploy", task_template={…})`` makes the class that its *kind* names (default ``task``), so code
that builds workflows needs this one name. Names are unique among siblings only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    PlainValidator,
    StringConstraints,
    Tag,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import to_json

from taskengine.models.base import Moment
from taskengine.models.condition import Condition
from taskengine.models.definition import Found, Part, faulty, lines, plain
from taskengine.models.definition_types import (
    ExpressionText,
    JsonObject,
    Seconds,
    SignalName,
    TemplateJson,
    Templates,
    TemplateText,
    Variables,
)
from taskengine.models.enums import TaskPriority
from taskengine.models.shorthands import FailOrContinue
from taskengine.models.siblings import bounds
from taskengine.models.step import WorkflowStep, kind_of, one_step, scope
from taskengine.models.task import Author, Positive
from taskengine.models.task_template import TaskTemplate

#: Turns that a loop may be allowed.
MAX_TURNS = 100_000
#: Items of a map where they are written out; the setting ``max_map_items`` bounds what an expression gives.
MAX_ITEMS = 10_000
#: Bytes of a definition as canonical JSON.
MAX_BYTES = 1024 * 1024


class TaskStep(WorkflowStep):
    """One task; it retries by its own ``max_retries``."""

    kind: Literal["task"] = "task"
    task_template: TaskTemplate


class ParallelStep(WorkflowStep):
    """Steps that wait for no other unless they say so."""

    bodies: ClassVar = ("sub_steps",)
    kind: Literal["parallel"] = "parallel"
    sub_steps: ParallelSteps
    #: Whether the first failure ends the others, or all of them are waited for.
    mode: Literal["fail_fast", "wait_all"] = "fail_fast"


class SequentialStep(WorkflowStep):
    """Steps one after the other."""

    bodies: ClassVar = ("sub_steps",)
    kind: Literal["sequential"] = "sequential"
    sub_steps: Steps


class ConditionalStep(WorkflowStep):
    """One of two sequences; an empty one does nothing."""

    bodies: ClassVar = ("true_steps", "false_steps")
    kind: Literal["conditional"] = "conditional"
    condition: Condition
    true_steps: OptionalSteps = ()
    false_steps: OptionalSteps = ()

    @classmethod
    def _rules(cls, given: Mapping[str, Any]) -> Iterator[Found]:
        yield from super()._rules(given)
        if not given.get("true_steps") and not given.get("false_steps"):
            yield (), "has neither true_steps nor false_steps; give one of them"


class LoopStep(WorkflowStep):
    """A sequence again and again while a condition holds, which is asked before each turn."""

    bodies: ClassVar = ("loop_steps",)
    kind: Literal["loop"] = "loop"
    loop_condition: Condition
    loop_steps: Steps
    #: Turns after which it ends whatever the condition says.
    max_iterations: Annotated[int, Field(ge=1, le=MAX_TURNS)]
    #: What it means that the condition still held then.
    at_limit: Literal["fail", "complete"] = "fail"
    #: Seconds between two turns.
    interval: Seconds = 0.0
    #: Turns whose tasks are kept; older ones are erased, some together.
    keep: Annotated[int, Field(ge=1, le=1000)] = 20


def _until(value: Any, info: ValidationInfo) -> datetime | str:
    is_expression = isinstance(value, str) and not _DATE.match(value)
    made: datetime | str = _validated(_EXPRESSION if is_expression else _MOMENT, value, info)
    return made


def _validated(adapter: TypeAdapter[Any], value: Any, info: ValidationInfo) -> Any:
    """Return a value of one of several types, with the faults of that type alone."""
    try:
        return adapter.validate_python(value, context=info.context)
    except ValidationError as exc:
        raise faulty("value", lines(exc)) from exc


_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EXPRESSION = TypeAdapter[str](ExpressionText)
_MOMENT = TypeAdapter[datetime](Moment)
#: A moment, or an expression that comes to one.
Until = Annotated[datetime | str, PlainValidator(_until, json_schema_input_type=str)]


class WaitStep(WorkflowStep):
    """Time, a moment, a condition or a signal; no slot is held."""

    kind: Literal["wait"] = "wait"
    wait_seconds: Seconds | None = None
    #: A moment, or an expression that comes to one.
    until: Until | None = None
    wait_condition: Condition | None = None
    #: The name of a signal; its payload is the output.
    signal: SignalName | None = None
    #: What it means that ``timeout`` came first.
    on_timeout: FailOrContinue = "fail"

    @classmethod
    def _rules(cls, given: Mapping[str, Any]) -> Iterator[Found]:
        yield from super()._rules(given)
        forms = [form for form in WAIT_FORMS if given.get(form) is not None]
        if len(forms) != 1:
            says = f"has {' and '.join(forms)}" if forms else "waits for nothing"
            yield (), f"{says}; give one of {', '.join(WAIT_FORMS)}"


#: What a wait step may wait for.
WAIT_FORMS = ("wait_seconds", "until", "wait_condition", "signal")


def _items(value: Any, info: ValidationInfo) -> list[JsonValue] | str:
    made: list[JsonValue] | str = _validated(_EXPRESSION if isinstance(value, str) else _LIST, value, info)
    return made


_LIST = TypeAdapter[list[JsonValue]](Annotated[list[TemplateJson], Field(max_length=MAX_ITEMS)])
#: A list, whose texts may hold ``${…}``, or an expression that comes to one.
Items = Annotated[list[JsonValue] | str, PlainValidator(_items, json_schema_input_type=list[JsonValue] | str)]


class MapStep(WorkflowStep):
    """A sequence for each item of a list; ``item`` and ``index`` are bound in it."""

    bodies: ClassVar = ("steps",)
    kind: Literal["map"] = "map"
    #: The list, or an expression that comes to one.
    items: Items
    steps: Steps
    #: Items at once; None: all.
    max_parallel: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    #: Failed items that do not fail the step.
    tolerate: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    #: An expression that names an item for people.
    label: ExpressionText | None = None


class SubWorkflowStep(WorkflowStep):
    """Another workflow with its own variables, as one step."""

    kind: Literal["sub_workflow"] = "sub_workflow"
    #: The name of a registered one, or a definition.
    workflow: Inline
    #: What it gets as its context.
    context: Templates = Field(default_factory=dict)


class ApprovalStep(WorkflowStep):
    """Somebody's word; its output is ``{approved, by, at}`` with what the form asks for."""

    kind: Literal["approval"] = "approval"
    prompt: Annotated[TemplateText, StringConstraints(min_length=1, max_length=10_000)]
    #: JSON Schema of what is asked for; None: nothing but the word.
    form: JsonObject | None = None
    #: Who may say it; empty: anybody.
    approvers: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...], Field(max_length=1000)
    ] = ()
    on_timeout: FailOrContinue = "fail"
    on_reject: FailOrContinue = "fail"


#: A workflow's name, of which the registry knows some.
WorkflowName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]
#: A step of any kind, as ``kind`` names it (default: ``task``).
AnyStep = Annotated[
    Annotated[TaskStep, Tag("task")]
    | Annotated[ParallelStep, Tag("parallel")]
    | Annotated[SequentialStep, Tag("sequential")]
    | Annotated[ConditionalStep, Tag("conditional")]
    | Annotated[LoopStep, Tag("loop")]
    | Annotated[WaitStep, Tag("wait")]
    | Annotated[MapStep, Tag("map")]
    | Annotated[SubWorkflowStep, Tag("sub_workflow")]
    | Annotated[ApprovalStep, Tag("approval")],
    Discriminator(kind_of),
    WrapValidator(one_step),
]
_SEVERAL = Annotated[tuple[AnyStep, ...], Field(min_length=1)]
#: Steps one after the other, at least one.
Steps = Annotated[tuple[AnyStep, ...], WrapValidator(scope(), json_schema_input_type=_SEVERAL)]
#: The same side by side.
ParallelSteps = Annotated[tuple[AnyStep, ...], WrapValidator(scope(in_parallel=True), json_schema_input_type=_SEVERAL)]
#: Steps one after the other, if any.
OptionalSteps = Annotated[tuple[AnyStep, ...], WrapValidator(scope(at_least_one=False))]


class WorkflowDefinition(Part):
    """What an author writes: the client's half of a :class:`~taskengine.models.Workflow`."""

    #: For people, and for the registry; not unique.
    name: WorkflowName
    description: Annotated[str, StringConstraints(max_length=100_000)] | None = None
    #: One after the other unless they say otherwise by ``depends_on``.
    steps: Steps
    #: What it works on; it never changes.
    context: Variables = Field(default_factory=dict)
    #: What steps and clients change, as it begins.
    variables: Variables = Field(default_factory=dict)
    #: What it comes to when it completed.
    outputs: Templates = Field(default_factory=dict)
    #: They run at its end, however it ended.
    finally_steps: OptionalSteps = ()
    #: Seconds from its start to its end.
    timeout: Positive | None = None
    #: Of its tasks, unless they say otherwise.
    priority: TaskPriority = TaskPriority.NORMAL
    #: Of its tasks, unless they say otherwise; nothing is cancelled by it.
    deadline: Moment | None = None
    #: Who wrote or started it; None: the user of the system.
    created_by: Author | None = None
    metadata: JsonObject = Field(default_factory=dict)
    #: JSON Schema of its context.
    input_schema: JsonObject | None = None

    @classmethod
    def _bounds(cls, given: Any) -> Iterator[Found]:
        return bounds(given)

    def _whole(self) -> Iterator[Found]:
        if (size := len(self.definition_json())) > MAX_BYTES:
            yield (), f"is {size} bytes as JSON, the limit is {MAX_BYTES}; move what is large into files or steps"

    def definition_json(self) -> bytes:
        """Return the definition as canonical JSON: keys sorted; defaults are written out, but for what is None, zero or
        empty.

        Equal definitions have equal bytes. Defaults are in it, so a later version of the library cannot change it.
        """
        return to_json(plain(self, WorkflowDefinition))

    def digest(self) -> str:
        """SHA-256 of :meth:`definition_json`, in hexadecimal."""
        return digest_of(self.definition_json())


def digest_of(definition_json: bytes) -> str:
    """Return the digest of a definition of which the canonical JSON is at hand."""
    return sha256(definition_json).hexdigest()


def _inline(value: Any, handler: ValidatorFunctionWrapHandler) -> str | WorkflowDefinition:
    try:
        made: str | WorkflowDefinition = handler(value)
    except ValidationError as exc:
        raise faulty("workflow", [(location[1:], says) for location, says in lines(exc)]) from exc
    return made if isinstance(made, str) else _bare(made)


def _bare(made: WorkflowDefinition) -> WorkflowDefinition:
    """Without the state that a Workflow has besides."""
    if type(made) is WorkflowDefinition:
        return made
    return WorkflowDefinition.model_construct(**{name: getattr(made, name) for name in WorkflowDefinition.model_fields})


def _form_of(value: Any) -> str:
    return "name" if isinstance(value, str) else "inline"


#: The name of a workflow, or a definition where it is used.
Inline = Annotated[
    Annotated[WorkflowName, Tag("name")] | Annotated[WorkflowDefinition, Tag("inline")],
    Discriminator(_form_of),
    WrapValidator(_inline),
]
WorkflowStep.any_step = TypeAdapter[WorkflowStep](AnyStep, config=ConfigDict(defer_build=True))
