"""What a workflow's task takes from the tasks before it, put into its template before its agent gets it.

The texts of its ``input``, ``description`` and ``execution_context`` are the author's; what is put in is never looked
at again. A retry sees what the first attempt saw, because a COMPLETED task keeps its result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from taskengine.core.bindings import Bindings
from taskengine.core.templates import PASSED_ON, bind
from taskengine.models import Task
from taskengine.store.codec import loads_object
from taskengine.store.replies import Assignment
from taskengine.store.worker_binding import worker_binding


def bound(task: Task, assignment: Assignment, fetch: Callable[[str], str | None]) -> Task:
    """Return the task with its values; ExpressionError where one has none, NotFoundError where a result is gone.

    *fetch* brings the result of a task that did not come with the claim, as JSON. A task of no template is itself.
    """
    binding = worker_binding(assignment.doc)
    if binding is None:
        return task
    steps = _steps(binding, assignment, fetch)
    values: Mapping[str, Any] = binding["values"]
    others = {root: value for root, value in values.items() if root != "context"}
    seen = Bindings(context=values.get("context", {}), steps=steps, others=others)
    given = bind(task.input, seen)
    seen = Bindings(context=seen.context, steps=steps, others={**others, "input": given})
    further = sorted(PASSED_ON - {"input"})
    texts = {name: bind(getattr(task, name), seen) for name in further if getattr(task, name)}
    # An object of JSON stays one, whatever is put into it; of the others a text may become anything.
    return task.model_copy(update={"input": given, **texts}) if texts else task.with_checked({"input": given})


def steps_read(assignment: Assignment, fetch: Callable[[str], str | None]) -> dict[str, Any]:
    """Return what a task's template reads of other steps, by the names that its author wrote, down to ``status`` and
    ``output``; empty for a task of no template.

    *fetch* as above; NotFoundError where a result is gone.
    """
    binding = worker_binding(assignment.doc)
    return {} if binding is None else _steps(binding, assignment, fetch)


def _steps(
    binding: Mapping[str, Any], assignment: Assignment, fetch: Callable[[str], str | None]
) -> dict[str, Any]:
    texts = {id: text for id, _, text in assignment.inputs}
    steps: dict[str, Any] = {}
    for names, id in binding["tasks"]:
        text = texts.get(id) or fetch(id)
        _put(steps, names, {"status": "completed", "output": loads_object(text or "{}")})
    return steps


def _put(steps: dict[str, Any], names: Sequence[str], value: Mapping[str, Any]) -> None:
    for name in names[:-1]:
        steps = steps.setdefault(name, {})
    steps[names[-1]] = {**steps.get(names[-1], {}), **value}
