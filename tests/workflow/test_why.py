"""What steps say they wait for, with what there is now."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest

from taskengine import AgentContext, StepState, Task, WaitTimeoutError, Workflow, WorkflowStep, agent
from taskengine.testing import Engine

from .conftest import START, work

SINCE = "since 2030-01-01 00:00:00 UTC"


def task(name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(), **more)


def wait(name: str = "hold_on", **more: Any) -> WorkflowStep:
    return WorkflowStep(kind="wait", name=name, **more)


def begun(engine: Engine, *steps: WorkflowStep, **more: Any) -> dict[str, StepState]:
    """Return the steps of a workflow that did all that it could, by path."""
    flow = Workflow(name="w", steps=steps, **more)
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    return {one.path: one for one in _all(engine.api.get_workflow_status(flow.id).steps)}


def _all(steps: tuple[StepState, ...]) -> list[StepState]:
    return [found for one in steps for found in (one, *_all(one.children))]


def test_a_signal_is_named_with_how_to_send_it(engine: Engine) -> None:
    flow = Workflow(name="w", steps=[wait(signal="go")])
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    state = engine.api.get_workflow_status(flow.id)
    says = f"waits for the signal 'go' {SINCE}; signal_workflow('{flow.id}', 'go')"
    assert (state.steps[0].why, state.why) == (says, f"hold_on: {says}")


def test_an_approval_names_who_is_asked_and_what(engine: Engine) -> None:
    ask = WorkflowStep(
        kind="approval", name="ask", prompt="Ship ${variables.tag}?", approvers=["ann", "bo"], timeout=60
    )
    why = begun(engine, ask, variables={"tag": "v1"})["ask"].why
    assert why is not None
    assert why.startswith(f"waits for an approval by ann, bo {SINCE}: Ship v1?; approve('")
    assert why.endswith("; its time ends at 2030-01-01 00:01:00 UTC")


def test_a_condition_comes_with_the_present_value_of_each_field(engine: Engine) -> None:
    condition = {"any_of": [
        {"field": "passed", "operator": "equals", "value": True},
        {"field": "variables.rate", "operator": "greater_than", "value": 5},
        {"expression": "steps.a.output.n > 3 && context.who == 'me'"},
    ]}  # fmt: skip
    given = WorkflowStep(name="a", task_template=work(gives={"n": 2}))
    steps = begun(
        engine, given, wait(wait_condition=condition), variables={"rate": 4}, context={"who": "you"}
    )
    assert steps["hold_on"].why == (
        "waits until passed equals True or variables.rate greater_than 5 or "
        f"steps.a.output.n > 3 && context.who == 'me' {SINCE}; "
        "passed is not there, variables.rate is 4, steps.a.output.n is 2, context.who is 'you'"
    )


def test_the_present_value_is_that_of_now(engine: Engine) -> None:
    flow = Workflow(name="w", steps=[wait(wait_condition="variables.n > 3")], variables={"n": 1})
    handle = engine.api.start_workflow(flow)
    engine.run_until_idle()
    handle.update_context({"n": 2})
    assert str(handle.status().why).endswith("variables.n is 2")


def test_time_is_said_as_a_moment_that_stands_while_it_is_paused(engine: Engine) -> None:
    handle = engine.api.start_workflow(Workflow(name="w", steps=[wait(wait_seconds=90)]))
    engine.run_until_idle()
    assert handle.status().why == "hold_on: waits until 2030-01-01 00:01:30 UTC"
    handle.pause()
    assert str(handle.status().steps[0].why).endswith("; the workflow is paused, and its clock stands")


def test_what_holds_others_says_how_many_are_open(engine: Engine) -> None:
    group = WorkflowStep(kind="parallel", name="p", mode="wait_all", sub_steps=[task("a"), wait("b", signal="go")])
    steps = begun(engine, group, task("last"))
    assert steps["p"].why == "1 of 2 steps are open"
    assert steps["last"].why == "waits for p"
    assert (steps["p/a"].status.value, steps["p/a"].why) == ("completed", None)


def test_a_task_says_what_it_waits_for(engine: Engine) -> None:
    held = WorkflowStep(name="held", task_template=work() | {"hold": True}, depends_on=[])
    later = WorkflowStep(name="later", task_template=work(fails=1) | {"max_retries": 1}, depends_on=[])
    steps = begun(engine, held, later)
    assert steps["held"].why == "is held; execute_task starts it"
    assert str(steps["later"].why).startswith("tries again at 2030-01-01 00:00:")


def test_an_undecided_workflow_says_that_nobody_leads(engine: Engine) -> None:
    handle = engine.api.start_workflow(Workflow(name="w", steps=[task("a")]))
    why = handle.status().why  # no coordinator had a turn yet
    assert why == "no coordinator leads, and one decides what is next; start one: taskengine coordinator"


def test_whoever_waits_logs_why_after_two_seconds_without_progress(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    flow = Workflow(name="w", steps=[task("a"), wait(wait_seconds=600), task("b")])
    with caplog.at_level(logging.WARNING, "taskengine.api"), pytest.raises(WaitTimeoutError) as late:
        engine.api.execute_workflow(flow, timeout=30)
    assert str(late.value).startswith(
        f"workflow 'w' ({flow.id}) did not end within 30 s, and goes on; hold_on: waits until"
    )
    assert late.value.pending == (str(flow.id),)
    (said,) = [record.getMessage() for record in caplog.records]  # once, for it does not change
    assert re.fullmatch(rf"waiting workflow={flow.id} name='w' why=hold_on: waits until .* UTC", said)
    assert timedelta(seconds=30) <= engine.clock.now - START < timedelta(seconds=31)


def test_whoever_waits_for_work_that_nobody_does_logs_it(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    lonely = WorkflowStep(name="lonely", task_template={"capability": "nobody"})
    with pytest.raises(WaitTimeoutError):
        engine.api.execute_workflow(Workflow(name="w", steps=[lonely], timeout=1000), timeout=10)
    (said,) = [record.getMessage() for record in caplog.records if "waiting workflow" in record.getMessage()]
    assert "why=lonely: " in said
    assert "nobody" in said


def test_a_step_whose_task_asks_says_what_and_goes_on_when_it_is_answered() -> None:
    @agent
    def deploy(task: Task, context: AgentContext) -> dict[str, Any]:
        if context.answer is None:
            context.ask("Deploy now?")
        return {"said": context.answer.value}

    flow = Workflow(name="w", steps=[WorkflowStep(name="ship", task_template={"capability": "deploy"})])
    with Engine([deploy]) as engine:
        engine.api.start_workflow(flow)
        engine.run_until_idle()
        (step,) = engine.api.get_workflow_status(flow.id).steps
        how = f"answer('{step.task_id}', value) lets it go on"
        assert (step.status, step.why) == ("paused", f"asks: Deploy now?; {how}")
        assert step.task_id is not None
        engine.api.answer(step.task_id, "yes")
        engine.run_until_idle()
        assert engine.api.get_workflow_status(flow.id).status == "completed"
