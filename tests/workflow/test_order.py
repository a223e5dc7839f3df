"""Tasks that a workflow puts later stand where they would if all of it had been submitted at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from taskengine import Task, Workflow, WorkflowDefinition, WorkflowStep
from taskengine.core.order import path_ms, rank
from taskengine.testing import Engine

from .conftest import QUEUE, work


def task(name: str, seconds: float = 1.0, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work() | {"estimated_seconds": seconds}, **more)


def kind(kind: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(kind=kind, name=kind, **more)


def order(engine: Engine, plain_seconds: float, *steps: WorkflowStep, **more: Any) -> list[str]:
    """What ran, when one worker has the choice between a workflow and a plain task of so many seconds, called z."""
    engine.api.start_workflow(Workflow(name="w", steps=steps, **more))
    engine._coordinator.run_all()
    engine.submit(Task(name="z", capability=QUEUE, estimated_seconds=plain_seconds))
    engine.run_until_idle()
    ran: list[str] = engine.ran  # type: ignore[attr-defined]
    return ran


BODIES = {
    "conditional": kind("conditional", condition="true", true_steps=[task("x")]),
    "loop": kind("loop", loop_condition="iteration < 1", max_iterations=2, loop_steps=[task("x")]),
    "map": kind("map", items=[1], steps=[task("x")]),
    "map of sequences": kind("map", items=[1], steps=[kind("conditional", condition="true", true_steps=[task("x")])]),
    "parallel": kind("parallel", mode="wait_all", sub_steps=[task("x")]),
    "sub_workflow": kind("sub_workflow", workflow=WorkflowDefinition(name="i", steps=[task("x")])),
    "guarded": task("x", outputs={"v": "1"}),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_task_deep_inside_counts_what_stands_behind_the_steps_around_it(engine: Engine, body: WorkflowStep) -> None:
    assert order(engine, 3.5, body, task("t1"), task("t2"), task("t3")) == ["x", "z", "t1", "t2", "t3"]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_task_counts_what_lies_in_the_steps_behind_it(engine: Engine, body: WorkflowStep) -> None:
    assert order(engine, 1.5, task("t1"), body) == ["t1", "z", "x"]


def test_a_task_counts_the_steps_of_later_pieces(engine: Engine) -> None:
    ran = order(engine, 80.5, *(task(f"t{n}") for n in range(100)))
    assert ran.index("z") == 20


def test_a_waiting_step_counts_the_time_it_waits(engine: Engine) -> None:
    assert order(engine, 20, task("t"), kind("wait", wait_seconds=30)) == ["t", "z"]


def test_what_a_step_runs_by_definition_goes_as_the_workflow_does(engine: Engine) -> None:
    deadline = datetime(2031, 1, 1, tzinfo=UTC)
    inner = WorkflowDefinition(name="i", steps=[kind("conditional", condition="true", true_steps=[task("x")])])
    own = WorkflowDefinition(name="own", steps=[task("y")], priority="low")
    steps = [kind("sub_workflow", workflow=inner), WorkflowStep(kind="sub_workflow", name="s2", workflow=own)]
    engine.api.execute_workflow(Workflow(name="w", steps=steps, priority="high", deadline=deadline))
    found = {one.name: one for one in engine.api.list_tasks()}
    assert (found["x"].priority.name, found["x"].deadline) == ("HIGH", deadline)
    assert (found["y"].priority.name, found["y"].deadline) == ("LOW", deadline)


def test_what_a_task_runs_goes_as_the_task_does(engine: Engine) -> None:
    engine.api.register_workflow(WorkflowDefinition(name="i", steps=[task("x")]))
    engine.submit(Task(task_type="workflow", input={"workflow": "i"}, priority="critical"))
    engine.run_until_idle()
    found = {one.name: one for one in engine.api.list_tasks()}
    assert found["x"].priority.name == "CRITICAL"


@pytest.mark.parametrize("seconds", [0, 0.2, 1, 3600, 4_000_000])
def test_a_rank_is_a_path_again(seconds: float) -> None:
    assert path_ms(rank(seconds * 1000)) == pytest.approx(seconds * 1000, rel=0.001, abs=0.1)
