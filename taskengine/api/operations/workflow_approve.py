"""Somebody's answer to an approval. Who gave it is recorded, not proven: there are no identities yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from taskengine.api.arguments import Id, mapping, text, user
from taskengine.api.context import OperationContext
from taskengine.api.operations.workflow_place import place_of
from taskengine.api.operations.workflow_read import stored_workflow
from taskengine.api.operations.workflow_talk import send
from taskengine.core.forms import answer_faults
from taskengine.core.identity import step_id
from taskengine.core.steps.approval import signal_of
from taskengine.errors import InvalidInputError
from taskengine.models import ApprovalAnswer, ApprovalStep, WorkflowDefinition
from taskengine.store import workflows
from taskengine.store.call import Operation
from taskengine.store.codec import loads_object

#: Of an answer what is no field of its form.
_KNOWN = ("approved", "by", "at", "reason", "approvers")


def approve(
    context: OperationContext,
    workflow_id: Id,
    step: str,
    approved: bool,
    by: str | None,
    reason: str | None,
    form: Mapping[str, Any] | None,
) -> Operation[bool]:
    """Answer an approval; whether this is its first answer. A later one changes nothing."""
    path, filled = text(step, "step", 2000), mapping(form or {}, "form")
    id, _, definition = yield from stored_workflow(context, workflow_id)
    asked = yield from _asked(context, id, definition, path)
    if approved and asked.form is not None:
        _refuse_wrong(asked.form, filled)
    answer = {
        **filled,
        "approved": bool(approved),
        "by": user(by, "by"),
        "at": datetime.fromtimestamp(context.clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    if asked.approvers:
        answer["approvers"] = list(asked.approvers)
    if reason is not None:
        answer["reason"] = text(reason, "reason", 10_000)
    return (yield from send(context, id, signal_of(path), answer, str(step_id(id, path)), is_kept=True))


def get_approval(context: OperationContext, workflow_id: Id, step: str) -> Operation[ApprovalAnswer | None]:
    """Return the answer that an approval has; None before it has one."""
    path = text(step, "step", 2000)
    id, _, definition = yield from stored_workflow(context, workflow_id)
    yield from _asked(context, id, definition, path)
    written = yield from workflows.kept_signal(context.keys, id, signal_of(path), str(step_id(id, path)))
    if written is None:
        return None
    said = loads_object(written)["payload"]
    known = {name: said.pop(name) for name in _KNOWN if name in said}
    return ApprovalAnswer(**known, form=said)


def _asked(
    context: OperationContext, id: str, definition: WorkflowDefinition, path: str
) -> Operation[ApprovalStep]:
    asked = (yield from place_of(context, id, definition, path)).step
    if not isinstance(asked, ApprovalStep):
        raise InvalidInputError(f"step {path} is a {asked.kind} step; only approvals are answered", field="step")
    return asked


def _refuse_wrong(form: Mapping[str, Any], filled: Mapping[str, Any]) -> None:
    if faults := answer_faults(form, dict(filled)):
        raise InvalidInputError(f"form: {'; '.join(faults)}", field="form")
