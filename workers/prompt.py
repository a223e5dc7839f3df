"""What a task that is a template becomes before its agent gets it, and the prompt of an agent that reads one.

A task of no workflow reads ``input`` and ``results``; one of a workflow reads what its definition says, and its prompt
was either left to this worker with the rest of it (:mod:`workers.binding`), or beside its description, by whoever put
its values in. A prompt is made when it is first asked for: most agents read none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import JsonValue

from taskengine.core.bindings import Bindings
from taskengine.core.expressions import MissingValueError
from taskengine.core.prompt import Fences, made_of, render, results_read, with_input
from taskengine.core.templates import bind
from taskengine.errors import ExpressionError, NoResultError
from taskengine.models import Task
from taskengine.models.task_template import holds_template
from taskengine.store.replies import Assignment
from taskengine.store.worker_binding import prompt_binding, worker_binding


class NoPromptError(ExpressionError):
    """A prompt cannot be made: the attempt failed before its agent was asked anything, and would again."""


Results = Mapping[str, dict[str, Any]]


def filled(task: Task, results: Results) -> Task:
    """Return a task with ``template=True`` with its values: its input first, which its description may read.

    ExpressionError where one has none; it says why a dependency has no result.
    """
    template: dict[str, JsonValue] = dict(task.input)
    given = _said(lambda seen: bind(template, seen), template, results, {})
    description = _said(lambda seen: bind(task.description, seen), task.description, results, {"input": given})
    return task.model_copy(update={"input": given, "description": description})


def _said(make: Any, template: JsonValue, results: Results, others: Mapping[str, Any]) -> Any:
    """Return what *make* makes of what a template reads; a missing result says how its task ended."""
    if not holds_template(template):
        return template
    found, why = _results(template, results)
    try:
        return make(Bindings(others={**others, "results": found}))
    except MissingValueError as exc:
        if why:
            raise ExpressionError(exc.expression, "; ".join(why)) from exc
        raise


def _results(template: JsonValue, results: Results) -> tuple[dict[str, Any], list[str]]:
    found: dict[str, Any] = {}
    why: list[str] = []
    for name in results_read(template):
        try:
            found[name] = results[name]
        except (NoResultError, KeyError) as exc:
            why.append(str(exc.args[0] if exc.args else exc))
    return found, why


@dataclass
class Prompt:
    """The prompt of one execution; its text is made once, when it is asked for."""

    #: As it is stored, with its templates.
    raw: Task
    #: As its agent gets it.
    task: Task
    assignment: Assignment
    results: Results
    #: Of other steps, by the names that its author wrote; asked for in a workflow's task alone.
    steps: Callable[[], Mapping[str, Any]]

    @cached_property
    def text(self) -> str:
        """Return the description (the name of a task that has none) with its values, those of other tasks fenced;
        behind it the input that it does not read. NoPromptError where one has none.
        """
        try:
            template, seen, fences = self._parts()
            prompt = seen if isinstance(seen, str) else render(template, seen, fences)
            return with_input(prompt or self.task.name, template, self.task.input, fences)
        except ExpressionError as exc:
            raise NoPromptError(exc.expression, exc.reason) from exc

    def _parts(self) -> tuple[str, Bindings | str, Fences]:
        """Return the template, what it sees (or the text that it is already), and its fences."""
        id, template = str(self.task.id), self.raw.description or ""
        if (binding := worker_binding(self.assignment.doc)) is not None:
            values = binding["values"]
            fences = Fences.of(id, made_of(self.raw.input, Fences.of(id)))
            others = {**{root: value for root, value in values.items() if root != "context"}, "input": self.task.input}
            return template, Bindings(context=values.get("context", {}), steps=self.steps(), others=others), fences
        if (put := prompt_binding(self.assignment.doc)) is not None:
            return self._put(put, id)
        if self.task.template is False or not holds_template(template):
            return "", template, Fences.of(id)
        fences = Fences.of(id, made_of(self.raw.input, Fences.of(id)) if self.task.template else None)
        found, why = _results(template, self.results)
        if why:
            raise ExpressionError(template, "; ".join(why))
        return template, Bindings(others={"results": found, "input": self.task.input}), fences

    def _put(self, put: Mapping[str, Any], id: str) -> tuple[str, Bindings | str, Fences]:
        template, values = str(put["template"]), dict(put["values"])
        seen = Bindings(
            context=values.pop("context", {}), variables=values.pop("variables", {}), steps=values.pop("steps", {}),
            others={**values, "input": self.task.input},
        )  # fmt: skip
        if bind(template, seen) != self.task.description:  # somebody has written another one since: it is no template
            return "", self.task.description or "", Fences.of(id)
        return template, seen, Fences.of(id, put["input"])
