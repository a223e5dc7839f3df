"""Pause, resume and cancel workflows: a workflow is its run."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from taskengine.api.arguments import Id, id_text, text
from taskengine.api.context import OperationContext
from taskengine.api.operations import pause
from taskengine.api.operations.refusals import part_not_retried
from taskengine.api.operations.workflow_read import get_workflow
from taskengine.api.operations.workflow_start import Order, new_workflow, start_workflow
from taskengine.core import remedy
from taskengine.core.lifecycle import REOPENABLE, TERMINAL, WORKFLOW_OVER
from taskengine.core.workflow_verbs import allowed
from taskengine.errors import NotAllowedError, NotFoundError
from taskengine.models import Workflow
from taskengine.store import steps, workflows
from taskengine.store.call import Operation
from taskengine.store.codec import loads_object
from taskengine.store.fields import FrameField, TaskField


def pause_workflow(
    context: OperationContext, workflow_id: Id, reason: str | None, until: datetime | None, by: str | None
) -> Operation[bool]:
    """Pause a workflow's run; False when it is paused already."""
    workflow = yield from _open(context, workflow_id, "paused")
    if workflow.run_id != workflow.id:  # a task runs it: its steps are the run's, with those of other tasks
        run = workflow.run_id
        call = remedy.named(f"pause(run_id='{run}')", f"taskengine pause --run {run}")
        says = f"task {workflow.id} runs workflow {workflow.name!r} within run {run}; pause that: {call}"
        raise NotAllowedError(says, id=workflow.id)
    was_paused = workflow.reason is not None and workflow.reason.startswith("paused: ")
    yield from pause.pause(
        capability=None, agent_id=None, run_id=workflow.id, everything=False, reason=reason, until=until, by=by
    )
    return not was_paused


def resume_workflow(workflow_id: Id, by: str | None) -> Operation[bool]:
    """End the pause of a workflow's run; False when it was not paused."""
    id = id_text(workflow_id, "workflow_id")
    if (yield from _look(id)) is None:
        raise NotFoundError("workflow", id)
    return (yield from pause.resume(capability=None, agent_id=None, run_id=id, everything=False, by=by))


def cancel_workflow(workflow_id: Id, reason: str) -> Operation[bool]:
    """Cancel a workflow; False when it is over, or is being cancelled, already.

    What has not started is cancelled here, so also while no coordinator lives; what runs is asked to stop, and what
    lies in steps of their own hears of it from the coordinator.
    """
    id, why = id_text(workflow_id, "workflow_id"), text(reason, "reason", 10_000)
    is_new: bool | None = None
    while True:
        facts = yield from _look(id)
        if facts is None:
            raise NotFoundError("workflow", id)
        if facts.fields["st"] in TERMINAL or (is_new is None and facts.fields.get("end_as")):
            return bool(is_new)
        is_new = True
        answer = yield from steps.end_children("", "", id, facts.revision, "cancelled", why)
        if answer.ok and not answer.number():
            return True


def _look(id: str) -> Operation[steps.StepFacts | None]:
    (facts,) = yield from steps.look([(id, "")])
    is_one = facts is not None and (facts.fields.get("k") == "workflow" or facts.fields.get(TaskField.queue) == "%w")
    return facts if is_one else None


def _open(context: OperationContext, workflow_id: Id, word: str) -> Operation[Workflow]:
    workflow = yield from get_workflow(context, workflow_id)
    if workflow.status in WORKFLOW_OVER:
        raise NotAllowedError(
            f"workflow {workflow.name!r} ({workflow.id}) is {workflow.status} and cannot be {word}; "
            f"{allowed(workflow.status, workflow.id)}",
            id=workflow.id,
        )
    return workflow


def retry_workflow(context: OperationContext, workflow_id: Id) -> Operation[bool]:
    """Open a FAILED or CANCELLED workflow again: what completed keeps its result. One that a step of another runs is
    opened with that.
    """
    id = id_text(workflow_id, "workflow_id")
    is_open = False
    while True:
        facts = yield from _look(id)
        if facts is None:
            raise NotFoundError("workflow", id)
        if facts.fields.get(TaskField.parent):
            raise (yield from part_not_retried(context, id))
        if not is_open and facts.fields["st"] not in REOPENABLE:
            at = "cancelling" if facts.fields.get("end_as") == "cancelled" else facts.fields["st"]
            says = f"workflow {id} is {at}; only a failed or cancelled one is retried; {allowed(at, id)}"
            raise NotAllowedError(says, id=id)
        answer = yield from steps.retry_scope("", "", id, facts.revision)
        is_open = is_open or answer.ok
        if answer.ok and not answer.number():
            return True


def restart_workflow(context: OperationContext, workflow_id: Id) -> Operation[UUID]:
    """Start the definition, context and first variables of a workflow again; the id of the new one."""
    before = yield from get_workflow(context, workflow_id)
    stored = yield from workflows.read(str(before.id))
    if stored is None:
        raise NotFoundError("workflow", before.id)
    first = loads_object(stored.frame.get(FrameField.begun_with, "{}"))
    again = new_workflow(before.definition).with_checked({"variables": first})
    return (yield from start_workflow(context, Order(again)))
