"""Whose part a task or a step is."""

from __future__ import annotations

from taskengine.api.context import OperationContext
from taskengine.core.explain.inputs import Part
from taskengine.models import TaskStatus
from taskengine.store import tasks
from taskengine.store.call import Operation
from taskengine.store.fields import TaskField


def outermost(context: OperationContext, id: str) -> Operation[str]:
    """Return the workflow, or the task that runs one, around all steps that something stands in; *id* itself of what
    stands by itself.
    """
    while above := (yield from tasks.fields(context.keys, id, TaskField.parent))[TaskField.parent]:
        id = above
    return id


def part_of(context: OperationContext, id: str) -> Operation[Part | None]:
    """Return whose part a task or a step is; None of what stands by itself."""
    workflow = yield from outermost(context, id)
    if workflow == id:
        return None
    (status,) = yield from tasks.statuses([workflow])
    return Part(workflow, TaskStatus(status)) if status else None
