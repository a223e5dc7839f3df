"""Conditional steps: one branch is taken, the other one never is, and what neither can know fails with the remedy."""

from __future__ import annotations

import pytest

from taskengine import ConditionOperator, Workflow, WorkflowCondition, WorkflowExecutionError, WorkflowStep
from taskengine.testing import Engine

from .conftest import work


def task(name: str, gives: object = None, **more: object) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(gives=gives or {}), **more)


def passed(*, true: list[WorkflowStep], false: list[WorkflowStep], **more: object) -> WorkflowStep:
    condition = WorkflowCondition(field="test_status", operator=ConditionOperator.EQUALS, value="passed")
    fields = {"condition": condition, "true_steps": true, "false_steps": false, **more}
    return WorkflowStep(kind="conditional", name="gate", **fields)


def workflow(*steps: WorkflowStep, **more: object) -> Workflow:
    return Workflow(name="w", steps=steps, **more)


@pytest.mark.parametrize(
    ("status", "taken", "other"), [("passed", "ship", "roll_back"), ("failed", "roll_back", "ship")]
)
def test_the_branch_of_the_answer_is_taken(engine: Engine, status: str, taken: str, other: str) -> None:
    gate = passed(true=[task("ship", {"url": "s"})], false=[task("roll_back", {"url": "r"})])
    after = WorkflowStep(name="notify", task_template=work(gives={"got": "${steps.gate.output.url}"}))
    build = task("build", {"status": status}, outputs={"test_status": "${output.status}"})
    flow = workflow(build, gate, after)
    engine.api.execute_workflow(flow)
    assert engine.ran == ["build", taken, "notify"]
    state = engine.api.get_workflow_status(flow.id)
    shown = {one.path: one.status.value for one in state.steps[1].children}
    assert shown == {f"gate/{taken}": "completed", f"gate/{other}": "not_taken"}
    assert state.steps[1].branch == ("true" if taken == "ship" else "false")
    (notify,) = [one for one in engine.api.list_tasks() if one.name == "notify"]
    assert engine.task(notify.id).result == {"got": taken[0]}


def test_the_output_of_the_step_before_is_looked_at_too(engine: Engine) -> None:
    flow = workflow(task("test", {"test_status": "passed"}), passed(true=[task("ship")], false=[]))
    engine.api.execute_workflow(flow)
    assert engine.ran == ["test", "ship"]


def test_an_empty_branch_does_nothing(engine: Engine) -> None:
    flow = workflow(passed(true=[task("ship")], false=[]), task("after"), context={"test_status": "failed"})
    engine.api.execute_workflow(flow)
    assert engine.ran == ["after"]


def test_what_nobody_knows_fails_the_step_with_the_places_and_the_remedy(engine: Engine) -> None:
    flow = workflow(task("a"), passed(true=[task("ship")], false=[]))
    says = r"step gate failed: .*variables.*context.*output of 'a'.*outputs="
    with pytest.raises(WorkflowExecutionError, match=says):
        engine.api.execute_workflow(flow)
    assert engine.ran == ["a"]


def test_a_failure_in_a_branch_fails_the_workflow_unless_it_may(engine: Engine) -> None:
    bad = WorkflowStep(name="bad", task_template=work(fails=9))
    flow = workflow(passed(true=[bad, task("x")], false=[]), task("after"), variables={"test_status": "passed"})
    with pytest.raises(WorkflowExecutionError, match="step gate/bad failed"):
        engine.api.execute_workflow(flow)
    gate = passed(true=[bad, task("x")], false=[], on_failure="continue")
    may = workflow(gate, task("after"), variables={"test_status": "passed"})
    engine.api.execute_workflow(may)
    assert engine.ran == ["bad", "bad", "after"]


def test_both_branches_may_have_a_step_of_one_name(engine: Engine) -> None:
    flow = workflow(passed(true=[task("x", {"n": 1})], false=[task("x", {"n": 2})]), variables={"test_status": "no"})
    engine.api.execute_workflow(flow)
    children = engine.api.get_workflow_status(flow.id).steps[0].children
    assert [one.status.value for one in children] == ["not_taken", "completed"]


def test_a_branch_without_steps_sets_its_variables(engine: Engine) -> None:
    step = WorkflowStep(name="x", task_template=work())
    made = WorkflowStep(
        kind="conditional", name="c", condition="false", true_steps=[step], outputs={"v": "${variables.n + context.n}"}
    )
    done = engine.api.execute_workflow(Workflow(name="w", steps=[made], variables={"n": 1}, context={"n": 2}))
    assert done.variables == {"n": 1, "v": 3}
