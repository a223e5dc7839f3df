"""Sequential and parallel steps that ask for more than flattening: their own scope, with an end of its own."""

from __future__ import annotations

from taskengine.core.steps.compile import Scope, rows_of
from taskengine.core.steps.ending import end_queue, limit_ms
from taskengine.core.steps.plan import Children
from taskengine.core.steps.snapshot import StepSnapshot
from taskengine.core.steps.templates import Author
from taskengine.models import ParallelStep, SequentialStep


def children(step: SequentialStep | ParallelStep, seen: StepSnapshot, author: Author) -> Children:
    """Return its sub steps."""
    rows = rows_of(Scope(author, seen.path, step.sub_steps, isinstance(step, ParallelStep)))
    return Children(rows, end_queue(step), limit_ms=limit_ms(step))
