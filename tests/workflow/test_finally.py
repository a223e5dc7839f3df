"""Steps at a workflow's end: they run however it ended, and rescue nothing."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import Workflow, WorkflowExecutionError, WorkflowStep
from taskengine.testing import Engine

from .conftest import work


def task(name: str, fails: int = 0, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(fails=fails, gives={"by": name}), **more)


def workflow(*steps: WorkflowStep, last: list[WorkflowStep], **more: Any) -> Workflow:
    return Workflow(name="w", steps=steps, finally_steps=last, **more)


def test_they_run_after_all_others_and_their_outputs_count(engine: Engine) -> None:
    last = [task("x"), task("y", outputs={"v": "${steps.a.output.by}"})]
    done = engine.api.execute_workflow(workflow(task("a"), last=last, outputs={"o": "${variables.v}"}))
    assert engine.ran == ["a", "x", "y"]
    assert done.result == {"o": "a"}
    shown = engine.api.get_workflow_status(done.id).finally_steps
    assert [(one.path, one.status.value) for one in shown] == [("~finally/x", "completed"), ("~finally/y", "completed")]


def test_they_run_after_a_failure_which_stays(engine: Engine) -> None:
    with pytest.raises(WorkflowExecutionError, match="step a failed"):
        engine.api.execute_workflow(workflow(task("a", fails=1), task("b"), last=[task("x", fails=1), task("y")]))
    assert engine.ran == ["a", "x"]


def test_their_failure_fails_what_completed(engine: Engine) -> None:
    with pytest.raises(WorkflowExecutionError, match="step ~finally/x failed") as caught:
        engine.api.execute_workflow(workflow(task("a"), last=[task("x", fails=1)]))
    assert caught.value.workflow.failed_step == "~finally/x"


def test_they_run_after_a_cancel(engine: Engine) -> None:
    held = WorkflowStep(name="held", task_template=work() | {"hold": True})
    id = engine.api.start_workflow(workflow(task("a"), held, last=[task("x")]))
    engine.run_until_idle()
    engine.api.cancel_workflow(id, "enough")
    engine.run_until_idle()
    over = engine.api.get_workflow(id)
    assert (over.status, over.reason, engine.ran) == ("cancelled", "enough", ["a", "x"])


def test_a_second_cancel_does_not_end_them(engine: Engine) -> None:
    held = WorkflowStep(name="held", task_template=work() | {"hold": True})
    id = engine.api.start_workflow(workflow(task("a", fails=1), last=[held]))
    engine.run_until_idle()
    assert engine.api.cancel_workflow(id) is False
    (one,) = [found for found in engine.api.list_tasks() if found.name == "held"]
    engine.api.execute_task(one.id, wait=False)
    engine.run_until_idle()
    assert engine.api.get_workflow(id).status == "failed"


def test_they_read_steps_that_failed_or_never_ran(engine: Engine) -> None:
    got = {"a": "${steps.a.status}", "b": "${steps.b.status}", "why": "${steps.a.error.kind}"}
    report = WorkflowStep(name="report", task_template=work(gives=got))
    with pytest.raises(WorkflowExecutionError, match="step a failed"):
        engine.api.execute_workflow(workflow(task("a", fails=1), task("b"), last=[report]))
    (one,) = [found for found in engine.api.list_tasks() if found.name == "report"]
    assert engine.task(one.id).result == {"a": "failed", "b": "cancelled", "why": "crash"}
