"""What follows for a step of a workflow from what happened, without I/O.

The same contract as :func:`taskengine.core.decide.decide`: asked twice, late, or about a step that has moved on it
answers :class:`~taskengine.core.instructions.Nothing`. What is common to all kinds is here; the rest is in the module
of the kind in :mod:`taskengine.core.steps`.
"""

from __future__ import annotations

from taskengine.core.decide import Stimulus
from taskengine.core.instructions import CloseScope, Nothing, StepInstruction
from taskengine.core.steps import ending, failures, group, root, task
from taskengine.core.steps.plan import Children
from taskengine.core.steps.snapshot import StepSnapshot, StepStimulus
from taskengine.models import ParallelStep, SequentialStep, TaskStep, WorkflowDefinition, WorkflowStep

#: A step's part of the definition, or the whole of it.
Part = WorkflowStep | WorkflowDefinition


def decide_step(seen: StepSnapshot, step: Part, stimulus: Stimulus | StepStimulus) -> StepInstruction:
    """What to do about the step of *seen*, which is *step* in its definition."""
    if seen.is_over:
        return Nothing(f"it is {seen.status}")
    if seen.fate:
        return failures.closing(seen, step)
    if stimulus is StepStimulus.CLOSE:
        return CloseScope(failures.CANCELLED, seen.reason or "the step around it ended")
    if seen.ended_badly:
        return failures.after_failure(seen, step)
    if not seen.is_entered or seen.put < seen.planned:
        return _children(seen, step).next_piece(seen.put)
    if seen.waiting:
        return Nothing("the end of its last child asks again")
    return ending.completed()


def _children(seen: StepSnapshot, step: Part) -> Children:
    match step:
        case WorkflowDefinition():
            return root.children(step)
        case TaskStep():
            return task.children(step, seen)
        case SequentialStep() | ParallelStep():
            return group.children(step, seen)
        case _:
            raise NotImplementedError(f"steps of kind {step.kind}")
