"""Which verbs a workflow takes where another one was refused."""

from __future__ import annotations

from taskengine.core import remedy
from taskengine.models.enums import WorkflowStatus

_S = WorkflowStatus
_WORDS = {
    _S.COMPLETED: ("restart",),
    _S.FAILED: ("retry", "restart"),
    _S.CANCELLED: ("retry", "restart"),
    _S.CANCELLING: ("wait",),
    _S.PAUSED: ("resume", "cancel", "signal", "restart"),
}
_ELSE = ("pause", "cancel", "signal", "restart")


def allowed(status: str, id: object) -> str:
    """Return what may be done with a workflow in this state: ``allowed: retry_workflow, restart_workflow``."""
    words = _WORDS.get(WorkflowStatus(status), _ELSE)
    methods = ", ".join(f"{word}_workflow" for word in words)
    commands = ", ".join("watch" if word == "wait" else word for word in words)
    return remedy.named(f"allowed: {methods}", f"allowed: taskengine workflow {commands} {id}")
