"""Conditional steps: the branch that is taken gets its steps, the other one is never put."""

from __future__ import annotations

from taskengine.core.conditions import holds
from taskengine.core.instructions import EndStep
from taskengine.core.steps.compile import Scope, rows_of
from taskengine.core.steps.ending import completed, end_queue, limit_ms
from taskengine.core.steps.paths import second_branch
from taskengine.core.steps.plan import Children
from taskengine.core.steps.snapshot import StepSnapshot
from taskengine.core.steps.templates import Author
from taskengine.models import ConditionalStep

TRUE, FALSE = "true", "false"


def enter(step: ConditionalStep, seen: StepSnapshot, author: Author) -> Children | EndStep:
    """Return the steps of its branch, or its end where that is empty; ExpressionError where its condition has no
    answer.
    """
    branch = seen.branch or (TRUE if holds(step.condition, seen.bindings) else FALSE)
    first = branch == TRUE
    steps = step.true_steps if first else step.false_steps
    if not steps:
        return completed(step, seen.bindings, fields={"br": branch})
    scope = Scope(author, seen.path, steps, called={} if first else second_branch(step))
    return Children(rows_of(scope), end_queue(step), fields={"br": branch}, limit_ms=limit_ms(step))
