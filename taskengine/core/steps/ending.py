"""How a step ends of which all children completed."""

from __future__ import annotations

from taskengine.core.instructions import EndStep, StepInstruction
from taskengine.core.steps.rows import ASKS, GATE
from taskengine.models import WorkflowStep
from taskengine.models.enums import TaskStatus


def end_lane(step: WorkflowStep) -> str:
    """The lane of a step with children: it ends by itself unless it has something to say then."""
    return ASKS if step.outputs or step.timeout is not None else GATE


def completed(step: WorkflowStep | None = None) -> StepInstruction:  # noqa: ARG001  # its outputs
    """It completed."""
    return EndStep(TaskStatus.COMPLETED)
