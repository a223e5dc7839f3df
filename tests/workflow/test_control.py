"""Pause, resume and cancel: at whatever moment, nothing of a workflow runs that must not, and nothing of it is left."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import NotAllowedError, NotFoundError, Workflow, WorkflowStep
from taskengine.testing import Engine

from .conftest import work


def task(name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work() | more.pop("with_", {}), **more)


def workflow(*steps: WorkflowStep, **more: Any) -> Workflow:
    return Workflow(name="w", steps=steps, **more)


def nested() -> Workflow:
    """Something of every kind that waits."""
    hold = {"hold": True}
    group = WorkflowStep(
        kind="parallel", name="p", mode="wait_all",
        sub_steps=[
            task("held", with_=hold),
            WorkflowStep(kind="wait", name="signal", signal="go"),
            WorkflowStep(kind="wait", name="time", wait_seconds=1000),
            WorkflowStep(kind="wait", name="change", wait_condition="variables.go"),
            WorkflowStep(kind="approval", name="word", prompt="?"),
            WorkflowStep(kind="conditional", name="if_so", condition="true", true_steps=[task("deep", with_=hold)]),
            WorkflowStep(
                kind="loop", name="again", loop_condition="true", max_iterations=9, loop_steps=[task("t", with_=hold)]
            ),
        ],
    )  # fmt: skip
    return workflow(task("a"), group, task("last"), timeout=5000)


def test_a_cancelled_workflow_ends_with_all_that_lies_in_it(engine: Engine) -> None:
    id = engine.api.start_workflow(nested())
    engine.run_until_idle()
    assert engine.api.cancel_workflow(id, "enough") is True
    assert engine.api.get_workflow(id).status in ("cancelling", "cancelled")
    engine.run_until_idle()
    over = engine.api.get_workflow(id)
    assert (over.status, over.reason) == ("cancelled", "enough")
    assert {one.status.value for one in engine.api.list_tasks()} == {"completed", "cancelled"}
    assert engine.api.cancel_workflow(id) is False
    assert engine.api.get_run(id).finished_at is not None
    assert engine.ran == ["a"]


def test_a_workflow_that_was_not_entered_is_cancelled(engine: Engine) -> None:
    id = engine.api.start_workflow(workflow(task("a")))
    assert engine.api.cancel_workflow(id) is True
    engine.run_until_idle()
    assert engine.api.get_workflow(id).status == "cancelled"
    assert engine.ran == []


def test_nothing_of_a_paused_workflow_starts_and_its_time_stands(engine: Engine) -> None:
    time = WorkflowStep(kind="wait", name="time", wait_seconds=100)
    flow = workflow(task("a", outputs={"n": "${1 + 1}"}), time, task("b"))
    id = engine.api.start_workflow(flow)
    assert engine.api.pause_workflow(id, reason="a look", by="ann") is True
    assert engine.api.pause_workflow(id, reason="a look", by="ann") is False
    engine.run_until_idle()
    assert engine.api.get_workflow(id).status == "paused"
    assert "a look" in str(engine.api.get_workflow(id).reason)
    assert engine.ran == []
    engine.api.resume_workflow(id)
    engine.run_until_idle()
    engine.clock.advance(40)
    engine.api.pause_workflow(id)
    engine.clock.advance(3600)
    engine.run_until_idle()
    assert engine.ran == ["a"]
    engine.api.resume_workflow(id)
    engine.clock.advance(50)
    engine.run_until_idle()
    assert engine.ran == ["a"]
    engine.clock.advance(11)
    engine.run_until_idle()
    assert engine.ran == ["a", "b"]
    assert engine.api.get_workflow(id).status == "completed"


@pytest.mark.parametrize("what", [{"wait_seconds": 30}, {"signal": "go", "timeout": 30}])
@pytest.mark.parametrize("seconds", [29.9, 30, 4000])
def test_time_that_stood_still_is_over_when_the_clock_is_past_it_and_no_earlier(
    engine: Engine, what: dict[str, Any], seconds: float
) -> None:
    id = engine.api.start_workflow(workflow(WorkflowStep(kind="wait", name="time", **what)))
    engine.run_until_idle()
    engine.api.pause_workflow(id)
    engine.clock.advance(3600)
    engine.api.resume_workflow(id)
    engine.clock.advance(seconds)
    engine.run_until_idle()
    assert (engine.api.get_workflow(id).completed_at == engine.clock.now) is (seconds >= 30)


def test_signals_and_variables_are_kept_in_a_pause(engine: Engine) -> None:
    condition = WorkflowStep(kind="wait", name="c", wait_condition="variables.x == 1")
    id = engine.api.start_workflow(workflow(WorkflowStep(kind="wait", name="s", signal="go"), condition))
    engine.run_until_idle()
    engine.api.pause_workflow(id)
    engine.api.signal_workflow(id, "go", {})
    engine.api.update_context(id, {"x": 1})
    engine.run_until_idle()
    assert engine.api.get_workflow(id).status == "paused"
    engine.api.resume_workflow(id)
    engine.run_until_idle()
    assert engine.api.get_workflow(id).status == "completed"


def test_a_paused_workflow_can_be_cancelled(engine: Engine) -> None:
    id = engine.api.start_workflow(nested())
    engine.run_until_idle()
    engine.api.pause_workflow(id)
    engine.api.cancel_workflow(id, "enough")
    engine.run_until_idle()
    assert engine.api.get_workflow(id).status == "cancelled"
    engine.api.resume_workflow(id)


def test_words_to_a_workflow_that_is_over_or_not_there_are_refused(engine: Engine) -> None:
    id = engine.api.execute_workflow(workflow(task("a"))).id
    for word in (lambda: engine.api.pause_workflow(id), lambda: engine.api.signal_workflow(id, "go")):
        with pytest.raises(NotAllowedError, match="completed"):
            word()
    assert engine.api.cancel_workflow(id) is False
    other = "00000000-0000-4000-8000-000000000000"
    api = engine.api
    for ask in (api.get_workflow, api.cancel_workflow, api.pause_workflow, api.resume_workflow):
        with pytest.raises(NotFoundError):
            ask(other)
