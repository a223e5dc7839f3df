"""Task, sequential and parallel steps: what runs in which order, how a failure ends the steps around it."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import Workflow, WorkflowExecutionError, WorkflowStep
from taskengine.core.identity import step_id
from taskengine.testing import Engine

from .conftest import work


def task(name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(), **more)


def failing(name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(fails=9), **more)


def group(kind: str, name: str, *steps: WorkflowStep, **more: Any) -> WorkflowStep:
    return WorkflowStep(kind=kind, name=name, sub_steps=steps, **more)


def workflow(*steps: WorkflowStep, **more: Any) -> Workflow:
    return Workflow(name="w", steps=steps, **more)


def statuses(engine: Engine, flow: Workflow) -> dict[str, str]:
    found: dict[str, str] = {}

    def walk(steps: Any) -> None:
        for step in steps:
            found[step.path] = step.status.value
            walk(step.children)

    walk(engine.api.get_workflow_status(flow.id).steps)
    return found


def test_steps_run_one_after_the_other_and_the_workflow_is_over_with_the_last(engine: Engine) -> None:
    flow = workflow(task("a"), task("b"), task("c"))
    done = engine.api.execute_workflow(flow)
    assert (done.id, done.status, done.error_message) == (flow.id, "completed", None)
    assert engine.ran == ["a", "b", "c"]
    assert statuses(engine, flow) == {"a": "completed", "b": "completed", "c": "completed"}


def test_a_step_after_a_parallel_one_waits_for_all_of_it(engine: Engine) -> None:
    inner = group("sequential", "s", task("b1"), task("b2"))
    flow = workflow(task("a"), group("parallel", "p", inner, task("c")), task("d"))
    engine.api.execute_workflow(flow)
    assert engine.ran[0] == "a"
    assert engine.ran[-1] == "d"
    assert engine.ran.index("b1") < engine.ran.index("b2")
    assert statuses(engine, flow) == dict.fromkeys(["a", "p", "p/s", "p/s/b1", "p/s/b2", "p/c", "d"], "completed")


def test_a_step_that_names_its_siblings_waits_for_these_alone(engine: Engine) -> None:
    flow = workflow(task("a"), task("b", depends_on=[]), task("c", depends_on=["a"]), task("d", depends_on=["b", "c"]))
    id = engine.api.start_workflow(flow)
    engine.step()
    tasks = {t.name: t.depends_on for t in engine.api.list_tasks()}
    assert tasks == {
        "a": set(), "b": set(), "c": {step_id(id, "a")}, "d": {step_id(id, "b"), step_id(id, "c")},
    }  # fmt: skip
    engine.run_until_idle()
    assert engine.api.get_workflow(id).status == "completed"


def test_a_failed_step_fails_the_workflow_with_its_error_and_what_follows_never_runs(engine: Engine) -> None:
    flow = workflow(task("a"), group("sequential", "s", failing("b"), task("c")), task("d"))
    with pytest.raises(WorkflowExecutionError, match="step s/b failed: OSError: attempt 1") as caught:
        engine.api.execute_workflow(flow)
    failed = caught.value.workflow
    assert (failed.status, failed.failed_step, failed.error_kind) == ("failed", "s/b", "crash")
    assert engine.ran == ["a", "b"]
    assert statuses(engine, flow) == {
        "a": "completed", "s": "cancelled", "s/b": "failed", "s/c": "cancelled", "d": "cancelled",
    }  # fmt: skip


def test_the_first_failure_in_parallel_ends_the_others(engine: Engine) -> None:
    held = WorkflowStep(name="c", task_template=work() | {"hold": True})
    flow = workflow(group("parallel", "p", failing("a"), group("sequential", "s", task("b"), held)), task("d"))
    with pytest.raises(WorkflowExecutionError):
        engine.api.execute_workflow(flow)
    found = statuses(engine, flow)
    assert (found["p/a"], found["p/s/c"], found["d"]) == ("failed", "cancelled", "cancelled")


def test_a_parallel_step_that_waits_for_all_lets_the_others_run_and_then_fails(engine: Engine) -> None:
    flow = workflow(group("parallel", "p", failing("a"), task("b"), task("c"), mode="wait_all"), task("d"))
    with pytest.raises(WorkflowExecutionError, match="step p/a failed") as caught:
        engine.api.execute_workflow(flow)
    assert caught.value.workflow.failed_step == "p/a"
    assert sorted(engine.ran) == ["a", "b", "c"]
    assert statuses(engine, flow) == {
        "p": "failed", "p/a": "failed", "p/b": "completed", "p/c": "completed", "d": "cancelled",
    }  # fmt: skip


def test_a_step_that_may_fail_is_passed_and_shows_its_failure(engine: Engine) -> None:
    may_fail = group("parallel", "p", failing("b"), on_failure="continue")
    flow = workflow(failing("a", on_failure="continue"), may_fail, task("c"))
    assert engine.api.execute_workflow(flow).status == "completed"
    assert engine.ran == ["a", "b", "c"]
    assert statuses(engine, flow) == {"a": "failed", "p": "failed", "p/b": "failed", "c": "completed"}


def test_a_workflow_wider_than_one_script_is_put_in_pieces(engine: Engine) -> None:
    wide = group("parallel", "p", *(task(f"t{n}") for n in range(300)))
    flow = workflow(wide, task("last"))
    engine.api.execute_workflow(flow)
    assert len(engine.ran) == 301
    assert engine.ran[-1] == "last"


def test_starting_it_twice_is_starting_it_once(engine: Engine) -> None:
    flow = workflow(task("a"))
    assert engine.api.start_workflow(flow) == engine.api.start_workflow(flow) == flow.id
    engine.run_until_idle()
    assert engine.ran == ["a"]
    assert engine.api.start_workflow(flow) == flow.id


def test_two_workflows_of_one_definition_share_it(engine: Engine) -> None:
    one, two = (workflow(task("a"), context={"n": n}, variables={"v": n}) for n in (1, 2))
    engine.api.execute_workflow(one)
    engine.api.execute_workflow(two)
    assert [engine.api.get_workflow(flow.id).context for flow in (one, two)] == [{"n": 1}, {"n": 2}]
    assert [engine.api.get_workflow(flow.id).variables for flow in (one, two)] == [{"v": 1}, {"v": 2}]


def test_a_run_counts_the_tasks_of_its_workflow_and_no_steps(engine: Engine) -> None:
    flow = workflow(task("a"), group("parallel", "p", task("b"), task("c", on_failure="continue")))
    engine.api.execute_workflow(flow)
    run = engine.api.get_run(flow.id)
    assert (run.total_tasks, run.open_tasks, dict(run.counts)) == (3, 0, {"completed": 3})
