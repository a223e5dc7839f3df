"""Where a step says something that is read when it runs: its expressions, templates and conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from taskengine.core.refs import Reference, references, references_in, references_of, sources_in
from taskengine.core.step_index import Place
from taskengine.models import (
    ApprovalStep,
    ConditionalStep,
    LoopStep,
    MapStep,
    SubWorkflowStep,
    TaskStep,
    WaitStep,
    WorkflowCondition,
    WorkflowStep,
)
from taskengine.models.definition import Location

_ALWAYS = frozenset({"context", "variables", "steps", "workflow"})


@dataclass(frozen=True, slots=True)
class StepExpression:
    """One expression, template or condition."""

    #: From its step down.
    location: Location
    what: WorkflowCondition | JsonValue
    #: Roots that are there besides those of the place.
    besides: frozenset[str] = frozenset()
    #: Whether a text is an expression as it is.
    is_expression: bool = False

    def references(self) -> tuple[Reference, ...]:
        """Return what it reads; ExpressionError where that cannot be said."""
        if isinstance(self.what, WorkflowCondition):
            return references_of(self.what)
        return references(str(self.what)) if self.is_expression else references_in(self.what)

    def sources(self) -> Iterator[str]:
        """Yield its expressions."""
        if isinstance(self.what, WorkflowCondition):
            for condition in conditions_in(self.what):
                yield from [condition.expression] if condition.expression is not None else sources_in(condition.value)
        else:
            yield from [str(self.what)] if self.is_expression else sources_in(self.what)


def conditions_in(condition: WorkflowCondition) -> Iterator[WorkflowCondition]:
    """Yield a condition and all that lie in it."""
    yield condition
    for inner in (*(condition.all_of or ()), *(condition.any_of or ()), *filter(None, [condition.not_])):
        yield from conditions_in(inner)


def expressions_in(step: WorkflowStep) -> Iterator[StepExpression]:
    """Everything that a step says, without the steps in it."""
    if step.when is not None:
        yield StepExpression(("when",), step.when)
    for name, template in step.outputs.items():
        yield StepExpression(("outputs", name), template, frozenset({"output"}))
    match step:
        case TaskStep():
            for name, template in step.task_template.items():
                yield StepExpression(("task_template", name), template, frozenset({"input"} if name != "input" else ()))
        case ConditionalStep():
            yield StepExpression(("condition",), step.condition)
        case LoopStep():
            yield StepExpression(("loop_condition",), step.loop_condition, frozenset({"iteration"}))
        case WaitStep():
            yield from _of_wait(step)
        case MapStep():
            yield from _of_map(step)
        case SubWorkflowStep():
            for name, template in step.context.items():
                yield StepExpression(("context", name), template)
        case ApprovalStep():
            yield StepExpression(("prompt",), step.prompt)


def _of_wait(step: WaitStep) -> Iterator[StepExpression]:
    if step.wait_condition is not None:
        yield StepExpression(("wait_condition",), step.wait_condition)
    if isinstance(step.until, str):
        yield StepExpression(("until",), step.until, is_expression=True)


def _of_map(step: MapStep) -> Iterator[StepExpression]:
    yield StepExpression(("items",), step.items, is_expression=isinstance(step.items, str))
    if step.label is not None:
        yield StepExpression(("label",), step.label, frozenset({"item", "index"}), is_expression=True)


def roots_at(place: Place | None) -> frozenset[str]:
    """Return what expressions at a place may begin with."""
    kinds = {above.step.kind for above in place.above} if place else set()
    items = {"item", "index"} if "map" in kinds else set()
    return _ALWAYS | items | ({"iteration"} if "loop" in kinds else set())
