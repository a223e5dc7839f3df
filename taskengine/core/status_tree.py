"""How the steps of a workflow stand, as the tree that its definition is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from taskengine.core.lifecycle import TERMINAL
from taskengine.core.step_why import Surroundings, undecided, why
from taskengine.core.steps.paths import DO, FINALLY, bodies, child, second_branch
from taskengine.models import (
    ApprovalStep,
    ConditionalStep,
    LoopStep,
    MapStep,
    ParallelStep,
    StepCounts,
    StepState,
    StepStatus,
    WaitStep,
    WorkflowDefinition,
    WorkflowStep,
)
from taskengine.models.enums import TaskStatus
from taskengine.models.workflow_status import TERMINAL_STEPS

_NOT_BEGUN = {TaskStatus.PENDING.value}
_BRANCHES = ("true", "false")


@dataclass(frozen=True, slots=True)
class StepFields:
    """What is stored of a step."""

    id: UUID
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tree:
    """The steps of a workflow."""

    steps: tuple[StepState, ...]
    finally_steps: tuple[StepState, ...]


def paths_of(definition: WorkflowDefinition, last: str = FINALLY) -> list[str]:
    """Return the paths of all steps that stand in the definition once: not those of turns and items."""
    return [*paths_in("", definition.steps), *paths_in(last, definition.finally_steps)]


def paths_in(scope: str, steps: Sequence[WorkflowStep], called: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield the paths of all steps of a scope, but for those of turns and items in it."""
    for step in steps:
        path = child(scope, (called or {}).get(step.name, step.name))
        yield path
        if step.kind == "task":
            yield path + DO
        if not isinstance(step, LoopStep | MapStep):
            first, second = bodies(step)
            yield from paths_in(path, first)
            yield from paths_in(path, second, _called(step))


def _called(step: WorkflowStep) -> Mapping[str, str]:
    return second_branch(step) if isinstance(step, ConditionalStep) else {}


def tree(
    definition: WorkflowDefinition, found: Mapping[str, StepFields], around: Surroundings, last: str = FINALLY
) -> Tree:
    """Return the tree, of what is stored by path; one of which nothing is stored is PENDING, or its branch was not
    taken.
    """
    made = States(found, around)
    return Tree(
        tuple(made.states("", definition.steps)),
        tuple(made.states(last, definition.finally_steps)),
    )


@dataclass(frozen=True, slots=True)
class States:
    """How steps stand, made of what is stored by path."""

    found: Mapping[str, StepFields]
    around: Surroundings

    def states(
        self, scope: str, steps: Sequence[WorkflowStep], called: Mapping[str, str] | None = None,
        missing: str = "pending", *, in_order: bool = True,
    ) -> Iterator[StepState]:  # fmt: skip
        """Yield the steps of a scope; *missing* is the status of one of which nothing is stored."""
        before: tuple[str, ...] = ()
        for step in steps:
            yield self.one(scope, step, called, before if step.depends_on is None else step.depends_on, missing)
            before = (step.name,) if in_order else ()

    def one(
        self, scope: str, step: WorkflowStep, called: Mapping[str, str] | None, behind: Sequence[str],
        missing: str = "pending",
    ) -> StepState:  # fmt: skip
        """Return one step of a scope, with those in it; *behind* are the steps that it comes after."""
        state = self._state(child(scope, (called or {}).get(step.name, step.name)), step, missing)
        return state.model_copy(update={"why": self._why(state, step, behind)})

    def _why(self, state: StepState, step: WorkflowStep, behind: Sequence[str]) -> str | None:
        own = self.found.get(state.path)
        task = self.found.get(state.path + DO)
        fields = task.fields if task else own.fields if own else {}
        return why(state, step, fields, behind, self.around) if fields else None

    def _state(self, path: str, step: WorkflowStep, missing: str) -> StepState:
        own = self.found.get(path)
        task = self.found.get(path + DO) or (own if own and step.kind == "task" else None)
        fields = own.fields if own else {}
        begun = task.fields if task else fields
        children = self._children(path, step, fields, missing)
        return StepState(
            path=path,
            name=step.name,
            kind=step.kind,
            status=_status(step, fields, begun, children, missing),
            task_id=task.id if task else own.id if own else None,
            attempt=int(begun.get("att", 0)) - ("g" in begun) if task else 0,
            started_at=self.around.moments(begun.get("sta") or fields.get("sta")),
            completed_at=self.around.moments(fields.get("fin")),
            error_message=fields.get("err") or begun.get("err"),
            error_kind=fields.get("knd") or begun.get("knd"),
            branch=fields.get("br") if isinstance(step, ConditionalStep) else None,
            counts=_turns(fields) if isinstance(step, LoopStep) else _counts(fields),
            children=children,
        )

    def _children(
        self, path: str, step: WorkflowStep, fields: Mapping[str, str], missing: str
    ) -> tuple[StepState, ...]:
        if isinstance(step, LoopStep | MapStep):
            return ()
        first, second = bodies(step)
        of_first = of_second = missing
        if isinstance(step, ConditionalStep) and "br" in fields:
            of_first, of_second = (missing if fields["br"] == one else "not_taken" for one in _BRANCHES)
        in_order = not isinstance(step, ParallelStep)
        return (
            *self.states(path, first, None, of_first, in_order=in_order),
            *self.states(path, second, _called(step), of_second),
        )


