"""A workflow as a step: the first of them all, whose id is the workflow's."""

from __future__ import annotations

from dataclasses import replace

from taskengine.core.instructions import EndStep
from taskengine.core.steps.compile import Scope, rows_of
from taskengine.core.steps.plan import Children
from taskengine.core.steps.rows import ASKS, GATE
from taskengine.core.steps.snapshot import StepSnapshot
from taskengine.core.steps.templates import Author
from taskengine.core.templates import bind
from taskengine.models import WorkflowDefinition
from taskengine.models.enums import TaskStatus


def children(workflow: WorkflowDefinition, seen: StepSnapshot, author: Author) -> Children:
    """Its steps; one without outputs or ``finally_steps`` ends in the script of the last of them."""
    lane = ASKS if workflow.outputs or workflow.finally_steps else GATE
    limit = 0 if workflow.timeout is None else max(1, round(workflow.timeout * 1000))
    return Children(rows_of(Scope(author, seen.path, workflow.steps)), lane, limit_ms=limit)


def completed(workflow: WorkflowDefinition, seen: StepSnapshot) -> EndStep:
    """It completed with its outputs; ExpressionError where one has no value."""
    made = {name: bind(template, replace(seen.bindings)) for name, template in workflow.outputs.items()}
    return EndStep(TaskStatus.COMPLETED, output=made or None)
