"""The shape of what is stored: graphs as nodes and edges, and plans as waves with their critical path.

Answers are plain JSON data with ids as text, ready to be dumped, drawn or sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from taskengine.api.arguments import Id, id_text, id_texts
from taskengine.api.context import OperationContext
from taskengine.core import graph
from taskengine.core.lifecycle import TERMINAL
from taskengine.errors import InvalidInputError, NotFoundError
from taskengine.models import Task
from taskengine.models.plan import DependencyGraph, ExecutionPlan, Node
from taskengine.store import tasks
from taskengine.store.call import Operation
from taskengine.store.graph_nodes import GraphNode, graph_nodes
from taskengine.store.history import run_exists
from taskengine.store.retention import read_range

_PAGE = 1000


def get_dependency_graph(context: OperationContext, run_id: Id | None) -> Operation[DependencyGraph]:
    """Return the graph of a run and of what it depends on outside, or of everything stored."""
    if run_id is None:
        ids = yield from _all_ids(context)
    else:
        ids = yield from _ids_of_run(context, id_text(run_id, "run_id"))
    found = {one.id: one for one in (yield from graph_nodes(ids)) if one}
    outside = list(dict.fromkeys(d for one in found.values() for d in one.depends_on if d not in found))
    found |= {one.id: one for one in (yield from graph_nodes(outside)) if one}
    return {
        "nodes": [_node(one) for one in found.values()],
        "edges": [
            {"source": d, "target": one.id} for one in found.values() for d in one.depends_on if d in found
        ],
    }


def _node(one: GraphNode) -> Node:
    return {"id": one.id, "name": one.name, "status": one.status.value, "run_id": one.run_id}


def _ids_of_run(context: OperationContext, run: str) -> Operation[list[str]]:
    found: dict[str, None] = {}
    at = 0
    while at >= 0:
        piece = yield from read_range(run, at)
        found |= dict.fromkeys(piece.ids)
        at = piece.next
    if not found and not (yield from run_exists(context.keys, run)):
        raise NotFoundError("run", run)
    return list(found)


def _all_ids(context: OperationContext) -> Operation[list[str]]:
    found: list[str] = []
    below, more = 0, True
    while more:
        below, ids = yield from tasks.find(below, _PAGE, ())
        found += ids
        more = below > 0
        if len(found) > context.settings.max_graph:
            raise InvalidInputError(
                f"more than {context.settings.max_graph} tasks are stored; ask for one run: run_id=task.run_id",
                field="run_id",
            )
    return found[::-1]


def get_execution_plan(task_ids: Iterable[Id] | Id) -> Operation[ExecutionPlan]:
    """Return how these tasks can run, together with everything open that they wait for."""
    asked = list(dict.fromkeys(id_texts(task_ids)))
    found: dict[str, Task] = {}
    level: Sequence[str] = asked
    while level:
        for id, task in zip(level, (yield from tasks.read(level)), strict=True):
            if task is None and id in asked:
                raise NotFoundError("task", id)
            if task is not None and (id in asked or task.status not in TERMINAL):
                found[id] = task
        level = _above(level, found)
    return _plan(found)


def _above(level: Iterable[str], found: dict[str, Task]) -> list[str]:
    wanted = (str(d) for id in level if id in found for d in sorted(found[id].depends_on))
    return list(dict.fromkeys(id for id in wanted if id not in found))


def _plan(found: dict[str, Task]) -> ExecutionPlan:
    parents = {id: sorted(map(str, task.depends_on)) for id, task in found.items()}
    seconds = {id: task.estimated_seconds for id, task in found.items()}
    path = graph.critical_path(parents, seconds)
    return {
        "waves": graph.waves(parents),
        "critical_path": path,
        "critical_path_seconds": sum(seconds[id] for id in path),
    }
