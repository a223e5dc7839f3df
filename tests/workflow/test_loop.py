"""Loop steps: turn after turn while the condition holds, never more than their limit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from taskengine import Workflow, WorkflowExecutionError, WorkflowStep
from taskengine.testing import Engine

from .conftest import START, work


def loop(condition: str, *steps: WorkflowStep, **more: object) -> WorkflowStep:
    return WorkflowStep(
        kind="loop", name="again", **{"loop_condition": condition, "loop_steps": steps, "max_iterations": 10} | more
    )


def count(**more: object) -> WorkflowStep:
    template = work(gives={"n": "${iteration}"})
    return WorkflowStep(name="try_it", task_template=template, outputs={"n": "${output.n + 1}"}, **more)


def workflow(*steps: WorkflowStep, **more: object) -> Workflow:
    return Workflow(name="w", steps=steps, **more)


def test_it_turns_while_its_condition_holds(engine: Engine) -> None:
    after = WorkflowStep(name="after", task_template=work(gives={"got": "${steps.again.output}"}))
    flow = workflow(loop("variables.n < 3", count()), after, variables={"n": 0})
    done = engine.api.execute_workflow(flow)
    assert done.variables == {"n": 3}
    assert engine.ran == ["try_it"] * 3 + ["after"]
    (one,) = [task for task in engine.api.list_tasks() if task.name == "after"]
    last = {"n": 2}
    assert engine.task(one.id).result == {"got": {"turns": 3, "last": last, "results": [{"n": 0}, {"n": 1}, last]}}


def test_a_condition_that_never_holds_turns_nothing(engine: Engine) -> None:
    engine.api.execute_workflow(workflow(loop("variables.n < 0", count()), variables={"n": 0}))
    assert engine.ran == []


def test_reaching_the_limit_fails_unless_it_says_otherwise(engine: Engine) -> None:
    flow = workflow(loop("true", count(), max_iterations=2))
    with pytest.raises(WorkflowExecutionError, match=r"max_iterations \(2\)") as caught:
        engine.api.execute_workflow(flow)
    assert caught.value.workflow.error_kind == "limit"
    engine.api.execute_workflow(workflow(loop("true", count(), max_iterations=2, at_limit="complete")))
    assert engine.ran == ["try_it"] * 4


def test_a_failed_turn_ends_the_loop(engine: Engine) -> None:
    bad = WorkflowStep(name="bad", task_template=work(fails=1))
    flow = workflow(loop("true", bad, WorkflowStep(name="x", task_template=work())))
    with pytest.raises(WorkflowExecutionError, match=r"step again\[0\]/bad failed"):
        engine.api.execute_workflow(flow)
    assert engine.ran == ["bad"]


def test_it_waits_between_turns(engine: Engine) -> None:
    flow = workflow(loop("variables.n < 3", count(), interval=60), variables={"n": 0})
    engine.api.execute_workflow(flow)
    done = engine.api.get_workflow(flow.id)
    assert done.completed_at is not None
    assert timedelta(seconds=180) <= done.completed_at - START <= timedelta(seconds=181)


def test_loops_turn_in_loops(engine: Engine) -> None:
    inner = WorkflowStep(
        kind="loop", name="inner", loop_condition="iteration < 2", max_iterations=5,
        loop_steps=[WorkflowStep(name="x", task_template=work())],
    )
    flow = workflow(loop("iteration < 3", inner))
    engine.api.execute_workflow(flow)
    assert engine.ran == ["x"] * 6


@pytest.mark.parametrize("turns", [0, 2])
def test_its_outputs_see_how_often_it_turned(engine: Engine, turns: int) -> None:
    step = WorkflowStep(name="x", task_template=work())
    made = loop(f"iteration < {turns}", step, outputs={"turns": "${output.turns}", "was": "${variables.turns}"})
    done = engine.api.execute_workflow(workflow(made, variables={"turns": 9}))
    assert done.variables == {"turns": turns, "was": 9}
