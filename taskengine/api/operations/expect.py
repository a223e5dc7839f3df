"""How long tasks will take: what their client says, else what their kind took before."""

from __future__ import annotations

from collections.abc import Collection

from taskengine.api.context import OperationContext
from taskengine.core.estimates import UNKNOWN, expected_seconds, kind_of
from taskengine.models import Task
from taskengine.store.call import Operation

_GIVEN = "estimated_seconds"


def expected(context: OperationContext, tasks: Collection[Task]) -> Operation[list[float]]:
    """Seconds of each task, in their order; 1 where nobody knows."""
    found = yield from known(context, tasks)
    return [UNKNOWN if seconds is None else seconds for seconds in found]


def known(context: OperationContext, tasks: Collection[Task]) -> Operation[list[float | None]]:
    """Seconds of each task, in their order; None where nobody knows. One trip for all kinds that are not fresh."""
    silent = [task for task in tasks if _GIVEN not in task.model_fields_set]
    kinds = {kind for task in silent for kind in (task.queue, kind_of(task.queue, task.name))}
    seconds = yield from context.estimates.of(kinds)
    return [
        task.estimated_seconds if _GIVEN in task.model_fields_set else expected_seconds(seconds, task.queue, task.name)
        for task in tasks
    ]
