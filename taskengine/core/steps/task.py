"""A task step that is more than its task: guarded, timed, or with a template that takes a thought."""

from __future__ import annotations

from taskengine.core.steps.ending import end_queue, limit_ms
from taskengine.core.steps.paths import DO
from taskengine.core.steps.plan import Children
from taskengine.core.steps.put import put_in
from taskengine.core.steps.rows import TaskRow
from taskengine.core.steps.snapshot import StepSnapshot
from taskengine.models import TaskCreateRequest, TaskStep


def children(step: TaskStep, seen: StepSnapshot) -> Children:
    """Return its task; ExpressionError where its template has no value."""
    made, prompt = put_in(step.task_template, seen.bindings)
    TaskCreateRequest.model_validate(made)
    return Children([TaskRow(seen.path + DO, step.name, made, prompt=prompt)], end_queue(step), limit_ms=limit_ms(step))
