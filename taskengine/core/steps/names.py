"""Which step a name means at one place of a workflow.

``steps.build`` is looked for among the siblings of the step that says it, then among the steps around it, and so on
outwards; a name that is nowhere there but only once in the whole workflow means that step. Further names lead down:
``steps.deployment_sequence.deploy``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from taskengine.core.steps.paths import FINALLY, bodies, child, second_branch, split
from taskengine.core.steps.plain import is_plain
from taskengine.models import ConditionalStep, LoopStep, MapStep, WorkflowDefinition, WorkflowStep


class UnknownStepError(LookupError):
    """No step, or more than one, is meant; its text says which there are."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The step that a name means."""

    path: str
    step: WorkflowStep
    #: The step around it, or itself, that is put with the steps where the name was found: whoever reads it waits for
    #: that one. '' where the name was not found on the way outwards.
    edge: str


@dataclass(frozen=True, slots=True)
class Siblings:
    """Steps beside each other, and where they stand."""

    scope: str
    steps: Sequence[WorkflowStep]
    called: Mapping[str, str] = field(default_factory=dict)

    def path_of(self, step: WorkflowStep) -> str:
        return child(self.scope, self.called.get(step.name, step.name))

    def find(self, name: str) -> WorkflowStep | None:
        if len(self.steps) < _FEW:
            return next((step for step in self.steps if step.name == name), None)
        return _by_name(self.steps).get(name)


#: Siblings that are looked through one by one.
_FEW = 8
#: Names of longer lists, latest first, with the lists: a chain of thousands asks for one name in each of its steps.
_latest: list[tuple[Sequence[WorkflowStep], dict[str, WorkflowStep]]] = []
_MOST_LISTS = 8


def _by_name(steps: Sequence[WorkflowStep]) -> dict[str, WorkflowStep]:
    for known, names in _latest:
        if known is steps:
            return names
    made = {step.name: step for step in reversed(steps)}
    _latest[:] = [(steps, made), *_latest[: _MOST_LISTS - 1]]
    return made


def resolve(definition: WorkflowDefinition, path: str, names: Sequence[str]) -> Meant:
    """Return the step that *names* mean to the step at *path*; '' is the workflow itself."""
    for siblings in around(definition, path):
        found = siblings.find(names[0])
        if found is not None:
            return _down(siblings, found, names)
    everywhere = [
        (siblings, step) for siblings in _all(Siblings("", definition.steps)) for step in siblings.steps
        if step.name == names[0]
    ]  # fmt: skip
    if len(everywhere) == 1:
        siblings, step = everywhere[0]
        made = _down(siblings, step, names)
        return Meant(made.path, made.step, "")
    paths = ", ".join(siblings.path_of(step) for siblings, step in everywhere)
    says = f"more than one step is called {names[0]!r}: {paths}" if everywhere else f"no step is called {names[0]!r}"
    raise UnknownStepError(says)


def around(definition: WorkflowDefinition, path: str) -> list[Siblings]:
    """Return the siblings of the step at *path*, then those of the step around it, and so on; a workflow's own for
    ''.
    """
    is_last = path.startswith(FINALLY)
    levels = [Siblings("", definition.steps)]
    if is_last:
        levels.append(Siblings(path.split("/")[0], definition.finally_steps))
    at = path.split("/")[0] if is_last else ""
    parts = split(path)[1 if is_last else 0 :]
    for place, part in enumerate(parts[:-1]):
        siblings = levels[-1]
        step = next((one for one in siblings.steps if siblings.called.get(one.name, one.name) == part.called), None)
        if step is None:
            break
        at = child(at, part.text)
        following = parts[place + 1]
        levels.append(_body(step, at, following.called))
    return levels[::-1]


def _body(step: WorkflowStep, at: str, following: str) -> Siblings:
    """Return the list of steps in *step* that has one called *following* in paths."""
    first, second = bodies(step)
    called = second_branch(step) if isinstance(step, ConditionalStep) else {}
    if following in called.values() and following not in {one.name for one in first}:
        return Siblings(at, second, called)
    return Siblings(at, first)


def _down(siblings: Siblings, step: WorkflowStep, names: Sequence[str]) -> Meant:
    path = edge = siblings.path_of(step)
    is_put_together = True
    for name in names[1:]:
        if isinstance(step, LoopStep | MapStep):
            raise UnknownStepError(f"{name!r} lies in {path}, which has it more than once; read {path}'s output")
        is_put_together = is_put_together and is_plain(step)
        first, second = bodies(step)
        called = second_branch(step) if isinstance(step, ConditionalStep) else {}
        inner = next((one for one in (*first, *second) if one.name == name), None)
        if inner is None:
            there = ", ".join(one.name for one in (*first, *second)) or "none"
            raise UnknownStepError(f"{path} has no step {name!r}; it has {there}")
        path = child(path, name if inner in first else called.get(name, name))
        edge = path if is_put_together else edge
        step = inner
    return Meant(path, step, edge)


def _all(siblings: Siblings) -> Iterator[Siblings]:
    """Yield all lists of steps, but those in loops and maps, which stand there more than once."""
    yield siblings
    for step in siblings.steps:
        if not isinstance(step, LoopStep | MapStep):
            first, second = bodies(step)
            at = siblings.path_of(step)
            yield from _all(Siblings(at, first))
            if second:
                yield from _all(Siblings(at, second, second_branch(step) if isinstance(step, ConditionalStep) else {}))
