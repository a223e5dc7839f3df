"""Why a task is where it is. Bounded: whatever the graph, a few trips and twenty names."""

from __future__ import annotations

from taskengine.api.arguments import Id, id_text
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import required
from taskengine.api.operations.expect import known
from taskengine.core.explain import NAMED, ExplainInputs, explain
from taskengine.core.lifecycle import CLOSABLE, REOPENABLE, TERMINAL
from taskengine.errors import NotFoundError
from taskengine.models import Explanation, Task
from taskengine.store import executions, tasks
from taskengine.store.call import Operation
from taskengine.store.graph_nodes import PIECE, graph_nodes
from taskengine.store.queue_view import queue_view

#: Dependencies looked at for those that are open.
_LOOKED_AT = 4 * PIECE
#: Steps up from a closed task to the root of it.
_MOST_STEPS = 100


def explain_task(context: OperationContext, task_id: Id) -> Operation[Explanation]:
    """Return the explanation of a task as it stands now."""
    id = id_text(task_id)
    while True:
        task = yield from required(context, id)
        now = yield from queue_view(id)
        if now is None:
            raise NotFoundError("task", id)
        latest = yield from executions.of_task(id, 1)
        blockers = (yield from _blockers(task)) if task.status in CLOSABLE else []
        seconds = yield from known(context, [task, *blockers])
        queues = yield from context.estimates.of([task.queue])
        inputs = ExplainInputs(
            queue_view=now,
            blockers=blockers,
            seconds={one.id: s for one, s in zip([task, *blockers], seconds, strict=True) if s is not None},
            queue_seconds=queues.get(task.queue),
            execution=latest[-1] if latest else None,
            causes=(yield from _causes(task)) if task.status in REOPENABLE else (),
        )
        (again,) = yield from tasks.statuses([id])
        if again == task.status:  # else it moved on between two looks, and the answer would contradict itself
            return explain(task, inputs)


def _blockers(task: Task) -> Operation[list[Task]]:
    """Dependencies that are not over, the first twenty found."""
    open_ids: list[str] = []
    ids = sorted(map(str, task.depends_on))[:_LOOKED_AT]
    for at in range(0, len(ids), PIECE):
        seen = yield from graph_nodes(ids[at : at + PIECE])
        open_ids += [one.id for one in seen if one and one.status not in TERMINAL]
        if len(open_ids) >= NAMED:
            break
    found = yield from tasks.read(open_ids[:NAMED])
    return [one for one in found if one is not None and one.status not in TERMINAL]


def _causes(task: Task) -> Operation[list[Task]]:
    """Whose end closed *task*, whose end closed that, up to the one that nobody else closed."""
    found: list[Task] = []
    at: Task | None = task
    while at is not None and at.closed_by is not None and len(found) < _MOST_STEPS:
        (at,) = yield from tasks.read([str(at.closed_by)])
        if at is not None:
            found.append(at)
    return found
