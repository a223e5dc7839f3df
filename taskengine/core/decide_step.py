"""What follows for a step of a workflow from what happened, without I/O.

The same contract as :func:`taskengine.core.decide.decide`: asked twice, late, or about a step that has moved on it
answers :class:`~taskengine.core.instructions.Nothing`. What is common to all kinds is here; the rest is in the module
of the kind in :mod:`taskengine.core.steps`.
"""

from __future__ import annotations

from typing import TypeAlias, assert_never

from pydantic import JsonValue

from taskengine.core.conditions import holds
from taskengine.core.decide import Stimulus
from taskengine.core.instructions import EndChildren, EndStep, Nothing, RetryScope, StepInstruction
from taskengine.core.steps import approval, conditional, ending, failures, group, loop, root, task, wait
from taskengine.core.steps import map as map_step
from taskengine.core.steps.paths import FINALLY
from taskengine.core.steps.plan import Children
from taskengine.core.steps.snapshot import StepSnapshot, StepStimulus
from taskengine.core.steps.templates import Author
from taskengine.errors import ExpressionError, InvalidInputError
from taskengine.models import (
    ApprovalStep,
    ConditionalStep,
    LoopStep,
    MapStep,
    ParallelStep,
    SequentialStep,
    TaskStep,
    WaitStep,
    WorkflowDefinition,
    WorkflowStep,
)

#: A step's part of the definition, or the whole of it.
Part: TypeAlias = WorkflowStep | WorkflowDefinition
#: What is entered by putting all its children. Of the other kinds a loop does so turn by turn, a wait and an approval
#: have none, and a sub_workflow is asked as the definition that it runs.
_Parent: TypeAlias = WorkflowDefinition | TaskStep | SequentialStep | ParallelStep | ConditionalStep | MapStep


def decide_step(
    seen: StepSnapshot, step: Part, stimulus: Stimulus | StepStimulus, author: Author, output: JsonValue = None
) -> StepInstruction:
    """Return what to do about the step of *seen*, which is *step* in its definition.

    *output* is what its children came to, where its ``outputs`` read it.
    """
    try:
        return _decided(seen, step, stimulus, author, output)
    except ExpressionError as exc:
        return failures.broken(step, seen, str(exc), "expression")
    except InvalidInputError as exc:
        return failures.broken(step, seen, str(exc), "invalid_template")


def _decided(
    seen: StepSnapshot, step: Part, stimulus: Stimulus | StepStimulus, author: Author, output: JsonValue
) -> StepInstruction:
    if stimulus is StepStimulus.OLD_TURNS and isinstance(step, LoopStep):
        return loop.old_turns(step, seen)
    if seen.is_retrying:
        return RetryScope()
    if seen.is_over:
        return Nothing(f"it is {seen.status}")
    if isinstance(step, WorkflowDefinition) and seen.branch == root.LAST:
        return _last(seen, step)
    if seen.end_as:
        made = failures.closing(seen, step)
        is_end = isinstance(made, EndStep) and isinstance(step, WorkflowDefinition) and root.wants_last(step, seen)
        return root.last(seen) if is_end else made
    if stimulus is StepStimulus.CLOSE:
        return EndChildren(failures.CANCELLED, seen.cancel or "the step around it ended")
    if seen.ended_badly:
        after = map_step.after_failure(step, seen) if isinstance(step, MapStep) else failures.after_failure(seen, step)
        if after is not None:
            return after
    if isinstance(step, WaitStep | ApprovalStep):
        return _waiting(seen, step, stimulus)
    if stimulus is StepStimulus.TIMEOUT and seen.is_entered:
        return failures.out_of_time(step, seen)
    return _with_children(seen, step, stimulus, author, output)


def _last(seen: StepSnapshot, step: WorkflowDefinition) -> StepInstruction:
    """Return what follows while the ``finally_steps`` run, and once they are over."""
    if seen.waiting:
        return Nothing("their end asks again")
    failure = seen.child if seen.child is not None and seen.child.path.split("/")[-1].startswith(FINALLY) else None
    return root.after_last(step, seen, failure)


def _waiting(seen: StepSnapshot, step: WaitStep | ApprovalStep, stimulus: Stimulus | StepStimulus) -> StepInstruction:
    if not seen.is_entered:
        if _is_skipped(seen, step):
            return ending.skipped()
        return wait.enter(step, seen) if isinstance(step, WaitStep) else approval.enter(step, seen)
    return wait.after(step, seen, stimulus) if isinstance(step, WaitStep) else approval.after(step, seen, stimulus)


def _with_children(
    seen: StepSnapshot, step: Part, stimulus: Stimulus | StepStimulus, author: Author, output: JsonValue
) -> StepInstruction:
    if not seen.is_entered and _is_skipped(seen, step):
        return ending.skipped()
    if isinstance(step, LoopStep):
        if seen.waiting and seen.put == seen.planned:
            return Nothing("the end of its turn asks again")
        made = loop.next_turn(step, seen, author, output, is_due=loop.is_due(stimulus))
        return made.next_piece(seen.put) if isinstance(made, Children) else made
    if isinstance(step, MapStep) and not seen.is_entered and not seen.turns:
        return ending.completed(step, seen.bindings, [])
    if not seen.is_entered or seen.put < seen.planned:
        assert isinstance(step, _Parent)
        found = _children(seen, step, author)
        return found.next_piece(seen.put) if isinstance(found, Children) else found
    if seen.waiting:
        return Nothing("the end of its last child asks again")
    if isinstance(step, WorkflowDefinition):
        return root.last(seen) if root.wants_last(step, seen) else root.completed(step, seen)
    return ending.completed(step, seen.bindings, output=output)


def _is_skipped(seen: StepSnapshot, step: Part) -> bool:
    return isinstance(step, WorkflowStep) and step.when is not None and not holds(step.when, seen.bindings)


def _children(seen: StepSnapshot, step: _Parent, author: Author) -> Children | StepInstruction:
    match step:
        case WorkflowDefinition():
            return root.children(step, seen, author)
        case TaskStep():
            return task.children(step, seen)
        case SequentialStep() | ParallelStep():
            return group.children(step, seen, author)
        case ConditionalStep():
            return conditional.enter(step, seen, author)
        case MapStep():
            return map_step.children(step, seen, author)
        case _:
            assert_never(step)
