"""The steps in one step, where a workflow's tree does not show them: turns, items, and what an inner workflow has."""

from __future__ import annotations

from collections.abc import Mapping

from taskengine.api.arguments import Id, cursor, number, text
from taskengine.api.context import OperationContext
from taskengine.api.operations.workflow_place import StepPlace, inner_definition, place_of
from taskengine.api.operations.workflow_read import stored_workflow
from taskengine.api.operations.workflow_within import Within, within
from taskengine.core.bindings import Bindings
from taskengine.core.identity import step_id
from taskengine.core.status_tree import States, paths_in
from taskengine.core.step_numbers import number_state
from taskengine.core.steps.paths import bodies, numbered, second_branch, split
from taskengine.errors import ExpressionError
from taskengine.models import ConditionalStep, LoopStep, MapStep, ParallelStep, StepPage, StepState
from taskengine.models.steps import SubWorkflowStep
from taskengine.store import steps
from taskengine.store.call import Operation
from taskengine.store.codec import loads, loads_object
from taskengine.store.step_values import items

#: Turns or items of one page, and steps in them.
MAX_PAGE, _MOST_STEPS = 100, 5000


def list_step_children(
    context: OperationContext, workflow_id: Id, step: str, limit: int, after: str | None
) -> Operation[StepPage]:
    """Return one page of the steps in a step."""
    path, start, most = text(step, "step", 2000), cursor(after), number(limit, "limit", 1, MAX_PAGE)
    id, stored, definition = yield from stored_workflow(context, workflow_id)
    place = yield from place_of(context, id, definition, path)
    here = within(context.keys, id, stored, place)
    if isinstance(place.step, SubWorkflowStep):
        inner = yield from inner_definition(context, id, place.step)
        return (yield from _inner(Within(context.keys, id, stored, str(step_id(id, path)), path, inner)))
    if isinstance(place.step, LoopStep | MapStep) and split(place.own)[-1].number is None:
        return (yield from _numbered(here, place, path, start, most))
    return (yield from _group(here, place, path))


def _inner(here: Within) -> Operation[StepPage]:
    first, last = here.definition.steps, here.definition.finally_steps
    at_end = f"{here.prefix}/~finally"
    states = yield from here.states([*paths_in(here.prefix, first), *paths_in(at_end, last)])
    return StepPage([*states.states(here.prefix, first), *states.states(at_end, last)])


def _group(here: Within, place: StepPlace, path: str) -> Operation[StepPage]:
    first, second = bodies(place.step)
    called = second_branch(place.step) if isinstance(place.step, ConditionalStep) else {}
    states = yield from here.states([*paths_in(path, first), *paths_in(path, second, called)])
    in_order = not isinstance(place.step, ParallelStep)
    return StepPage([*states.states(path, first, in_order=in_order), *states.states(path, second, called)])


def _numbered(here: Within, place: StepPlace, path: str, start: int, most: int) -> Operation[StepPage]:
    """Return turns of a loop, or items of a map."""
    (own,) = yield from steps.read([str(step_id(here.id, path))])
    there = int(own.get("n", 0)) if own else 0
    step = place.step
    assert isinstance(step, LoopStep | MapStep)
    body, _ = bodies(step)
    most = max(1, min(most, _MOST_STEPS // len(list(paths_in(path, body)))))
    numbers = range(start, min(start + most, there))
    scopes = [numbered(path, at) for at in numbers]
    asked = [each for scope in scopes for each in (scope, *paths_in(scope, body))]
    states = yield from here.states(asked)
    labels = (yield from _labels(here, step, path, numbers)) if isinstance(step, MapStep) else {}
    made = [_state(states, step, path, at, labels) for at in numbers]
    more = numbers.stop < there
    return StepPage([one for one in made if one is not None], str(numbers.stop) if more else None)


def _state(
    states: States, step: LoopStep | MapStep, path: str, at: int, labels: Mapping[int, str]
) -> StepState | None:
    """Return how a turn or an item stands; None for a turn that is kept no more."""
    scope, (body, _) = numbered(path, at), bodies(step)
    return number_state(step, at, scope, states.found.get(scope), tuple(states.states(scope, body)), labels.get(at))


def _labels(here: Within, step: MapStep, path: str, numbers: range) -> Operation[dict[int, str]]:
    """Return what the items are called for people, where the step says so."""
    if step.label is None or not numbers:
        return {}
    found = {}
    context = loads_object(here.stored.frame.get("ctx", "{}"))
    for at, item in zip(numbers, (yield from items(str(step_id(here.id, path)), numbers)), strict=True):
        others = {"index": at, "item": None if item is None else loads(item)}
        try:
            found[at] = str(Bindings(context=context, others=others).evaluate(step.label))
        except ExpressionError:
            continue  # it has none
    return found
