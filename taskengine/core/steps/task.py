"""A task step that is more than its task: guarded, timed, or with a template that takes a thought."""

from __future__ import annotations

from taskengine.core.steps.ending import end_lane
from taskengine.core.steps.paths import DO
from taskengine.core.steps.plan import Children
from taskengine.core.steps.rows import TaskRow
from taskengine.core.steps.snapshot import StepSnapshot
from taskengine.models import TaskStep


def children(step: TaskStep, seen: StepSnapshot) -> Children:
    """Its task."""
    return Children([TaskRow(seen.path + DO, step.name, step.task_template)], end_lane(step))
