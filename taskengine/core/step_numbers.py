"""How a turn of a loop, or an item of a map, stands."""

from __future__ import annotations

from collections.abc import Sequence

from taskengine.core.lifecycle import TERMINAL
from taskengine.core.status_tree import StepFields
from taskengine.models import LoopStep, MapStep, StepState, StepStatus
from taskengine.models.enums import TaskStatus
from taskengine.models.workflow_status import TERMINAL_STEPS

_FAILED = frozenset({StepStatus.FAILED, StepStatus.CANCELLED})
_NOT_BEGUN = frozenset({StepStatus.PENDING, StepStatus.NOT_TAKEN})


def number_state(
    step: LoopStep | MapStep, at: int, path: str, own: StepFields | None, children: Sequence[StepState],
    label: str | None,
) -> StepState | None:  # fmt: skip
    """Return the state of turn or item *at*, with the steps in it; None where nothing is stored of it.

    *own* is stored of an item of several steps.
    """
    if own is None and all(one.task_id is None for one in children):
        return None
    status = _status(own, children)
    begun = [one.started_at for one in children if one.started_at]
    ended = [one.completed_at for one in children if one.completed_at]
    failed = next((one for one in children if one.status in _FAILED), None)
    return StepState(
        path=path,
        name=f"{step.name}[{at}]",
        kind="turn" if isinstance(step, LoopStep) else "item",
        status=status,
        task_id=own.id if own else None,
        started_at=min(begun, default=None),
        completed_at=max(ended, default=None) if status in TERMINAL_STEPS else None,
        error_message=failed.error_message if failed else None,
        error_kind=failed.error_kind if failed else None,
        label=label,
        children=tuple(children),
    )


def _status(own: StepFields | None, children: Sequence[StepState]) -> StepStatus:
    if own is not None and TaskStatus(own.fields["st"]) in TERMINAL:
        return StepStatus(own.fields["st"])
    worst = next((one.status for one in children if one.status in _FAILED), None)
    if worst is not None and own is None:
        return worst
    if all(one.status in TERMINAL_STEPS for one in children):
        return StepStatus.COMPLETED if own is None else StepStatus.RUNNING
    return StepStatus.PENDING if all(one.status in _NOT_BEGUN for one in children) else StepStatus.RUNNING
