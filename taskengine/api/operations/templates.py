"""Tasks that are templates: what they read must be there when they start, as far as that is known at submit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from taskengine.core.prompt import refuse_unknown, results_read
from taskengine.models import Task
from taskengine.store.call import Operation
from taskengine.store.graph_nodes import graph_nodes


def refuse_templates(tasks: Iterable[Task], given: Mapping[str, Task]) -> Operation[None]:
    """ExpressionError for a task with ``template=True`` that cannot be read, or reads what it does not depend on.

    *given* are the tasks that are submitted with them, by id: the names of others are asked for.
    """
    for task in tasks:
        if task.template:
            yield from _refuse(task, given)


def _refuse(task: Task, given: Mapping[str, Task]) -> Operation[None]:
    on = sorted(map(str, task.depends_on))
    texts = {"input": dict(task.input), "description": task.description}
    there = [*on, *(given[id].name for id in on if id in given)]
    if not {name for text in texts.values() for name in results_read(text)} <= set(there):
        outside = [id for id in on if id not in given]
        there += [node.name for node in (yield from graph_nodes(outside)) if node is not None]
    names = [*there[len(on) :], *on]  # names first: a message shows the first few
    for field, text in texts.items():
        refuse_unknown(text, dependencies=names, field=field)
