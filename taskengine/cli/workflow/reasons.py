"""Why a workflow does not move, in a few sentences, with the command that helps where there is one."""

from __future__ import annotations

from itertools import islice

from taskengine.api import BlockingTaskAPI
from taskengine.cli.workflow.tree import leaves
from taskengine.core.steps.paths import find_step
from taskengine.errors import NotFoundError
from taskengine.models import ApprovalStep, StepState, StepStatus, WaitStep, WorkflowDefinition, WorkflowState

#: Steps that are told of.
_TOLD = 3
_WAITING = frozenset({StepStatus.WAITING})
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
    waits = [step for step in begun if step.status in _WAITING and step.why is None]
    definition = api.get_workflow(state.id) if waits else None
    found = [f"{step.path}: {_why(api, state, step, definition)}" for step in islice(begun, _TOLD)]
    return found + ([f"and {len(begun) - _TOLD} more steps"] if len(begun) > _TOLD else [])


def _idle(api: BlockingTaskAPI) -> list[str]:
    """Nothing has begun: somebody has to decide what does."""
    if api.health_check().get("coordinator") is None:
        return ["no coordinator leads, and one decides which step is next; start one: taskengine coordinator"]
    return []


def _why(api: BlockingTaskAPI, state: WorkflowState, step: StepState, definition: WorkflowDefinition | None) -> str:
    if step.why:
        return step.why
    if step.status in _WAITING and definition is not None:
        return _awaited(state, step, definition)
    try:
        return str(api.explain(step.task_id).headline) if step.task_id and step.kind in ("task",) else step.status.value
    except NotFoundError:  # it is over by now
        return step.status.value


def _awaited(state: WorkflowState, step: StepState, definition: WorkflowDefinition) -> str:
    """Return what a step waits for, by its definition."""
    try:
        found = find_step(definition, step.path)
    except KeyError:  # it lies in a workflow of its own
        return "waits"
    if isinstance(found, ApprovalStep):
        return f"waits for an answer: taskengine workflow approve {state.id} {step.path}"
    if not isinstance(found, WaitStep):
        return "waits"
    if found.signal:
        return f"waits for the signal {found.signal!r}: taskengine workflow signal {state.id} {found.signal}"
    if found.wait_condition is not None:
        return "waits for its condition, which is asked again after each change of a variable"
    return "waits for its moment"
