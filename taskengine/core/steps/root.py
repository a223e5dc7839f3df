"""A workflow as a step: the first of them all, whose id is the workflow's.

Its ``finally_steps`` are one more child of it, put when all others are over, however they ended.
"""

from __future__ import annotations

from taskengine.core.instructions import EndStep, Expand, StepInstruction
from taskengine.core.steps.compile import Scope, rows_of
from taskengine.core.steps.paths import FINALLY, child, last_steps
from taskengine.core.steps.plan import Children
from taskengine.core.steps.rows import ASKS, GATE, StepRow
from taskengine.core.steps.snapshot import Child, StepSnapshot
from taskengine.core.steps.templates import Author
from taskengine.core.templates import bind
from taskengine.models import WorkflowDefinition
from taskengine.models.enums import TaskStatus

#: The phase of a workflow in which its ``finally_steps`` run.
LAST = "finally"


def children(workflow: WorkflowDefinition, seen: StepSnapshot, author: Author) -> Children:
    """Return its steps; one without outputs or ``finally_steps`` ends in the script of the last of them."""
    queue = ASKS if workflow.outputs or workflow.finally_steps else GATE
    limit = 0 if workflow.timeout is None else max(1, round(workflow.timeout * 1000))
    return Children(rows_of(Scope(author, seen.path, workflow.steps)), queue, limit_ms=limit)


def wants_last(workflow: WorkflowDefinition, seen: StepSnapshot) -> bool:
    """Return whether its ``finally_steps`` are yet to be put; they are not where nothing of it ever began."""
    return bool(workflow.finally_steps) and seen.is_entered and seen.branch != LAST


def last(seen: StepSnapshot) -> Expand:
    """Return its ``finally_steps``, as one more child."""
    return Expand([StepRow(child(seen.path, last_steps(seen.turns)), FINALLY, "sequential")], 1, ASKS, {"br": LAST})


def completed(workflow: WorkflowDefinition, seen: StepSnapshot) -> EndStep:
    """It completed with its outputs; ExpressionError where one has no value."""
    made = {name: bind(template, seen.bindings) for name, template in workflow.outputs.items()}
    return EndStep(TaskStatus.COMPLETED, output=made or None)


def after_last(workflow: WorkflowDefinition, seen: StepSnapshot, failure: Child | None) -> StepInstruction:
    """Return its end, once its ``finally_steps`` are over: as what was before them ended, unless that was well and they
    failed.
    """
    if seen.end_as:
        return EndStep(TaskStatus(seen.end_as), reason=seen.reason if seen.end_as == TaskStatus.CANCELLED.value else "")
    if failure is None:
        return completed(workflow, seen)
    culprit = failure.culprit or failure.path
    return EndStep(TaskStatus.FAILED, error=failure.error, error_kind=failure.kind, culprit=culprit)
