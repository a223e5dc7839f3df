"""Paths of steps: names from the workflow down, as ``deploy_all[17]/resize``.

A loop's turn and a map's item stand in brackets behind its name, ``~do`` is the task of a step that is more than one,
``~finally`` the steps at a workflow's end, and ``~else`` follows a name in the second branch that the first has too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from taskengine.models import (
    ConditionalStep,
    LoopStep,
    MapStep,
    ParallelStep,
    SequentialStep,
    WorkflowDefinition,
    WorkflowStep,
)

#: Behind the path of a step: the task that it consists of.
DO = "~do"
#: Before the paths of ``finally_steps``.
FINALLY = "~finally"
#: Seconds for them.
FINALLY_SECONDS = 600.0
_ELSE = "~else"
_LAST = re.compile(r"~finally(@\d+)?")
_PART = re.compile(r"(?P<called>(?P<name>[A-Za-z_]\w*)(?P<second>~else)?)(?:\[(?P<number>\d+)\])?(?:~do)?")


@dataclass(frozen=True, slots=True)
class PathPart:
    """One step on the way of a path."""

    text: str
    name: str
    #: The name, or what stands for it where both branches have it.
    called: str
    #: Of a loop's turn, or a map's item.
    number: int | None


def split(path: str) -> list[PathPart]:
    """Return the steps on the way of a path; KeyError for what is none."""
    return [_part(text) for text in path.split("/")] if path else []


def _part(text: str) -> PathPart:
    if _LAST.fullmatch(text):
        return PathPart(text, FINALLY, text, None)
    found = _PART.fullmatch(text)
    if found is None:
        raise KeyError(text)
    number = found["number"]
    return PathPart(text, found["name"], found["called"], None if number is None else int(number))


def child(scope: str, name: str) -> str:
    """Return the path of a step called *name* in the scope of a path; '' is the workflow."""
    return f"{scope}/{name}" if scope else name


def last_steps(retries: int) -> str:
    """Return the path of the steps at a workflow's end, which are put anew when it is retried."""
    return f"{FINALLY}@{retries + 1}" if retries else FINALLY


def numbered(path: str, number: int) -> str:
    """Return the scope of a loop's turn, or of a map's item, 0 the first."""
    return f"{path}[{number}]"


def second_branch(step: ConditionalStep) -> dict[str, str]:
    """Names of false steps -> what they are called in paths."""
    taken = {one.name for one in step.true_steps}
    return {one.name: one.name + _ELSE if one.name in taken else one.name for one in step.false_steps}


def find_step(definition: WorkflowDefinition, path: str) -> WorkflowStep:
    """Return the step that a path means; KeyError when there is none.

    ``~finally`` means the steps at its end as one sequence, which has ten minutes.
    """
    if _LAST.fullmatch(path):
        return SequentialStep.model_construct(
            kind="sequential", name=FINALLY, sub_steps=definition.finally_steps, timeout=FINALLY_SECONDS
        )
    found: WorkflowStep | None = None
    steps: Sequence[WorkflowStep] = definition.steps
    seconds: Sequence[WorkflowStep] = ()
    for part in split(path):
        if part.name == FINALLY:
            steps, seconds = definition.finally_steps, ()
            continue
        among = seconds if part.called != part.name else (*steps, *seconds)
        found = next((one for one in among if one.name == part.name), None)
        if found is None:
            raise KeyError(path)
        steps, seconds = bodies(found)
    if found is None:
        raise KeyError(path)
    if isinstance(found, MapStep) and split(path)[-1].number is not None:
        return SequentialStep.model_construct(kind="sequential", name=found.name, sub_steps=found.steps)
    return found


def bodies(step: WorkflowStep) -> tuple[Sequence[WorkflowStep], Sequence[WorkflowStep]]:
    """Return the steps in a step, those of a second branch apart."""
    match step:
        case ParallelStep() | SequentialStep():
            return step.sub_steps, ()
        case ConditionalStep():
            return step.true_steps, step.false_steps
        case LoopStep():
            return step.loop_steps, ()
        case MapStep():
            return step.steps, ()
        case _:
            return (), ()

