"""A workflow as a step: the first of them all, whose id is the workflow's."""

from __future__ import annotations

from taskengine.core.steps.compile import Scope, rows_of
from taskengine.core.steps.plan import Children
from taskengine.core.steps.rows import ASKS, GATE
from taskengine.models import WorkflowDefinition


def children(workflow: WorkflowDefinition) -> Children:
    """Its steps; one without outputs or ``finally_steps`` ends in the script of the last of them."""
    lane = ASKS if workflow.outputs or workflow.finally_steps else GATE
    return Children(rows_of(Scope("", workflow.steps)), lane)
