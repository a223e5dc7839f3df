"""What every step of a workflow has, and how lists of them are checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
)

from taskengine.errors import InvalidWorkflowError, WorkflowFault
from taskengine.models.condition import Condition
from taskengine.models.definition import Found, Part, did_you_mean, faulty, lines, shown
from taskengine.models.definition_types import Name, Templates
from taskengine.models.shorthands import FailOrContinue, Shorthands
from taskengine.models.siblings import bounds, sibling_faults
from taskengine.models.task import Positive


def _require_kind(schema: dict[str, Any], step: type[BaseModel]) -> None:
    """A step without ``kind`` is a task; in JSON Schema it could be any whose other fields are optional."""
    if step.model_fields["kind"].default != "task":
        schema["required"] = ["kind", *schema.get("required", [])]


class WorkflowStep(Part, Shorthands):
    """What every step has. Frozen; a wrong one raises InvalidWorkflowError with all its faults."""

    model_config = ConfigDict(json_schema_extra=_require_kind)

    #: Each kind's class.
    classes: ClassVar[dict[str, type[WorkflowStep]]] = {}
    #: Validates a step of any kind; set where all of them are known.
    any_step: ClassVar[TypeAdapter[WorkflowStep]]
    #: Fields that hold steps, in their order.
    bodies: ClassVar[tuple[str, ...]] = ()

    kind: str
    name: Name
    #: Where it does not hold, the step is skipped; None: it runs.
    when: Condition | None = None
    #: Names of siblings. None: the sibling before it (in a sequence) or nothing (in parallel); empty: at once.
    depends_on: tuple[Name, ...] | None = None
    #: What its failure does to the steps around it.
    on_failure: FailOrContinue = "fail"
    #: Variables that are set when it completed; ``output`` is its own.
    outputs: Templates = Field(default_factory=dict)
    #: Seconds for the step, with all that lies in it and all retries.
    timeout: Positive | None = None

    if TYPE_CHECKING:  # the class alone does not know the fields of its kinds

        def __init__(self, **fields: Any) -> None:
            """A step of the kind that *fields* name."""

    def __new__(cls, *_: Any, **fields: Any) -> Self:
        """Return an object of the class that ``kind`` names."""
        kind = fields.get("kind", "task")
        found = cls.classes.get(str(kind)) if cls is WorkflowStep else cls
        if found is None:
            raise InvalidWorkflowError("WorkflowStep", [WorkflowFault(("kind",), _unknown_kind(kind))])
        return super().__new__(found)  # type: ignore[return-value]  # of a class below this one

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Make the kind known."""
        WorkflowStep.classes[cls.model_fields["kind"].default] = cls

    @classmethod
    def _bounds(cls, given: Any) -> Iterator[Found]:
        return bounds(given)

    @classmethod
    def _checked(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if cls is WorkflowStep and not isinstance(value, WorkflowStep):
            return cls.any_step.validate_python(value)  # type: ignore[return-value]  # of a class below this one
        return super()._checked(value, handler)


def kind_of(step: Any) -> str:
    """Return the word that a step, or what shall become one, is of."""
    return str(step.get("kind", "task") if isinstance(step, Mapping) else getattr(step, "kind", "?"))


def _unknown_kind(kind: object) -> str:
    known = tuple(WorkflowStep.classes)
    return f"unknown kind {shown(kind)}; use one of {', '.join(known)}{did_you_mean(str(kind), known)}"


def one_step(value: Any, handler: ValidatorFunctionWrapHandler) -> WorkflowStep:
    """Return a step of any kind, without the tag that pydantic puts into the path of each of its faults."""
    if not isinstance(value, Mapping | WorkflowStep):
        raise ValueError(f"must be a step, not {shown(value)}")
    if (kind := kind_of(value)) not in WorkflowStep.classes:
        raise faulty("step", [(("kind",), _unknown_kind(kind))])
    try:
        made: WorkflowStep = handler(value)
    except ValidationError as exc:
        raise faulty("step", [(location[1:], says) for location, says in lines(exc)]) from exc
    return made


Scope = Callable[[Any, ValidatorFunctionWrapHandler], tuple[WorkflowStep, ...]]


def scope(*, in_parallel: bool = False, at_least_one: bool = True) -> Scope:
    """Return what validates a list of steps with the rules over all of them."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> tuple[WorkflowStep, ...]:
        found = list(sibling_faults(value, in_parallel=in_parallel)) if isinstance(value, list | tuple) else []
        if at_least_one and isinstance(value, list | tuple) and not value:
            found.append(((), "needs at least one step"))
        try:
            made: tuple[WorkflowStep, ...] = handler(value)
        except ValidationError as exc:
            raise faulty("steps", sorted([*lines(exc), *found], key=_place)) from exc
        if found:
            raise faulty("steps", found)
        return made

    return check


def _place(found: Found) -> int:
    first = found[0][0] if found[0] else -1
    return first if isinstance(first, int) else -1
