"""What a decision about a step reads: found in the texts of its definition before anything is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from taskengine.core.once import once_each
from taskengine.core.refs import Reference, references, references_in, references_of
from taskengine.core.steps.plain import is_plain
from taskengine.core.steps.snapshot import StepSnapshot
from taskengine.models import (
    ApprovalStep,
    ConditionalStep,
    LoopStep,
    MapStep,
    ParallelStep,
    SequentialStep,
    SubWorkflowStep,
    TaskStep,
    WaitStep,
    WorkflowDefinition,
    WorkflowStep,
)

Part = WorkflowStep | WorkflowDefinition


def needs(step: Part, seen: StepSnapshot) -> tuple[Reference, ...]:
    """Return what the next decision about a step reads, each once; a step that is to end early reads nothing."""
    tolerated = step.tolerate if isinstance(step, MapStep) else 0
    if seen.is_over or ((seen.end_as or seen.ended_badly > tolerated) and seen.branch != "finally"):
        return ()
    return tuple(dict.fromkeys(_needs(step, seen)))


def _needs(step: Part, seen: StepSnapshot) -> Iterator[Reference]:
    if not seen.is_entered and isinstance(step, WorkflowStep):
        yield from to_enter(step)
    if isinstance(step, LoopStep) or (isinstance(step, WaitStep) and seen.is_entered):
        yield from _again(step)
    if not seen.is_entered or seen.put < seen.planned or isinstance(step, LoopStep):
        yield from _of_children(step)
    if seen.is_entered or _may_end_at_once(step):
        yield from references_in(dict(step.outputs))


@once_each
def to_enter(step: WorkflowStep) -> tuple[Reference, ...]:
    """Return what is read when a step is entered: whoever is read stands before it. A wait's own condition may come
    later.
    """
    return tuple(dict.fromkeys(_to_enter(step)))


def _to_enter(step: WorkflowStep) -> Iterator[Reference]:
    if step.when is not None:
        yield from references_of(step.when)
    match step:
        case TaskStep():
            yield from references_in(dict(step.task_template))
        case ConditionalStep():
            yield from references_of(step.condition)
        case LoopStep():
            yield from references_of(step.loop_condition)
        case MapStep():
            yield from _expression(step.items)
        case SubWorkflowStep():
            yield from references_in(dict(step.context))
        case WaitStep():
            yield from _again(step)
            yield from _expression(step.until)
        case ApprovalStep():
            yield from references_in(step.prompt)
        case _:
            return


def _again(step: LoopStep | WaitStep) -> Iterator[Reference]:
    condition = step.loop_condition if isinstance(step, LoopStep) else step.wait_condition
    if condition is not None:
        yield from references_of(condition)


def _expression(value: Any) -> Iterator[Reference]:
    """Yield an expression, or JSON whose texts hold some."""
    if isinstance(value, str):
        yield from references(value)
    elif isinstance(value, list):
        yield from references_in(value)


@once_each
def _of_children(step: Part) -> tuple[Reference, ...]:
    """Return what is put into the rows of children as they are made: values that never change."""
    read = (ref for body in _bodies(step) for ref in _templates(body) if ref.root not in ("steps", "variables"))
    return tuple(dict.fromkeys(read))


def _templates(steps: Iterable[WorkflowStep]) -> Iterator[Reference]:
    for step in steps:
        if is_plain(step):
            match step:
                case TaskStep():
                    yield from references_in(dict(step.task_template))
                case SequentialStep() | ParallelStep():
                    yield from _templates(step.sub_steps)


def _bodies(step: Part) -> Iterable[Iterable[WorkflowStep]]:
    match step:
        case WorkflowDefinition():
            return (step.steps, step.finally_steps)
        case SequentialStep() | ParallelStep():
            return (step.sub_steps,)
        case ConditionalStep():
            return (step.true_steps, step.false_steps)
        case LoopStep():
            return (step.loop_steps,)
        case MapStep():
            return (step.steps,)
        case _:
            return ()


def _may_end_at_once(step: Part) -> bool:
    """Return whether it may end in the decision that enters it, because nothing in it is to run."""
    return isinstance(step, WaitStep | ApprovalStep | ConditionalStep | LoopStep | MapStep)
