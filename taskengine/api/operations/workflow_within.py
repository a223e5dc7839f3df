"""How steps stand that share variables: those of a workflow, or of one that a step of it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from taskengine.api.context import OperationContext
from taskengine.api.operations.workflow_place import StepPlace, place_of
from taskengine.api.operations.workflow_why import surroundings
from taskengine.core.identity import step_id
from taskengine.core.status_tree import States, StepFields, paths_in
from taskengine.core.steps.names import around
from taskengine.core.steps.paths import DO, find_step, split
from taskengine.models import ParallelStep, StepState, WorkflowDefinition, WorkflowStep
from taskengine.store import steps
from taskengine.store.call import Operation
from taskengine.store.keys import Keys
from taskengine.store.step_values import Where
from taskengine.store.workflows import Stored


@dataclass(frozen=True, slots=True)
class Within:
    """A workflow, and a part of it that has variables of its own."""

    keys: Keys
    id: str
    stored: Stored
    frame: str
    prefix: str
    definition: WorkflowDefinition

    def states(self, paths: Sequence[str]) -> Operation[States]:
        """Return what is stored of the steps at these paths."""
        found = yield from steps.read([str(step_id(self.id, path)) for path in paths])
        by_path = {path: StepFields(step_id(self.id, path), one) for path, one in zip(paths, found, strict=True) if one}
        where = Where(self.id, self.frame, self.prefix, self.definition, "")
        paused = bool(self.stored.pause[0])
        seen = yield from surroundings(self.keys, where, by_path, paused=paused)
        return States(by_path, seen)


def within(keys: Keys, id: str, stored: Stored, place: StepPlace) -> Within:
    """Return what a step shares its variables with."""
    frame = str(step_id(id, place.prefix)) if place.prefix else id
    return Within(keys, id, stored, frame, place.prefix, place.definition)


def step_at(
    context: OperationContext, id: str, stored: Stored, definition: WorkflowDefinition, path: str
) -> Operation[StepState]:
    """Return how the step at a path stands, with those in it; InvalidInputError when there is none.

    An item of a map is one as well.
    """
    path = path.removesuffix(DO)
    place = yield from place_of(context, id, definition, path)
    here, scope = within(context.keys, id, stored, place), path.rpartition("/")[0]
    called: Mapping[str, str] = {place.step.name: split(place.own)[-1].text}
    found = yield from here.states(list(paths_in(scope, [place.step], called)))
    return found.one(scope, place.step, called, _before(place))


def _before(place: StepPlace) -> tuple[str, ...]:
    """Names of the steps that one comes after."""
    if place.step.depends_on is not None:
        return tuple(place.step.depends_on)
    siblings = around(place.definition, place.own)[0]
    at = next((at for at, one in enumerate(siblings.steps) if one is place.step), 0)
    is_first = at == 0 or isinstance(_step(place.definition, siblings.scope), ParallelStep)
    return () if is_first else (siblings.steps[at - 1].name,)


def _step(definition: WorkflowDefinition, path: str) -> WorkflowStep | None:
    try:
        return find_step(definition, path)
    except KeyError:
        return None
