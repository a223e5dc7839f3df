"""Why a workflow does not move, in a few sentences, with the command that helps where there is one."""

from __future__ import annotations

from itertools import islice

from taskengine.api import BlockingTaskAPI
from taskengine.cli.workflow.tree import leaves
from taskengine.errors import NotFoundError
from taskengine.models import StepState, StepStatus, WorkflowState

#: Steps that are told of.
_TOLD = 3
_BEGUN = frozenset(
    {StepStatus.READY, StepStatus.RUNNING, StepStatus.RETRYING, StepStatus.PAUSED, StepStatus.WAITING}
)


def reasons(api: BlockingTaskAPI, state: WorkflowState) -> list[str]:
    """Return what a workflow waits for; [] when nothing is known."""
    if why := state.why or state.reason:
        return [why]
    begun = [step for step in leaves(state) if step.status in _BEGUN]
    if not begun:
        return _idle(api)
    found = [f"{step.path}: {_why(api, step)}" for step in islice(begun, _TOLD)]
    return found + ([f"and {len(begun) - _TOLD} more steps"] if len(begun) > _TOLD else [])


def _idle(api: BlockingTaskAPI) -> list[str]:
    """Nothing has begun: somebody has to decide what does."""
    if api.health_check().get("coordinator") is None:
        return ["no coordinator leads, and one decides which step is next; start one: taskengine coordinator"]
    return []


def _why(api: BlockingTaskAPI, step: StepState) -> str:
    if step.why:
        return step.why
    try:
        return str(api.explain(step.task_id).headline) if step.task_id and step.kind in ("task",) else step.status.value
    except NotFoundError:  # it is over by now
        return step.status.value

