"""Delete a task that is over and that nothing waits for; with cascade, end what stands in the way first."""

from __future__ import annotations

from collections.abc import Sequence

from taskengine.api.arguments import Id, id_text
from taskengine.api.scope import Scope
from taskengine.api.stories.refusals import not_allowed
from taskengine.api.stories.wait import until_over
from taskengine.core.lifecycle import CANCELLABLE, DELETABLE, REOPENABLE
from taskengine.models import Task
from taskengine.store import tasks
from taskengine.store.call import Story
from taskengine.store.outlines import dependents, outlines
from taskengine.store.records import index_names

#: Tasks named in a refusal.
_NAMED = 5
#: Open tasks looked at in one trip.
_PIECE = 256


def delete_task(scope: Scope, task_id: Id, cascade: bool) -> Story[bool]:
    """Delete a task with its executions; whether there was one."""
    id = id_text(task_id)
    while True:
        revision = yield from tasks.edge_revision(scope.keys)
        (task,) = yield from tasks.read([id])
        if task is None:
            return False
        waiting = yield from _waiting(scope, task)
        if waiting or task.status not in DELETABLE:
            if not cascade:
                raise (yield from not_allowed(scope, task, (yield from _obstacle(task, waiting))))
            yield from _end(scope, id, [*waiting, id])
            continue
        answer = yield from tasks.delete(id, index_names(task), revision)
        if answer.word in ("ok", "missing"):
            return answer.ok
        if answer.word == "waited":  # somebody came in between, or waits in another run
            who = f"task {answer.text()}" if answer.text() else "a task of another run"
            raise (yield from not_allowed(scope, task, f"is {task.status.value} and {who} depends on it"))


def _waiting(scope: Scope, task: Task) -> Story[list[str]]:
    """Tasks that are not over and depend on this one.

    A COMPLETED one keeps no list of its dependents, so open tasks are looked through, unless nobody can be
    there.
    """
    id = str(task.id)
    if task.status in DELETABLE - REOPENABLE:
        return (yield from _search(task)) if (yield from _may_be_needed(scope, task)) else []
    found = yield from dependents(scope.keys, id)
    seen = yield from outlines(found)
    return [one.id for one in seen if one and one.status not in DELETABLE]


def _may_be_needed(scope: Scope, task: Task) -> Story[bool]:
    fields = yield from tasks.fields(scope.keys, str(task.id), "pin")
    open_tasks = yield from tasks.open_in_run(scope.keys, str(task.run_id))
    return int(fields["pin"] or 0) > 0 or open_tasks > 0


def _search(task: Task) -> Story[list[str]]:
    found: list[str] = []
    for status in sorted(CANCELLABLE):
        below, more = 0, True
        while more:
            below, ids = yield from tasks.find(below, _PIECE, [f"s:{status.value}"])
            seen = yield from outlines(ids)
            found += [one.id for one in seen if one and str(task.id) in one.depends_on]
            more = below > 0
    return found


def _obstacle(task: Task, waiting: Sequence[str]) -> Story[str]:
    if not waiting:
        return f"is {task.status.value}; cancel it first, or pass cascade=True"
    named = yield from outlines(waiting[:_NAMED])
    who = ", ".join(f"{one.name!r} ({one.id})" for one in named if one)
    more = f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else ""
    instead = "delete or cancel those first, or pass cascade=True"
    return f"is {task.status.value} and {who}{more} depend on it; {instead}"


def _end(scope: Scope, id: str, ids: Sequence[str]) -> Story[None]:
    """Cancel what is not over, and wait until it is: running work may take its grace."""
    for one in ids:
        yield from tasks.cancel(one, f"task {id} is deleted with cascade")
    clocks = scope.settings
    yield from until_over(
        scope, ids, clocks.cancel_grace_seconds + clocks.kill_after_seconds + clocks.lease_seconds
    )
