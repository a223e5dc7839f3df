"""How a step ends in which something failed: its other children end first, then it does as its definition says."""

from __future__ import annotations

from taskengine.core.instructions import CloseScope, EndStep, Nothing, StepInstruction
from taskengine.core.lifecycle import CALLED_OFF
from taskengine.core.steps.snapshot import Child, StepSnapshot
from taskengine.models import ParallelStep, WorkflowDefinition, WorkflowStep
from taskengine.models.enums import TaskStatus

FAILED, CANCELLED = "failed", "cancelled"


def after_failure(seen: StepSnapshot, step: WorkflowStep | WorkflowDefinition) -> StepInstruction:
    """A child did not complete: the others are to end, unless the step waits for all of them."""
    error, kind, culprit = blame(seen.child)
    if isinstance(step, ParallelStep) and step.mode == "wait_all" and seen.waiting:
        return CloseScope("", "", error, kind, culprit)
    return CloseScope(FAILED, error, error, kind, culprit)


def blame(child: Child | None) -> tuple[str, str, str]:
    """Error, kind and path of the failure that a child ended by, however deep it lies in it."""
    if child is None:
        return "a step in it failed", "step", ""
    if child.culprit:
        return child.error, child.kind, child.culprit
    if child.status in CALLED_OFF:
        return f"step {child.path} was cancelled: {child.error}", "cancelled", child.path
    return f"step {child.path} failed: {child.error}", child.kind, child.path


def closing(seen: StepSnapshot, step: WorkflowStep | WorkflowDefinition) -> StepInstruction:
    """It is to end: the next of its children hear so; once all of them are over it ends."""
    if seen.closed < seen.pieces:
        return CloseScope(seen.fate, seen.reason)
    if seen.waiting:
        return Nothing("the end of its next child asks again")
    if seen.fate == CANCELLED:
        return EndStep(TaskStatus.CANCELLED, reason=seen.reason)
    if isinstance(step, WorkflowStep) and step.on_failure == "continue":
        return EndStep(TaskStatus.COMPLETED, shows_as=FAILED)
    return EndStep(TaskStatus.FAILED)
