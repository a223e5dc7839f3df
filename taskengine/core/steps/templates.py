"""What becomes of a task step's template where the scope around it is put: a task, or a step to think about later.

A template that reads nothing is a task as it stands. Values that never change (``context``, ``item``, ``iteration``,
``workflow``) are put in at once. What only a task before it will know, and only its agent reads, is put in by its
worker, from results that travel with the claim: such tasks need nobody in between. Everything else waits until it is
its turn, as does a template that turns out to be no valid task: then that step fails, and not the scope around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from taskengine.core.bindings import Bindings
from taskengine.core.once import once_each
from taskengine.core.refs import Reference
from taskengine.core.steps.names import Meant, UnknownStepError, resolve
from taskengine.core.steps.needs import to_enter
from taskengine.core.steps.paths import FINALLY, child
from taskengine.core.steps.plain import is_plain
from taskengine.core.steps.put import put_in
from taskengine.core.steps.rows import TaskRow, WorkerBinding
from taskengine.core.templates import PASSED_ON, bind, is_late, reads
from taskengine.errors import ExpressionError, InvalidInputError
from taskengine.models import TaskCreateRequest, TaskStep, WorkflowDefinition, WorkflowStep
from taskengine.models.depth import refuse_deep
from taskengine.models.task_template import holds_template


@dataclass(frozen=True, slots=True)
class _Said:
    """What the template of a step says, whatever its values are."""

    reads: tuple[Reference, ...]
    #: Fields in whose texts something is put.
    bound: frozenset[str]
    is_late: bool

    @property
    def is_template(self) -> bool:
        return bool(self.bound)


@once_each
def _says(step: TaskStep) -> _Said:
    template = step.task_template
    bound = frozenset(name for name, value in template.items() if holds_template(value))
    return _Said(reads(template), bound, is_late(template)) if bound else _Said((), bound, is_late=False)


@dataclass(frozen=True, slots=True)
class Author:
    """A definition, as its steps are put."""

    definition: WorkflowDefinition
    #: The path of the step that it begins with; '' for a workflow.
    prefix: str = ""
    #: Values that never change, at the scope that is put.
    bindings: Bindings = field(default_factory=Bindings)
    #: Of a map: the items of the next piece, by their place.
    items: Mapping[int, JsonValue] = field(default_factory=dict)
    #: Path in the definition -> whether its step is a task, as far as somebody asked.
    known: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    def task_row(self, step: TaskStep, path: str, on: tuple[str, ...]) -> TaskRow | None:
        """Return the task of a plain step; None where it takes a thought when it is its turn."""
        said = _says(step)
        if not said.is_template:
            return TaskRow(path, step.name, step.task_template, on)
        try:
            read = self._tasks(step, path, said.reads)
            if read is None:
                return None
            return self._bound(step, path, on, said, read) if read else self._made(step, path, on)
        except (ExpressionError, InvalidInputError):
            return None  # that step fails when it is its turn, with this error

    def is_early(self, step: TaskStep) -> bool:
        """Return whether the task of a plain step is made at once, and needs no result of another step."""
        said = _says(step)
        return not said.is_late and not any(ref.step for ref in said.reads)

    def edges(self, step: WorkflowStep, path: str) -> Iterable[str]:
        """Paths of the steps that a step reads when it is entered, as far as they stand beside or around it."""
        for ref in to_enter(step):
            if ref.step:
                try:
                    meant = resolve(self.definition, self._own(path), ref.step)
                except UnknownStepError:
                    continue  # an error when it is its turn
                if meant.edge and child(self.prefix, meant.edge) != path and not self._is_over(path, meant):
                    yield child(self.prefix, meant.edge)

    def _is_over(self, path: str, meant: Meant) -> bool:
        """Whether a step at a workflow's end reads one that is over by then, however it ended: nobody waits for it."""
        return self._own(path).startswith(FINALLY) and not meant.path.startswith(FINALLY)

    def _own(self, path: str) -> str:
        return path.removeprefix(self.prefix).lstrip("/")

    def _tasks(self, step: TaskStep, path: str, refs: Iterable[Reference]) -> dict[tuple[str, ...], str] | None:
        """Return the tasks whose results a template reads, by the names it says; None where one is no plain task."""
        read = self._reads(step, self._own(path), refs)
        if read is None or not all(self._is_task(meant) for meant in read.values()):
            return None
        return {names: child(self.prefix, meant.path) for names, meant in read.items()}

    def _reads(self, step: TaskStep, own: str, refs: Iterable[Reference]) -> dict[tuple[str, ...], Meant] | None:
        """Return the task steps that a template reads; None where it reads what no worker can be given."""
        if _says(step).is_late:
            return None
        found: dict[tuple[str, ...], Meant] = {}
        for ref in refs:
            if not ref.step or ref.step in found:
                continue
            meant = _resolved(self.definition, own, ref)
            if meant is None or self._is_over(child(self.prefix, own), meant) or not _may_be_task(meant):
                return None
            found[ref.step] = meant
        return found

    def _is_task(self, meant: Meant) -> bool:
        """Return whether a step that is read is a task, as those are that it reads in turn; none in a circle is.

        One after the other: a chain may be as long as a workflow.
        """
        way, open_ones = [meant], {meant.path}
        while way:
            at = way[-1]
            below = None if at.path in self.known else self._reads_of(at)
            further = next((one for one in below or () if one.path not in self.known), None)
            if further is not None and further.path not in open_ones:
                way.append(further)
                open_ones.add(further.path)
                continue
            if at.path not in self.known:
                self.known[at.path] = below is not None and all(self.known.get(one.path, False) for one in below)
            open_ones.remove(way.pop().path)
        return self.known[meant.path]

    def _reads_of(self, meant: Meant) -> list[Meant] | None:
        assert isinstance(meant.step, TaskStep)
        read = self._reads(meant.step, meant.path, _says(meant.step).reads)
        return None if read is None else list(read.values())

    def _made(self, step: TaskStep, path: str, on: tuple[str, ...]) -> TaskRow:
        made, prompt = put_in(step.task_template, self.bindings)
        _refuse_invalid(made, _says(step).bound)
        return TaskRow(path, step.name, made, on, prompt=prompt)

    def _bound(
        self, step: TaskStep, path: str, on: tuple[str, ...], said: _Said, read: dict[tuple[str, ...], str]
    ) -> TaskRow:
        now: Mapping[str, JsonValue] = step.task_template
        if early := said.bound - PASSED_ON:
            now = {name: bind(value, self.bindings) if name in early else value for name, value in now.items()}
            _refuse_invalid({name: value for name, value in now.items() if name not in PASSED_ON}, early)
        binding = WorkerBinding(read, self._fixed(said.reads))
        return TaskRow(path, step.name, now, tuple(dict.fromkeys((*on, *read.values()))), binding)

    def _fixed(self, refs: Iterable[Reference]) -> dict[str, JsonValue]:
        """Return the values of a template that never change, as far as it reads them."""
        roots = self.bindings.roots()
        found: dict[str, Any] = {}
        for ref in refs:
            if ref.root in ("steps", "variables", "input") or ref.root not in roots:
                continue
            whole = roots[ref.root]
            if ref.root == "context" and ref.path:
                if ref.path[0] in whole:
                    found.setdefault("context", {})[str(ref.path[0])] = whole[ref.path[0]]
            else:
                found[ref.root] = whole
        return found


def _refuse_invalid(made: Mapping[str, JsonValue], bound: frozenset[str]) -> None:
    """InvalidInputError where a template yields no task; its fields that nothing was put into were looked at with the
    definition.
    """
    given = made.get("input")
    if bound == _INPUT and isinstance(given, dict):  # anything that JSON is: it was all that took time
        refuse_deep(given, "input")
        return
    TaskCreateRequest.model_validate(made)


_INPUT = frozenset({"input"})


def _may_be_task(meant: Meant) -> bool:
    return meant.edge == meant.path and isinstance(meant.step, TaskStep) and is_plain(meant.step)


def _resolved(definition: WorkflowDefinition, path: str, ref: Reference) -> Meant | None:
    try:
        return resolve(definition, path, ref.step)
    except UnknownStepError:
        return None
