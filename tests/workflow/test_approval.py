"""Approvals: what they ask for is held against its form, one answer counts, and who gave it is on record."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import InvalidInputError, NotFoundError, Task, Workflow, WorkflowStep
from taskengine.testing import Engine

from .conftest import work

FORM = {
    "type": "object",
    "required": ["hosts"],
    "properties": {"hosts": {"type": "integer", "minimum": 1}, "note": {"type": "string", "pattern": "^[a-z]*$"}},
}


def approval(**more: Any) -> WorkflowStep:
    return WorkflowStep(kind="approval", name="ask", prompt="?", **more)


def workflow(*steps: WorkflowStep, **more: Any) -> Workflow:
    return Workflow(name="w", steps=steps, **more)


def test_an_answer_that_does_not_fit_the_form_is_refused_with_all_that_is_wrong(engine: Engine) -> None:
    handle = engine.api.start_workflow(workflow(approval(form=FORM)))
    for form in ({"hosts": 0, "note": "A"}, {"hosts": "many", "note": 5}):
        with pytest.raises(InvalidInputError, match=r"form: .*hosts: .*note: ") as caught:
            handle.approve("ask", form=form)
        assert caught.value.field == "form"
    with pytest.raises(InvalidInputError, match="'hosts' is a required property"):
        handle.approve("ask")
    assert handle.approve("ask", form={"hosts": 2}) is True


def test_a_rejection_needs_no_form(engine: Engine) -> None:
    handle = engine.api.start_workflow(workflow(approval(form=FORM, on_reject="continue")))
    assert handle.approve("ask", approved=False, by="ann") is True
    assert handle.result().status == "completed"


def test_who_answered_is_recorded_beside_who_was_asked(engine: Engine) -> None:
    asked = approval(approvers=["ann", "bo"])
    handle = engine.api.start_workflow(workflow(asked, outputs={"said": "${steps.ask.output}"}))
    assert handle.approve("ask", by="eve", reason="they are away") is True  # recorded, not proven
    assert handle.result().result == {
        "said": {
            "approved": True, "by": "eve", "at": "2030-01-01T00:00:00.000Z", "approvers": ["ann", "bo"],
            "reason": "they are away",
        }
    }  # fmt: skip


def test_the_first_answer_stands_also_when_it_came_before_the_question(engine: Engine) -> None:
    handle = engine.api.start_workflow(workflow(approval(), outputs={"by": "${steps.ask.output.by}"}))
    assert handle.approve("ask", by="ann") is True
    assert handle.approve("ask", approved=False, by="bo") is False
    assert handle.result().result == {"by": "ann"}


def test_a_rejected_approval_that_is_retried_takes_another_answer(engine: Engine) -> None:
    handle = engine.api.start_workflow(workflow(approval()))
    assert handle.approve("ask", approved=False, by="ann") is True
    engine.run_until_idle()
    assert handle.retry() is True
    assert handle.approve("ask", by="ann") is True
    assert handle.result().status == "completed"


def test_a_form_in_an_inner_workflow_counts_too(engine: Engine) -> None:
    engine.api.register_workflow(Workflow(name="inner", steps=[approval(form=FORM)]))
    sub = WorkflowStep(kind="sub_workflow", name="sub", workflow="inner")
    loop = WorkflowStep(
        kind="loop", name="l", loop_condition="iteration < 1", loop_steps=[sub], max_iterations=2
    )
    handle = engine.api.start_workflow(workflow(loop))
    engine.run_until_idle()
    with pytest.raises(InvalidInputError, match="required"):
        handle.approve("l[0]/sub/ask", form={})
    assert handle.approve("l[0]/sub/ask", form={"hosts": 1}) is True
    assert handle.result().status == "completed"


def test_only_an_approval_that_is_there_is_answered(engine: Engine) -> None:
    handle = engine.api.start_workflow(workflow(approval(), WorkflowStep(name="a", task_template=work())))
    with pytest.raises(InvalidInputError, match="step a is a task step; only approvals are answered"):
        handle.approve("a")
    with pytest.raises(InvalidInputError, match="has no step 'nope'"):
        handle.approve("nope")
    task = engine.api.create_task(Task(name="t", capability="x"))
    with pytest.raises(NotFoundError):
        engine.api.approve(task.id, "ask")



@pytest.mark.parametrize("is_taken", [False, True])
@pytest.mark.parametrize("approved", [True, False])
def test_whoever_comes_second_can_see_the_first_answer(engine: Engine, *, is_taken: bool, approved: bool) -> None:
    handle = engine.api.start_workflow(workflow(approval(form=FORM, approvers=["ann"])))
    assert handle.get_approval("ask") is None
    assert handle.approve("ask", approved, by="ann", reason="as agreed", form={"hosts": 2}) is True
    if is_taken:
        engine.run_until_idle()
    assert handle.approve("ask", not approved, by="bo", form={"hosts": 3}) is False
    first = handle.get_approval("ask")
    assert first is not None
    assert (first.approved, first.by, first.reason, first.form) == (approved, "ann", "as agreed", {"hosts": 2})
    assert first.approvers == ("ann",)
    said = "approved" if approved else "rejected"
    assert str(first) == f"ann {said} it at 2030-01-01 00:00:00 UTC: as agreed"


def test_an_approval_that_is_asked_anew_has_no_answer(engine: Engine) -> None:
    handle = engine.api.start_workflow(workflow(approval()))
    handle.approve("ask", approved=False, by="ann")
    engine.run_until_idle()
    assert handle.retry() is True
    assert handle.get_approval("ask") is None
    with pytest.raises(InvalidInputError, match="only approvals are answered"):
        engine.api.get_approval(engine.api.start_workflow(workflow(WorkflowStep(name="a", task_template=work()))), "a")
