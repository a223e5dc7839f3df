"""The steps of a definition with their places, and which one a name in an expression means.

``steps.build`` is looked for among the siblings of whoever says it, then outwards; else it is the only step of that
name in the workflow. ``steps.deploy_all.deploy`` goes on from there, down. A definition that is written into a
sub_workflow step is one of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from taskengine.core.steps.paths import FINALLY, child, second_branch
from taskengine.models import ConditionalStep, LoopStep, MapStep, ParallelStep, WorkflowDefinition, WorkflowStep
from taskengine.models.definition import Location, did_you_mean


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One step where it stands."""

    #: As the engine spells it, but for the numbers of turns and items.
    path: str
    #: From the definition down: ``("steps", 2, "true_steps", 0)``.
    location: Location
    step: WorkflowStep
    #: The step that it lies in; None at the top.
    parent: Place | None
    #: The steps of its list, itself included.
    siblings: Sequence[WorkflowStep] = field(repr=False)
    in_parallel: bool = False

    @property
    def above(self) -> Iterator[Place]:
        """The steps that it lies in, the nearest first."""
        place = self.parent
        while place is not None:
            yield place
            place = place.parent

    @property
    def body(self) -> Place | None:
        """The nearest loop or map that it lies in."""
        return next((place for place in self.above if isinstance(place.step, LoopStep | MapStep)), None)

    @property
    def before(self) -> tuple[str, ...]:
        """Names of the siblings that it waits for."""
        if self.step.depends_on is not None:
            return self.step.depends_on
        at = self.location[-1]
        return (self.siblings[at - 1].name,) if isinstance(at, int) and at and not self.in_parallel else ()


class StepIndex:
    """All steps of one definition."""

    def __init__(self, definition: WorkflowDefinition, lost: frozenset[str] = frozenset()) -> None:
        #: Names of steps that are not in it although the author wrote them, because they were wrong.
        self.lost = lost
        #: In the order of the definition.
        self.places = [
            *_places("", definition.steps, ("steps",), None),
            *_places(FINALLY, definition.finally_steps, ("finally_steps",), None),
        ]
        self._paths = {place.path: place for place in self.places}
        self._inside: dict[int, list[Place]] = {}
        self._named: dict[tuple[int, str], list[Place]] = {}
        self._anywhere: dict[str, list[Place]] = {}
        for place in self.places:
            self._inside.setdefault(id(place.parent), []).append(place)
            self._named.setdefault((id(place.parent), place.step.name), []).append(place)
            self._anywhere.setdefault(place.step.name, []).append(place)

    def inside(self, parent: Place | None) -> list[Place]:
        """Return the steps that lie directly in a step; None: at the top."""
        return self._inside.get(id(parent), [])

    def scopes(self) -> list[list[Place]]:
        """Lists of siblings, as they stand in the definition."""
        found: dict[Location, list[Place]] = {}
        for place in self.places:
            found.setdefault(place.location[:-1], []).append(place)
        return list(found.values())

    def below(self, place: Place) -> Iterator[Place]:
        """Yield a step and all that lie in it."""
        yield place
        for inner in self.inside(place):
            yield from self.below(inner)

    def at(self, path: str) -> Place:
        """Return the step at a path without numbers; KeyError when there is none."""
        return self._paths[path]

    def find(self, names: Sequence[str], place: Place | None) -> Place | str:
        """Return the step that *names* mean at *place* (None: in the workflow's own outputs), or why there is none."""
        found = self._first(names[0], place)
        for name in names[1:]:
            if isinstance(found, str):
                return found
            if isinstance(found.step, LoopStep | MapStep):
                return f"{found.path!r} runs its steps many times; {_instead(found)}"
            inner = self._named.get((id(found), name), [])
            if not inner:
                return _unknown(name, self.inside(found), f"in {found.path!r}")
            if len(inner) > 1:
                return _ambiguous(name, inner)
            found = inner[0]
        return found if isinstance(found, str) else _reachable(found, place)

    def _first(self, name: str, place: Place | None) -> Place | str:
        around = [place.parent, *(above.parent for above in place.above)] if place else [None]
        for parent in around:
            found = _same_list(self._named.get((id(parent), name), []), place)
            if len(found) == 1:
                return found[0]
        everywhere = self._anywhere.get(name, [])
        once = [each for each in everywhere if each.body is None]
        if len(once) == 1:
            return once[0]
        if everywhere and not once:
            return _many_times(everywhere[0], place)
        return _ambiguous(name, once) if once else _unknown(name, self.places, "in this workflow")


def _same_list(found: list[Place], place: Place | None) -> list[Place]:
    """Of steps beside *place* or around it, those of its own branch, or of its own part of the workflow.

    A step at the end may read the main steps, which are over by then.
    """
    if not found or place is None:
        return [each for each in found if each.parent is not None or each.location[-2] == "steps"]
    mine = next(each for each in (place, *place.above) if each.parent is found[0].parent)
    own = [each for each in found if each.location[:-1] == mine.location[:-1]]
    is_last = mine.parent is None and mine.location[-2] == "finally_steps"
    return own or (found if is_last else [])


def _reachable(found: Place, place: Place | None) -> Place | str:
    above = tuple(place.above) if place else ()
    if found is place:
        return f"{found.path!r} is the step itself; its own output is output, and only in its outputs"
    if found in above:
        return f"the step lies in {found.path!r}, which is not over while it runs"
    if found.body is not None and found.body not in above:
        return _many_times(found, place)
    return found


def _many_times(found: Place, place: Place | None) -> str:
    body = found.body
    instead = "let it set a variable by its outputs" if body is None or body is place else _instead(body)
    return f"{found.path!r} runs many times; {instead}"


def _instead(body: Place) -> str:
    return f"read steps.{body.step.name}.output"


def _unknown(name: str, among: Sequence[Place], where: str) -> str:
    return f"there is no step {name!r} {where}{did_you_mean(name, [each.step.name for each in among])}"


def _ambiguous(name: str, found: Sequence[Place]) -> str:
    paths = ", ".join(each.path.replace("/", ".") for each in found[:5])
    return f"{name!r} may be {paths}; write the whole way, as steps.{found[0].path.replace('/', '.')}"


def _places(
    scope: str,
    steps: Sequence[WorkflowStep],
    location: Location,
    parent: Place | None,
    *,
    called: Mapping[str, str] | None = None,
) -> Iterator[Place]:
    in_parallel = parent is not None and isinstance(parent.step, ParallelStep)
    for at, step in enumerate(steps):
        path = child(scope, (called or {}).get(step.name, step.name))
        place = Place(path, (*location, at), step, parent, steps, in_parallel)
        yield place
        for body in step.bodies:
            renamed = second_branch(step) if isinstance(step, ConditionalStep) and body == "false_steps" else None
            yield from _places(path, getattr(step, body), (*place.location, body), place, called=renamed)
