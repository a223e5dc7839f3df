"""New edges between stored tasks: looked up from the new dependency upwards, and refused where they close a
cycle.
"""

from __future__ import annotations

from collections.abc import Sequence

from taskengine.api.arguments import Id, id_text
from taskengine.api.context import OperationContext
from taskengine.api.operations.ask import required
from taskengine.api.operations.refusals import changeable, not_allowed
from taskengine.core import graph
from taskengine.errors import CircularDependencyError, NotFoundError, UnknownDependencyError
from taskengine.models import Task
from taskengine.store import tasks
from taskengine.store.call import Operation
from taskengine.store.graph_nodes import graph_nodes


def add_dependency(context: OperationContext, task_id: Id, dependency_id: Id) -> Operation[Task]:
    """Make a stored task that nobody started wait for another one as well."""
    id, dependency = id_text(task_id), id_text(dependency_id, "dependency_id")
    while True:
        revision = yield from tasks.edge_revision(context.keys)
        task = yield from changeable(context, id)
        yield from refuse_cycle(task, [dependency])
        sha = (yield from tasks.fields(context.keys, id, "sha"))["sha"] or ""
        answer = yield from tasks.add_dependency(id, dependency, revision, sha)
        if answer.ok:
            return (yield from required(context, id))
        if answer.word == "missing":
            raise missing(task, answer.text())
        if answer.word == "conflict":
            why = f"is {answer.text()} and has started; dependencies are added before the first attempt"
            raise (yield from not_allowed(context, task, why))


def missing(task: Task, id: str) -> NotFoundError | UnknownDependencyError:
    """Return the error for an id that a script did not find."""
    if id == str(task.id):
        return NotFoundError("task", id)
    return UnknownDependencyError(f"{task.name} ({task.id})", [id])


def refuse_cycle(task: Task, added: Sequence[str]) -> Operation[None]:
    """Raise CircularDependencyError if *task*, waiting for *added* too, would wait for itself.

    Everything above the new dependencies is read, 256 tasks a trip, also what is over: it may be opened
    again.
    """
    id = str(task.id)
    parents: dict[str, tuple[str, ...]] = {}
    names = {id: task.name}
    level = list(added)
    while level and id not in level:
        found = yield from graph_nodes(level)
        for at, one in zip(level, found, strict=True):
            if one is None and at in added:
                raise missing(task, at)
            parents[at] = () if one is None else one.depends_on
            names[at] = at if one is None else one.name
        level = list(dict.fromkeys(d for at in level for d in parents[at] if d not in parents))
    for dependency in added:
        path = graph.would_close_cycle(parents, id, dependency, names)
        if path:
            raise CircularDependencyError(path)
