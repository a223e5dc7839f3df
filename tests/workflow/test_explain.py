"""Why a step or a task of a workflow is where it is, asked by its id."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import NotFoundError, Task, Workflow, WorkflowStep
from taskengine.core.identity import step_id
from taskengine.testing import Engine

from .conftest import work


def task(name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(**more))


def wait(name: str = "go", **more: Any) -> WorkflowStep:
    return WorkflowStep(kind="wait", name=name, **(more or {"signal": "go"}))


def begun(engine: Engine, *steps: WorkflowStep, **more: Any) -> Any:
    handle = engine.api.start_workflow(Workflow(name="release", steps=steps, **more))
    engine.run_until_idle()
    return handle


def why(engine: Engine, handle: Any, path: str) -> str:
    return engine.api.explain(step_id(str(handle), path)).headline


def test_a_waiting_step_says_what_it_waits_for(engine: Engine) -> None:
    handle = begun(engine, WorkflowStep(kind="sequential", name="s", sub_steps=[wait(), task("a")]), task("last"))
    says = f"waits for the signal 'go' since 2030-01-01 00:00:00 UTC; signal_workflow('{handle}', 'go')"
    assert why(engine, handle, "s/go") == f"step 's/go' is waiting: {says}"
    assert why(engine, handle, "") == f"workflow 'release' is running: s/go: {says}"
    found = engine.api.explain(step_id(str(handle), "s/go"))
    assert (found.facts[0].kind, found.status.value) == ("waiting", "running")


def test_what_holds_others_names_those_under_way(engine: Engine) -> None:
    inside = [task("a"), wait(), wait("time", wait_seconds=9)]
    group = WorkflowStep(kind="parallel", name="p", mode="wait_all", sub_steps=inside)
    handle = begun(engine, group)
    facts = engine.api.explain(step_id(str(handle), "p")).facts
    assert [one.text for one in facts] == [
        "2 of 3 steps are open", "of the steps in it are under way: p/go (waiting), p/time (waiting)",
    ]  # fmt: skip


def test_a_step_of_a_turn_an_item_and_an_inner_workflow_answers(engine: Engine) -> None:
    inner = Workflow(name="inner", steps=[wait(wait_condition="variables.x == 1")], variables={"x": 0})
    parts = [
        WorkflowStep(kind="loop", name="l", loop_condition="true", loop_steps=[task("a"), wait()], max_iterations=9),
        WorkflowStep(kind="map", name="m", items=[1, 2], steps=[task("a"), wait()]),
        WorkflowStep(kind="sub_workflow", name="sub", workflow=inner),
    ]
    handle = begun(engine, WorkflowStep(kind="parallel", name="p", sub_steps=parts))
    assert "waits for the signal" in why(engine, handle, "p/l[0]/go")
    assert "waits for the signal" in why(engine, handle, "p/m[1]/go")
    assert "step 'p/m[1]' is running: 1 of 2 steps are open" in why(engine, handle, "p/m[1]")
    assert why(engine, handle, "p/sub/go").endswith("variables.x is 0")


def test_a_step_that_has_not_begun_names_those_before_it(engine: Engine) -> None:
    last = WorkflowStep(kind="conditional", name="last", condition="true", true_steps=[task("b")])
    handle = begun(engine, wait(), last)
    assert why(engine, handle, "last") == "step 'last' is pending: waits for go"


def test_a_task_behind_a_step_names_it(engine: Engine) -> None:
    handle = begun(engine, wait(), task("behind"))
    (behind,) = engine.api.list_tasks()
    assert engine.api.explain(behind.id).headline == (
        "'behind' is pending: it waits for 1 of its 1 dependency: 'go' (running)"
    )
    handle.signal("go")


def test_what_failed_in_a_workflow_is_opened_again_with_it(engine: Engine) -> None:
    handle = begun(engine, WorkflowStep(kind="sequential", name="s", sub_steps=[task("bad", fails=1), task("b")]))
    advice = f"open it again with its workflow: retry_workflow('{handle}')"
    for one in engine.api.list_tasks():
        assert "retry_task" not in str(engine.api.explain(one.id))
    (bad,) = [one for one in engine.api.list_tasks() if one.name == "bad"]
    assert engine.api.explain(bad.id).headline.endswith(advice)
    assert why(engine, handle, "").endswith(f"open it again: retry_workflow('{handle}')")
    assert why(engine, handle, "").startswith("workflow 'release' is failed: step s/bad failed: ")


def test_while_its_workflow_runs_the_advice_waits_for_the_end(engine: Engine) -> None:
    handle = begun(
        engine, WorkflowStep(kind="parallel", name="p", mode="wait_all", sub_steps=[task("bad", fails=1), wait()])
    )
    (bad,) = engine.api.list_tasks()
    assert engine.api.explain(bad.id).headline.endswith(
        f"open it again once its workflow is over: retry_workflow('{handle}')"
    )


def test_what_its_workflow_went_on_without_is_not_opened_again(engine: Engine) -> None:
    bad = WorkflowStep(name="bad", task_template=work(fails=1), on_failure="continue")
    begun(engine, bad)
    (failed,) = engine.api.list_tasks()
    assert engine.api.explain(failed.id).headline.endswith("; its workflow completed without it")


def test_a_task_that_runs_a_workflow_says_what_its_steps_wait_for(engine: Engine) -> None:
    engine.api.register_workflow(Workflow(name="inner", steps=[wait()]))
    outer = Task(name="w", task_type="workflow", input={"workflow": "inner"})
    engine.submit(outer)
    engine.run_until_idle()
    assert "go: waits for the signal 'go'" in engine.api.explain(outer.id).headline
    assert "waits for the signal" in why(engine, outer.id, "go")
    engine.api.signal_workflow(outer.id, "go")
    engine.run_until_idle()
    assert engine.task(outer).status == "completed"


def test_an_id_that_is_nobodys_is_not_found(engine: Engine) -> None:
    handle = begun(engine, wait())
    with pytest.raises(NotFoundError):
        engine.api.explain(step_id(str(handle), "nowhere"))
