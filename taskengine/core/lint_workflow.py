"""What is allowed in a workflow's definition and probably not meant. Whether it is, only its author knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from taskengine.core.refs import Reference, field_path
from taskengine.core.step_index import Place, StepIndex
from taskengine.core.step_reads import StepExpression, conditions_in, expressions_in
from taskengine.core.workflow_faults import faults
from taskengine.errors import ExpressionError, WorkflowFault
from taskengine.models import (
    ApprovalStep,
    ConditionalStep,
    LoopStep,
    MapStep,
    ParallelStep,
    SubWorkflowStep,
    WaitStep,
    WorkflowCondition,
    WorkflowDefinition,
)
from taskengine.models.condition import UNARY
from taskengine.models.definition import Location

#: Items from which on a map without ``max_parallel`` is a flood.
MANY_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class LintWarning:
    """Something that somebody should look at."""

    #: invalid, unset-field, unset-variable, stuck-loop, may-be-skipped, no-timeout, constant-condition, set-twice or
    #: flood.
    rule: str
    fault: WorkflowFault

    def __str__(self) -> str:
        return f"{self.fault} [{self.rule}]"


Found = tuple[str, Location, str]


def lint(definition: WorkflowDefinition) -> list[LintWarning]:
    """Doubts about a definition, in its order; what is plainly wrong comes first, as ``invalid``."""
    wrong = [LintWarning("invalid", fault) for fault in faults(definition)]
    return wrong + [
        LintWarning(rule, WorkflowFault(location, says)) for rule, location, says in _doubts(definition, ())
    ]


def _doubts(definition: WorkflowDefinition, above: Location) -> Iterator[Found]:
    index = StepIndex(definition)
    known = _Known(definition, index)
    for place in index.places:
        location = (*above, *place.location)
        for rule in _RULES:
            yield from ((name, (*location, *inner), says) for name, inner, says in rule(place, known))
        if isinstance(place.step, SubWorkflowStep) and not isinstance(place.step.workflow, str):
            yield from _doubts(place.step.workflow, (*location, "workflow"))


class _Known:
    """What a definition sets, and its steps."""

    def __init__(self, definition: WorkflowDefinition, index: StepIndex) -> None:
        self.index = index
        properties = (definition.input_schema or {}).get("properties")
        self.context = {*definition.context, *(properties if isinstance(properties, dict) else ())}
        self.variables = {*definition.variables}.union(*(place.step.outputs for place in index.places))


def _references(said: StepExpression) -> tuple[Reference, ...]:
    with suppress(ExpressionError):
        return said.references()
    return ()


def _unset(place: Place, known: _Known) -> Iterator[Found]:
    """Yield a name that nothing in the definition sets; a client may do so, or the output of the step before has it."""
    for said in expressions_in(place.step):
        bare = set(_bare_fields(said))
        for name in sorted(bare - known.variables - known.context):
            yield (
                "unset-field", said.location,
                f"nobody sets {name!r}: not variables, not context, not the outputs of a step; begin with "
                f"variables={{{name!r}: …}}, give the step that knows it outputs={{{name!r}: …}}, or rely on a "
                "client that sets it while it runs, or on the output of the step before",
            )  # fmt: skip
        for ref in _references(said):
            name = str(ref.path[0]) if ref.path else ""
            if ref.root in ("variables", "context") and name and name not in bare and not ref.is_asked:
                there = known.variables if ref.root == "variables" else known.context
                if name not in there:
                    yield "unset-variable", said.location, f"nobody sets {ref.root}.{name}"


def _bare_fields(said: StepExpression) -> Iterator[str]:
    """Names that the conditions of something said look for in several places."""
    if isinstance(said.what, WorkflowCondition):
        for condition in conditions_in(said.what):
            if condition.field is not None and condition.operator not in UNARY:
                first = str(field_path(condition.field)[0])
                if Reference("variables", field_path(condition.field)) in said.references():
                    yield first


def _stuck(place: Place, known: _Known) -> Iterator[Found]:
    """Yield a loop whose condition cannot change while it turns."""
    if not isinstance(place.step, LoopStep):
        return
    body = [inner for inner in known.index.below(place) if inner is not place]
    set_inside = {name for inner in body for name in inner.step.outputs}
    for ref in _references(StepExpression((), place.step.loop_condition)):
        is_set = ref.root == "variables" and ref.path and ref.path[0] in set_inside
        if is_set or ref.root == "iteration":
            return
    yield (
        "stuck-loop", ("loop_condition",),
        "nothing in the loop changes what its condition reads: it runs "
        f"{place.step.max_iterations} turns or none; give a step of it outputs={{…}}, or read iteration",
    )  # fmt: skip


def _skipped(place: Place, known: _Known) -> Iterator[Found]:
    """Yield a read of a step that may have no output, without ``has``."""
    for said in expressions_in(place.step):
        asked = {ref.path[: len(ref.step)] for ref in _references(said) if ref.is_asked}
        for ref in _references(said):
            found = known.index.find(ref.step, place) if ref.step and ref.field == "output" else ""
            if not isinstance(found, Place) or ref.is_asked or ref.path[: len(ref.step)] in asked:
                continue
            if why := _may_lack_output(found, place):
                says = f"{ref}: {found.path!r} {why}, and has no output then; ask has(…) or its status first"
                yield "may-be-skipped", said.location, says


def _may_lack_output(found: Place, reader: Place) -> str | None:
    around = {id(each) for each in (reader, *reader.above)}
    for each in (found, *found.above):
        if id(each) in around:
            return None
        if each.step.when is not None:
            return "may be skipped" if each is found else f"lies in {each.path!r}, which may be skipped"
        if each.step.on_failure == "continue":
            return "may fail" if each is found else f"lies in {each.path!r}, which may fail"
        branch = each.parent if each.parent is not None and isinstance(each.parent.step, ConditionalStep) else None
        if branch is not None and id(branch) not in around:
            return f"lies in a branch of {branch.path!r}, which may not be taken"
    return None


def _endless(place: Place, _: _Known) -> Iterator[Found]:
    step = place.step
    waits = isinstance(step, ApprovalStep) or (isinstance(step, WaitStep) and bool(step.wait_condition or step.signal))
    if waits and step.timeout is None and all(each.step.timeout is None for each in place.above):
        yield "no-timeout", (), "waits without an end if nobody answers; give it a timeout (seconds)"


def _constant(place: Place, _: _Known) -> Iterator[Found]:
    for said in expressions_in(place.step):
        if isinstance(said.what, WorkflowCondition) and not _references(said):
            yield "constant-condition", said.location, "reads nothing, so it always comes to the same"


def _set_twice(place: Place, known: _Known) -> Iterator[Found]:
    """Yield a variable that two steps set at the same time: the later one wins, whichever that is."""
    if not isinstance(place.step, ParallelStep):
        return
    first: dict[str, Place] = {}
    for branch in known.index.inside(place):
        for name in {name for each in known.index.below(branch) for name in each.step.outputs}:
            other = first.setdefault(name, branch)
            if other is not branch and other.step.name not in branch.before:
                says = f"{other.step.name!r} and {branch.step.name!r} both set {name!r}, and either may be the later"
                yield "set-twice", (), says


def _flood(place: Place, _: _Known) -> Iterator[Found]:
    step = place.step
    if not isinstance(step, MapStep) or step.max_parallel is not None or isinstance(step.items, str):
        return
    if len(step.items) > MANY_ITEMS:
        yield "flood", ("items",), f"{len(step.items)} items at once; give max_parallel"


_RULES: tuple[Callable[[Place, _Known], Iterator[Found]], ...] = (
    _unset, _stuck, _skipped, _endless, _constant, _set_twice, _flood
)  # fmt: skip
