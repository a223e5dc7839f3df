"""What is wrong with a definition beyond its shape: expressions, references, patterns, schemas, and circles of
sub-workflows. All of it, each with its path; nothing is stored of a workflow that has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from taskengine.core import expressions
from taskengine.core.forms import answer_faults, schema_faults
from taskengine.core.mending import without
from taskengine.core.refs import STEP_FIELDS, Reference
from taskengine.core.schemas import found_in
from taskengine.core.step_index import Place, StepIndex
from taskengine.core.step_reads import StepExpression, conditions_in, expressions_in, roots_at
from taskengine.errors import ExpressionError, InvalidWorkflowError, WorkflowFault
from taskengine.models import (
    ApprovalStep,
    ConditionOperator,
    SubWorkflowStep,
    TaskStep,
    Workflow,
    WorkflowCondition,
    WorkflowDefinition,
    WorkflowStep,
)
from taskengine.models.definition import Location
from taskengine.models.definition_types import CHECK
from taskengine.models.siblings import bounds, find_cycle
from taskengine.models.task_template import holds_template
from taskengine.models.template_text import is_template

#: Sub-workflows inside each other.
MAX_SUB_WORKFLOWS = 16


def examine(fields: Mapping[str, Any]) -> tuple[Workflow | None, list[WorkflowFault]]:
    """Return the workflow with these fields, or None with every fault that was found."""
    try:
        made = Workflow.model_validate(_opened(fields), context=_READ)
    except InvalidWorkflowError as exc:
        return None, [*exc.faults, *_faults_of_the_rest(fields, exc.faults)]
    found = faults(made)
    return (None, found) if found else (made, [])


_READ = {CHECK: expressions.check}


def _faults_of_the_rest(fields: Mapping[str, Any], found: Iterable[WorkflowFault]) -> list[WorkflowFault]:
    """What else is wrong, with something harmless in the place of what was found to be wrong in itself."""
    if any(bounds(fields)):
        return []
    mended, lost = without([fault.location for fault in found], _opened(fields))
    try:
        rest = Workflow.model_validate(mended, context=_READ)
    except InvalidWorkflowError:
        return []
    return [WorkflowFault(location, says) for location, says in _faults(rest, lost=lost)]


def faults(definition: WorkflowDefinition) -> list[WorkflowFault]:
    """Return what is wrong with a definition whose shape is right; every workflow that starts is asked."""
    return [WorkflowFault(location, says) for location, says in _faults(definition)]


def refuse_faulty(definition: WorkflowDefinition) -> None:
    """InvalidWorkflowError with all faults of a definition, if it has one."""
    if found := faults(definition):
        raise InvalidWorkflowError(type(definition).__name__, found)


def context_faults(definition: WorkflowDefinition) -> list[WorkflowFault]:
    """Return how the context of a workflow differs from its ``input_schema``; asked when it starts."""
    if definition.input_schema is None or any(schema_faults(definition.input_schema)):
        return []
    return [WorkflowFault(("context",), says) for says in answer_faults(definition.input_schema, definition.context)]


def _opened(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same with plain data instead of steps, which would not be looked at again."""
    return {name: _plain(value) if "steps" in name else value for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, WorkflowStep):
        return value.model_dump(exclude_none=True)
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


Found = tuple[Location, str]


def _faults(
    definition: WorkflowDefinition, above: Location = (), lost: frozenset[str] = frozenset()
) -> Iterator[Found]:
    index = StepIndex(definition, lost)
    for place in index.places:
        for said in expressions_in(place.step):
            yield from _of_said(said, place, index, (*above, *place.location))
        yield from _of_step(place.step, (*above, *place.location))
    for name, template in definition.outputs.items():
        yield from _of_said(StepExpression(("outputs", name), template), None, index, above)
    if definition.input_schema is not None:
        yield from _below((*above, "input_schema"), schema_faults(definition.input_schema))
    yield from _never_runs(index, above)


def _below(location: Location, found: Iterable[Found]) -> Iterator[Found]:
    for inner, says in found:
        yield (*location, *inner), says


def _of_step(step: WorkflowStep, location: Location) -> Iterator[Found]:
    if isinstance(step, ApprovalStep) and step.form is not None:
        yield from _below((*location, "form"), schema_faults(step.form))
    if isinstance(step, TaskStep):
        wanted = step.task_template.get("output_schema")
        if isinstance(wanted, dict) and not holds_template(wanted):
            yield from _below((*location, "task_template", "output_schema"), found_in(wanted))
    if isinstance(step, SubWorkflowStep) and not isinstance(step.workflow, str):
        yield from _faults(step.workflow, (*location, "workflow"))


