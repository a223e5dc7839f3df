"""How long a step is expected to take: what its tasks say of themselves, along the longest way through it.

It orders tasks and promises nothing: of a loop one turn counts, of a map one item, of branches the longer one, and a
workflow that is run by its name counts as one task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from taskengine.core.steps.paths import bodies
from taskengine.core.steps.plain import named_before
from taskengine.models import ParallelStep, SubWorkflowStep, TaskStep, WaitStep, WorkflowDefinition, WorkflowStep

_UNSAID = 1.0


def of_template(template: Mapping[str, JsonValue]) -> float:
    """Seconds that a task of a template takes."""
    given = template.get("estimated_seconds", _UNSAID)
    return float(given) if isinstance(given, int | float) else _UNSAID


def of_step(step: WorkflowStep) -> float:
    """Seconds that a step takes, with all that lies in it."""
    match step:
        case TaskStep():
            return of_template(step.task_template)
        case WaitStep():
            return float(step.wait_seconds or 0)
        case SubWorkflowStep():
            called = step.workflow
            return _of_steps(called.steps) if isinstance(called, WorkflowDefinition) else _UNSAID
        case _:
            return max(_of_steps(body, in_parallel=isinstance(step, ParallelStep)) for body in bodies(step))


def _of_steps(steps: Sequence[WorkflowStep], *, in_parallel: bool = False) -> float:
    """Of steps that depend on each other; one that stands behind who depends on it counts for itself."""
    ends: dict[str, float] = {}
    for at, step in enumerate(steps):
        before = named_before(steps, at, in_parallel=in_parallel)
        ends[step.name] = of_step(step) + max((ends.get(name, 0.0) for name in before), default=0.0)
    return max(ends.values(), default=0.0)
