"""What follows from the definition of a step alone: whether it asks for nothing more, and who stands before it."""

from __future__ import annotations

from collections.abc import Sequence

from taskengine.models import ParallelStep, SequentialStep, TaskStep, WorkflowStep

#: Steps of a flattened group: its gate depends on as many, and one script puts it.
MOST_FLAT = 200


def is_plain(step: WorkflowStep) -> bool:
    """Return whether a step asks for nothing but that it be done: then nobody has to think about it."""
    if step.when is not None or step.outputs or step.timeout is not None or step.on_failure != "fail":
        return False
    match step:
        case TaskStep():
            return True
        case SequentialStep():
            return len(step.sub_steps) <= MOST_FLAT
        case ParallelStep():
            return step.mode == "fail_fast" and len(step.sub_steps) <= MOST_FLAT
        case _:
            return False


def named_before(steps: Sequence[WorkflowStep], at: int, *, in_parallel: bool = False) -> Sequence[str]:
    """Names of the siblings that the step at a place depends on."""
    named = steps[at].depends_on
    if named is not None:
        return named
    return () if in_parallel or at == 0 else (steps[at - 1].name,)


def last_of(steps: Sequence[WorkflowStep]) -> WorkflowStep:
    """Return the last of steps one after the other, for which no other waits: whose result is theirs."""
    return ends(steps)[-1]


def ends(steps: Sequence[WorkflowStep], *, in_parallel: bool = False) -> list[WorkflowStep]:
    """Return the steps for which no other waits, in their order."""
    waited_for = {name for at in range(len(steps)) for name in named_before(steps, at, in_parallel=in_parallel)}
    return [step for step in steps if step.name not in waited_for]
