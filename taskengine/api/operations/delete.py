"""Delete a task that is over and that nothing waits for; with cascade, end what stands in the way first."""

from __future__ import annotations

from collections.abc import Sequence

from taskengine.api.arguments import Id, id_text
from taskengine.api.context import OperationContext
from taskengine.api.operations.refusals import not_allowed, refuse_part
from taskengine.api.operations.wait import until_over
from taskengine.core import remedy
from taskengine.core.lifecycle import DELETABLE, REOPENABLE
from taskengine.models import Task
from taskengine.store import needs, tasks
from taskengine.store.call import Operation
from taskengine.store.graph_nodes import PIECE, dependents, graph_nodes
from taskengine.store.records import index_names

#: Tasks named in a refusal.
_NAMED = 5


def delete_task(context: OperationContext, task_id: Id, cascade: bool) -> Operation[bool]:
    """Delete a task with its executions; whether there was one."""
    id = id_text(task_id)
    yield from refuse_part(context, id)
    while True:
        since = yield from needs.since(context.keys)
        (task,) = yield from tasks.read([id])
        if task is None:
            return False
        waiting = yield from _waiting(context, task)
        if waiting or task.status not in DELETABLE:
            if not cascade or any(one.stands == "staged" for one in waiting):
                raise (yield from not_allowed(context, task, (yield from _obstacle(task, waiting))))
            yield from _end(context, id, [*(one.id for one in waiting), id])
            continue
        answer = yield from tasks.delete(id, index_names(task), since)
        if answer.word in ("ok", "missing"):
            return answer.ok
        if answer.word == "waited":  # somebody came in between, or waits in another run
            who = f"task {answer.text()}" if answer.text() else "a task of another run"
            raise (yield from not_allowed(context, task, f"is {task.status.value} and {who} depends on it"))


def _waiting(context: OperationContext, task: Task) -> Operation[list[needs.Need]]:
    """Tasks that are not over and depend on this one, also those of graphs that are not committed.

    A COMPLETED one keeps no list of its dependents, so open tasks are looked through, unless nobody can be
    there. So they are for one whose list is long: somebody may leave it between two reads, and another slip by.
    """
    id = str(task.id)
    listed = [] if task.status in DELETABLE - REOPENABLE else (yield from dependents(context.keys, id))
    if len(listed) >= PIECE:
        found = yield from needs.open_needs()
    elif task.status in DELETABLE - REOPENABLE:
        found = (yield from needs.open_needs()) if (yield from _may_be_needed(context, task)) else []
    else:
        found = yield from needs.needs(listed)
    return [one for one in found if one.may_need(id)]


def _may_be_needed(context: OperationContext, task: Task) -> Operation[bool]:
    # In this order: a graph that is committed in between is among the open tasks.
    if (yield from needs.is_any_staged(context.keys)):
        return True
    fields = yield from tasks.fields(context.keys, str(task.id), "pin")
    open_tasks = yield from tasks.open_in_run(context.keys, str(task.run_id))
    return int(fields["pin"] or 0) > 0 or open_tasks > 0


def _obstacle(task: Task, waiting: Sequence[needs.Need]) -> Operation[str]:
    if not waiting:
        return f"is {task.status.value}; cancel it first, or pass {remedy.switch('cascade')}"
    staged = [one.id for one in waiting if one.stands == "staged"]
    if staged:
        return f"is {task.status.value} and {staged[0]}, which is just being submitted, depends on it; try again later"
    named = yield from graph_nodes([one.id for one in waiting[:_NAMED]])
    who = ", ".join(f"{one.name!r} ({one.id})" for one in named if one)
    more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
    instead = f"delete or cancel those first, or pass {remedy.switch('cascade')}"
    return f"is {task.status.value} and {who}{more} depend on it; {instead}"


def _end(context: OperationContext, id: str, ids: Sequence[str]) -> Operation[None]:
    """Cancel what is not over, and wait until it is: running work may take its grace."""
    for one in ids:
        yield from tasks.cancel(one, f"task {id} is deleted with cascade")
    clocks = context.settings
    yield from until_over(
        context, ids, clocks.cancel_grace_seconds + clocks.kill_after_seconds + clocks.lease_seconds
    )
