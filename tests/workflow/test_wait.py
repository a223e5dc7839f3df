"""Wait and approval steps: time, a moment, a condition, a signal, somebody's word; and steps that take too long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from taskengine import ConflictError, NotAllowedError, Workflow, WorkflowExecutionError, WorkflowStep
from taskengine.store.call import Call
from taskengine.testing import Engine

from .conftest import START, work


def task(name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(), **more)


def wait(**more: Any) -> WorkflowStep:
    return WorkflowStep(kind="wait", name="hold_on", **more)


def workflow(*steps: WorkflowStep, **more: Any) -> Workflow:
    return Workflow(name="w", steps=steps, **more)


def took(engine: Engine, flow: Workflow) -> timedelta:
    done = engine.api.get_workflow(flow.id)
    assert done.completed_at is not None
    return done.completed_at - START


def test_it_waits_for_its_seconds(engine: Engine) -> None:
    flow = workflow(wait(wait_seconds=90), task("a"))
    engine.api.execute_workflow(flow)
    assert timedelta(seconds=90) <= took(engine, flow) < timedelta(seconds=91)
    assert engine.ran == ["a"]


@pytest.mark.parametrize("until", [START + timedelta(minutes=5), "timestamp(context.at)"])
def test_it_waits_until_its_moment(engine: Engine, until: Any) -> None:
    flow = workflow(wait(until=until), context={"at": "2030-01-01T00:05:00Z"})
    engine.api.execute_workflow(flow)
    assert timedelta(minutes=5) <= took(engine, flow) < timedelta(minutes=5, seconds=1)


def test_a_moment_that_is_over_is_not_waited_for(engine: Engine) -> None:
    flow = workflow(wait(until=START - timedelta(hours=1)))
    engine.api.execute_workflow(flow)
    assert took(engine, flow) < timedelta(seconds=1)


def test_a_condition_is_asked_again_with_each_change_of_a_variable(engine: Engine) -> None:
    flow = workflow(wait(wait_condition="variables.ready && variables.n > 2"), task("a"))
    id = engine.api.start_workflow(flow)
    engine.run_until_idle()
    assert engine.api.get_workflow_status(id).steps[0].status == "waiting"
    engine.api.update_context(id, {"n": 3})
    engine.run_until_idle()
    assert engine.ran == []
    assert engine.api.update_context(id, {"ready": True}) == 2
    engine.run_until_idle()
    assert engine.ran == ["a"]
    assert engine.api.get_workflow(id).variables == {"n": 3, "ready": True}


def test_a_hundred_waiting_steps_hear_of_one_change(engine: Engine) -> None:
    each = [
        WorkflowStep(kind="wait", name=f"w{n}", wait_condition="variables.go", when="true") for n in range(100)
    ]
    flow = workflow(WorkflowStep(kind="parallel", name="p", sub_steps=each), task("a"))
    id = engine.api.start_workflow(flow)
    engine.run_until_idle()
    engine.api.update_context(id, {"go": True})
    engine.run_until_idle()
    assert engine.ran == ["a"]


def test_variables_change_only_from_the_revision_that_was_seen(engine: Engine) -> None:
    id = engine.api.start_workflow(workflow(wait(wait_condition="variables.go")))
    engine.run_until_idle()
    assert engine.api.update_context(id, {"n": 1}, if_revision=0) == 1
    with pytest.raises(ConflictError, match="revision 1, not 0"):
        engine.api.update_context(id, {"n": 2}, if_revision=0)
    engine.api.update_context(id, {"go": True})
    engine.run_until_idle()
    with pytest.raises(NotAllowedError, match="completed"):
        engine.api.update_context(id, {"n": 2})


def test_a_signal_is_the_output_of_the_step_that_waits_for_it(engine: Engine) -> None:
    after = WorkflowStep(name="b", task_template=work(gives={"got": "${steps.hold_on.output.n}"}))
    id = engine.api.start_workflow(workflow(wait(signal="go"), after))
    engine.run_until_idle()
    assert engine.api.signal_workflow(id, "other") is True
    engine.run_until_idle()
    assert engine.ran == []
    assert engine.api.signal_workflow(id, "go", {"n": 5}, signal_id="one") is True
    assert [engine.api.signal_workflow(id, "go", {"n": 6}, signal_id="one") for _ in range(50)] == [False] * 50
    engine.run_until_idle()
    (one,) = engine.api.list_tasks()
    assert engine.task(one.id).result == {"got": 5}


def test_signals_that_come_early_are_kept_and_each_goes_to_one_step_in_order(engine: Engine) -> None:
    def listener(name: str) -> list[WorkflowStep]:
        got = WorkflowStep(name=f"after_{name}", task_template=work(gives={"got": f"${{steps.{name}.output}}"}))
        return [WorkflowStep(kind="wait", name=name, signal="go"), got]

    flow = workflow(wait(wait_seconds=10), *listener("x"), *listener("y"))
    id = engine.api.start_workflow(flow)
    for n in (1, 2):
        engine.api.signal_workflow(id, "go", n)
    engine.run_until_idle()
    engine.clock.advance(11)
    engine.run_until_idle()
    results = {one.name: engine.task(one.id).result for one in engine.api.list_tasks()}
    assert results == {"after_x": {"got": 1}, "after_y": {"got": 2}}


@pytest.mark.parametrize("what", [{"signal": "go"}, {"wait_condition": "variables.go"}, {"wait_seconds": 900}])
def test_a_wait_that_takes_too_long_fails_unless_it_says_otherwise(engine: Engine, what: dict[str, Any]) -> None:
    with pytest.raises(WorkflowExecutionError, match="step hold_on failed: not within its timeout of 60 s") as caught:
        engine.api.execute_workflow(workflow(wait(**what, timeout=60), task("a")))
    assert caught.value.workflow.error_kind == "timeout"
    engine.api.execute_workflow(workflow(wait(**what, timeout=60, on_timeout="continue"), task("b")))
    assert engine.ran == ["b"]


def test_a_step_that_takes_longer_than_its_timeout_is_ended(engine: Engine) -> None:
    held = WorkflowStep(name="a", task_template=work() | {"hold": True}, timeout=60)
    with pytest.raises(WorkflowExecutionError, match="step a failed: it was not over within its timeout of 60 s"):
        engine.api.execute_workflow(workflow(held, task("b")))
    (one,) = [found for found in engine.api.list_tasks() if found.name == "a"]
    assert one.status == "cancelled"


def test_a_workflow_that_takes_longer_than_its_timeout_fails(engine: Engine) -> None:
    with pytest.raises(WorkflowExecutionError, match="the workflow failed: it was not over within") as caught:
        engine.api.execute_workflow(workflow(wait(signal="go"), task("b"), timeout=30))
    assert caught.value.workflow.error_kind == "timeout"


def approval(**more: Any) -> WorkflowStep:
    return WorkflowStep(kind="approval", name="release", prompt="Release it?", **more)


def test_an_approval_goes_on_with_the_answer_and_who_gave_it(engine: Engine) -> None:
    after = WorkflowStep(name="b", task_template=work(gives={"got": "${steps.release.output}"}))
    id = engine.api.start_workflow(workflow(approval(), after))
    engine.run_until_idle()
    assert engine.api.get_workflow_status(id).steps[0].status == "waiting"
    assert engine.api.approve(id, "release", by="ann", form={"tag": "v1"}) is True
    assert engine.api.approve(id, "release", approved=False, by="bob") is False
    engine.run_until_idle()
    (one,) = engine.api.list_tasks()
    assert engine.task(one.id).result == {
        "got": {"approved": True, "by": "ann", "tag": "v1", "at": "2030-01-01T00:00:00.000Z"}
    }


def test_a_rejection_fails_the_step_unless_it_says_otherwise(engine: Engine) -> None:
    id = engine.api.start_workflow(workflow(approval(), task("a")))
    engine.run_until_idle()
    engine.api.approve(id, "release", approved=False, by="ann", reason="too early")
    engine.run_until_idle()
    failed = engine.api.get_workflow(id)
    assert (failed.status, failed.error_message) == ("failed", "step release was rejected by ann: too early")
    may = engine.api.start_workflow(workflow(approval(on_reject="continue"), task("b")))
    engine.api.approve(may, "release", approved=False, by="ann")
    engine.run_until_idle()
    assert engine.ran == ["b"]


def test_a_step_that_goes_on_without_an_answer_sets_its_variables(engine: Engine) -> None:
    late = wait(signal="go", timeout=60, on_timeout="continue", outputs={"late": "${output.timed_out}"})
    no = approval(on_reject="continue", outputs={"released": "${output.approved}"})
    id = engine.api.start_workflow(workflow(late, no))
    engine.api.approve(id, "release", approved=False, by="ann")
    engine.run_for(61)
    assert engine.api.get_workflow(id).variables == {"late": True, "released": False}


def inboxes(engine: Engine) -> list[str]:
    keys = engine._store.run(Call("KEYS", ("te:*",), list, command=True))
    return sorted(key.split(":")[1] for key in keys if key.startswith(("te:inbox", "te:signal_waiters")))


@pytest.mark.parametrize("is_early", [True, False])
@pytest.mark.parametrize("outputs", [{}, {"n": "${1 + 1}"}])
def test_of_signals_that_nobody_took_nothing_is_left_once_it_completed(
    engine: Engine, outputs: dict[str, str], *, is_early: bool
) -> None:
    handle = engine.api.start_workflow(workflow(WorkflowStep(kind="wait", name="go", signal="go"), outputs=outputs))
    if not is_early:
        engine.run_until_idle()
    for name in ("other", "go", "go"):
        handle.signal(name)
    assert handle.result().status == "completed"
    assert inboxes(engine) == []


@pytest.mark.parametrize("ended", ["failed", "cancelled"])
def test_one_that_may_be_retried_keeps_its_signals_for_that(engine: Engine, ended: str) -> None:
    bad = WorkflowStep(name="bad", task_template=work(fails=int(ended == "failed")) | {"hold": True})
    handle = engine.api.start_workflow(workflow(bad, WorkflowStep(kind="wait", name="go", signal="go")))
    handle.signal("go", {"parcel": 7}, signal_id="parcel-7")
    engine.run_until_idle()
    if ended == "cancelled":
        handle.cancel()
    else:
        (task,) = [one for one in engine.api.list_tasks() if one.name == "bad"]
        engine.api.release_task(task.id)
    engine.run_until_idle()
    assert handle.status().status == ended
    handle.retry()
    engine.run_until_idle()
    for task in engine.api.list_tasks():
        if task.status == "pending":
            engine.api.release_task(task.id)
    assert handle.result().status == "completed"
    assert inboxes(engine) == []
