"""How a step ends in which something failed: its other children end first, then it does as its definition says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from taskengine.core.instructions import EndChildren, EndStep, Nothing, StepInstruction
from taskengine.core.lifecycle import CALLED_OFF
from taskengine.core.steps.ending import completed
from taskengine.core.steps.paths import DO
from taskengine.core.steps.snapshot import Child, StepSnapshot
from taskengine.models import ParallelStep, WorkflowDefinition, WorkflowStep
from taskengine.models.enums import TaskStatus

FAILED, CANCELLED = "failed", "cancelled"


def after_failure(seen: StepSnapshot, step: WorkflowStep | WorkflowDefinition) -> StepInstruction:
    """Return a child did not complete: the others are to end, unless the step waits for all of them."""
    if seen.child is None and not seen.is_blamed:
        return Nothing("whoever failed asks by itself, and says so")
    error, kind, culprit = blame(seen.child)
    if isinstance(step, ParallelStep) and step.mode == "wait_all" and seen.waiting:
        return EndChildren("", "", error, kind, culprit)
    return EndChildren(FAILED, error, error, kind, culprit)


def blame(child: Child | None) -> tuple[str, str, str]:
    """Error, kind and path of the failure that a child ended by, however deep it lies in it."""
    if child is None:
        return "a step in it failed", "step", ""
    if child.culprit:
        return child.error, child.kind, child.culprit
    step = child.path.removesuffix(DO)  # its task is no step of the author's
    if child.status in CALLED_OFF:
        return f"step {step} was cancelled: {child.error}", "cancelled", step
    return f"step {step} failed: {child.error}", child.kind, step


def closing(seen: StepSnapshot, step: WorkflowStep | WorkflowDefinition) -> StepInstruction:
    """It is to end: the next of its children hear so; once all of them are over it ends."""
    if seen.closed < seen.pieces:
        return EndChildren(seen.end_as, seen.reason)
    if seen.waiting:
        return Nothing("the end of its next child asks again")
    if seen.end_as == CANCELLED:
        return EndStep(TaskStatus.CANCELLED, reason=seen.reason)
    if isinstance(step, WorkflowStep) and step.on_failure == "continue":
        return EndStep(TaskStatus.COMPLETED, shows_as=FAILED)
    return EndStep(TaskStatus.FAILED)


def timed_out(step: WorkflowStep, seen: StepSnapshot, on_timeout: str) -> EndStep:
    """Return what it waited for did not come in time."""
    error = f"step {seen.path} failed: not within its timeout of {step.timeout:g} s"
    if on_timeout == "continue":
        return completed(step, seen.bindings, {"timed_out": True})
    return failed(step, seen, error, "timeout")


def refused(step: WorkflowStep, seen: StepSnapshot, answer: Any, on_reject: str) -> EndStep:
    """Somebody said no."""
    if on_reject == "continue":
        return completed(step, seen.bindings, answer, takes=seen.signal)
    says = f": {answer['reason']}" if answer.get("reason") else ""
    made = failed(step, seen, f"step {seen.path} was rejected by {answer.get('by', 'somebody')}{says}", "rejected")
    return replace(made, output=None, takes=seen.signal)


def broken(step: WorkflowStep | WorkflowDefinition, seen: StepSnapshot, error: str, kind: str) -> StepInstruction:
    """Something that its definition says has no answer."""
    where = f"step {seen.path}" if seen.path else "the workflow"
    says = f"{where} failed: {error}"
    if seen.is_entered and seen.waiting:
        return EndChildren(FAILED, says, says, kind, seen.path)
    if isinstance(step, WorkflowStep):
        return failed(step, seen, says, kind)
    return EndStep(TaskStatus.FAILED, error=says, error_kind=kind, culprit=seen.path)


def out_of_time(step: WorkflowStep | WorkflowDefinition, seen: StepSnapshot) -> StepInstruction:
    """Return how it ends whose ``timeout`` is over: its children are to end."""
    where = f"step {seen.path}" if seen.path else "the workflow"
    error = f"{where} failed: it was not over within its timeout of {step.timeout:g} s"
    return EndChildren(FAILED, error, error, "timeout", seen.path)


def failed(step: WorkflowStep, seen: StepSnapshot, error: str, kind: str) -> EndStep:
    """Return its end by an error of its own, which may be one that those around it go on with."""
    if step.on_failure == "continue":
        return EndStep(TaskStatus.COMPLETED, shows_as=FAILED, error=error, error_kind=kind, culprit=seen.path)
    return EndStep(TaskStatus.FAILED, error=error, error_kind=kind, culprit=seen.path)
