"""Wait until a workflow is over, and say in the log what it waits for when it does not move."""

from __future__ import annotations

import logging

from taskengine.api.context import OperationContext
from taskengine.api.operations.explain import explain_task
from taskengine.api.operations.wait import until_over
from taskengine.api.operations.workflow_read import get_workflow_status
from taskengine.core.status_tree import leaves
from taskengine.errors import NotFoundError, WaitTimeoutError
from taskengine.models import StepState, StepStatus, WorkflowState
from taskengine.store import history
from taskengine.store.call import Operation

_log = logging.getLogger(__name__)

#: Seconds without progress before it is said why, doubled each time up to the longest.
_PATIENCE, _LONGEST = 2.0, 60.0
#: Steps that are named.
_NAMED = 3
_BEGUN = frozenset(
    {StepStatus.READY, StepStatus.RUNNING, StepStatus.WAITING, StepStatus.RETRYING, StepStatus.PAUSED}
)


def until_workflow_over(context: OperationContext, id: str, timeout: float | None) -> Operation[None]:
    """Wait for the end of a workflow; WaitTimeoutError when it is not over in time."""
    deadline = None if timeout is None else context.clock() + timeout
    seen = yield from history.last_sequence(context.keys, id)
    patience, said = _PATIENCE, ""
    while True:
        left = patience if deadline is None else min(patience, max(0.0, deadline - context.clock()))
        try:
            return (yield from until_over(context, [id], left))
        except WaitTimeoutError:
            if deadline is not None and context.clock() >= deadline:
                raise (yield from _late(context, id, timeout or 0)) from None
        now = yield from history.last_sequence(context.keys, id)
        if now != seen:
            seen, patience = now, _PATIENCE
            continue
        patience = min(_LONGEST, 2 * patience)
        said = yield from _say(context, id, said)


def _late(context: OperationContext, id: str, seconds: float) -> Operation[WaitTimeoutError]:
    state = yield from get_workflow_status(context, id)
    why = yield from _why(context, state)
    says = f"workflow {state.name!r} ({id}) did not end within {seconds:g} s, and goes on; {why}"
    return WaitTimeoutError([id], seconds, says=says)


def _say(context: OperationContext, id: str, before: str) -> Operation[str]:
    """Log what a workflow waits for, unless that was said before; what it is."""
    state = yield from get_workflow_status(context, id)
    why = yield from _why(context, state)
    if why != before:
        _log.warning("waiting workflow=%s name=%r why=%s", id, state.name, why)
    return why


def _why(context: OperationContext, state: WorkflowState) -> Operation[str]:
    return state.why or state.reason or (yield from _of_steps(context, (*state.steps, *state.finally_steps)))


def _of_steps(context: OperationContext, states: tuple[StepState, ...]) -> Operation[str]:
    begun = [one for one in leaves(states) if one.status in _BEGUN]
    said = []
    for one in begun[:_NAMED]:
        said.append(f"{one.path}: {(yield from _of_step(context, one))}")
    return ", ".join(said) or "nothing in it has begun"


def _of_step(context: OperationContext, state: StepState) -> Operation[str]:
    if state.kind == "task" and state.task_id is not None:
        try:
            return (yield from explain_task(context, state.task_id)).headline
        except NotFoundError:
            pass  # it is gone by now
    return state.why or state.status.value