def _status(
    step: WorkflowStep, own: Mapping[str, str], begun: Mapping[str, str], children: Sequence[StepState], missing: str
) -> StepStatus:
    if not own:
        return StepStatus(missing)
    if "as" in own:
        return StepStatus(own["as"])
    status = own["st"]
    if status in TERMINAL:
        return StepStatus(status)
    if begun is not own:
        return StepStatus(begun["st"]) if begun["st"] not in TERMINAL else StepStatus.RUNNING
    if isinstance(step, WaitStep | ApprovalStep) and status not in _NOT_BEGUN:
        return StepStatus.WAITING
    if any(one.status not in _QUIET for one in children):  # of a flattened group the gate alone knows nothing of them
        return StepStatus.RUNNING
    return StepStatus(status)


_QUIET = frozenset({StepStatus.PENDING, StepStatus.NOT_TAKEN})


def _counts(fields: Mapping[str, str]) -> StepCounts | None:
    if "tot" not in fields:
        return None
    total, failed, cancelled = (int(fields.get(name, 0)) for name in ("tot", "f", "c"))
    return StepCounts(
        total=total, failed=failed, cancelled=cancelled,
        completed=max(0, total - int(fields.get("w", 0)) - failed - cancelled),
    )  # fmt: skip


def _turns(fields: Mapping[str, str]) -> StepCounts | None:
    """How the turns of a loop stand: its record counts their steps, and all turns but the last one completed."""
    turns = int(fields.get("n", 0))
    if not turns:
        return None
    failed, cancelled = (int(fields.get(name, 0)) > 0 for name in ("f", "c"))
    is_open = int(fields.get("w", 0)) > 0
    is_bad = failed or cancelled
    return StepCounts(
        total=turns, completed=turns - (is_open or is_bad), failed=not is_open and failed,
        cancelled=not is_open and not failed and cancelled,
    )  # fmt: skip


#: Steps that a workflow's sentence names.
_NAMED = 3
_BEGUN = frozenset(StepStatus) - _QUIET - TERMINAL_STEPS


def why_all(states: Sequence[StepState], fields: Mapping[str, str], around: Surroundings) -> str | None:
    """Return what a workflow waits for, where all that has begun in it waits; *fields* are stored of itself.

    None for one that is paused: it has a reason.
    """
    if around.is_paused:
        return None
    aside = [one for one in every(states) if one.path in around.poisoned and one.status not in TERMINAL_STEPS]
    if aside:  # whatever else goes on, this one does not by itself
        return f"{aside[0].path}: {aside[0].why}"
    begun = [one for one in leaves(states) if one.status in _BEGUN]
    if not begun:
        return undecided(fields, around)
    if any(one.status is not StepStatus.WAITING for one in begun):
        return None
    more = [f"and {len(begun) - _NAMED} more"] if len(begun) > _NAMED else []
    return ", ".join([*(f"{one.path}: {one.why}" for one in begun[:_NAMED]), *more])


def every(states: Sequence[StepState]) -> Iterator[StepState]:
    """Yield all steps, each before those in it."""
    for one in states:
        yield one
        yield from every(one.children)


def leaves(states: Sequence[StepState]) -> Iterator[StepState]:
    """Yield the steps that hold no others, in the order of the definition."""
    for one in states:
        yield from leaves(one.children) if one.children else (one,)