def _of_said(said: StepExpression, place: Place | None, index: StepIndex, step: Location) -> Iterator[Found]:
    location = (*step, *said.location)
    try:
        wanted = said.references()
        for source in said.sources():
            expressions.check(source)
    except ExpressionError as exc:
        yield location, f"{exc.expression:.60}: {exc.reason}"
        return
    there = roots_at(place) | said.besides
    for ref in wanted:
        if ref.root not in there:
            yield location, f"{ref}: there is no {ref.root} here{_where(ref.root)}"
        elif ref.root == "steps":
            yield from ((location, f"{ref}: {why}") for why in _of_reference(ref, place, index))
    if isinstance(said.what, WorkflowCondition):
        yield from ((location, why) for why in _patterns(said.what))


def _where(root: str) -> str:
    return {
        "item": "; it is in the steps of a map",
        "index": "; it is in the steps of a map",
        "iteration": "; it is in the steps of a loop",
        "output": "; it is in the outputs of a step",
        "input": "; it is in the other fields of a task",
        "results": "; in a workflow say steps.NAME.output",
    }.get(root, "")


def _of_reference(ref: Reference, place: Place | None, index: StepIndex) -> Iterator[str]:
    if index.lost.intersection(ref.step):
        return
    found = index.find(ref.step, place)
    if isinstance(found, str):
        step = index.find(ref.step[:1], place)
        instead = f"; of a step there are {', '.join(STEP_FIELDS)}" if not isinstance(step, str) else ""
        yield found + instead
    elif ref.field is None:
        yield f"say what of the step: {', '.join(STEP_FIELDS)}"


def _patterns(condition: WorkflowCondition) -> Iterator[str]:
    for each in conditions_in(condition):
        pattern = each.value
        if each.operator is ConditionOperator.MATCHES and isinstance(pattern, str) and not is_template(pattern):
            try:
                expressions.refuse_pattern(pattern)
            except ExpressionError as exc:
                yield exc.reason


def _never_runs(index: StepIndex, above: Location) -> Iterator[Found]:
    """Steps that read one which waits for them."""
    for scope in index.scopes():
        names = {place.step.name: place for place in scope}
        parents = {name: {*place.before} | _read_siblings(place, index, names) for name, place in names.items()}
        if cycle := find_cycle(parents):
            says = f"it never begins, by what it reads: {' -> '.join(cycle[:20])}; remove one of these references"
            yield (*above, *names[cycle[0]].location), says


def _read_siblings(place: Place, index: StepIndex, names: Mapping[str, Place]) -> set[str]:
    """Names of the siblings that a step, or one in it, reads a step of."""
    found: set[str] = set()
    for each in index.below(place):
        for said in expressions_in(each.step):
            with suppress(ExpressionError):
                for ref in said.references():
                    target = index.find(ref.step, each) if ref.step else ""
                    if isinstance(target, Place):
                        found |= {up.step.name for up in (target, *target.above) if names.get(up.step.name) is up}
    return found - {place.step.name}


def recursion(name: str, definitions: Callable[[str], WorkflowDefinition | None]) -> str | None:
    """Return why a registered workflow can never end: it holds itself on every way; None where it does not.

    A way that a ``when`` or a branch may leave is one that ends. *definitions* gives what a name means, None of one
    that nobody registered.
    """
    parents: dict[str, set[str]] = {}
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in parents:
            definition = definitions(each)
            parents[each] = set(_always_runs(definition)) if definition else set()
            waiting += parents[each]
    cycle = find_cycle(parents)
    return f"it holds itself without an end: {' -> '.join(cycle[:20])}" if cycle else None


def _always_runs(definition: WorkflowDefinition) -> Iterator[str]:
    """Names of the sub-workflows that every run of a definition begins."""
    for place in StepIndex(definition).places:
        if any(each.step.when is not None or each.step.kind in _MAY_LEAVE for each in (place, *place.above)):
            continue
        if isinstance(place.step, SubWorkflowStep):
            inner = place.step.workflow
            yield from [inner] if isinstance(inner, str) else _always_runs(inner)


#: Kinds of steps that may do nothing of what lies in them.
_MAY_LEAVE = frozenset({"conditional", "loop", "map"})
