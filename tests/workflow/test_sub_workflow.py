"""Steps that run another definition: with variables of their own, settled when the workflow starts."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import (
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    Workflow,
    WorkflowDefinition,
    WorkflowExecutionError,
    WorkflowStep,
)
from taskengine.api.operations import workflow_names
from taskengine.testing import Engine

from .conftest import work


def task(name: str, fails: int = 0, gives: Any = None, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(fails=fails, gives=gives or {"by": name}), **more)


def run(workflow: Any, **more: Any) -> WorkflowStep:
    return WorkflowStep(**{"kind": "sub_workflow", "name": "sub", "workflow": workflow} | more)


def inner(*steps: WorkflowStep, **more: Any) -> WorkflowDefinition:
    return WorkflowDefinition(**{"name": "inner", "steps": steps} | more)


def workflow(*steps: WorkflowStep, **more: Any) -> Workflow:
    return Workflow(name="w", steps=steps, **more)


ECHO = inner(
    task("x", gives={"got": "${context.n}"}, outputs={"v": "${output.got}"}),
    WorkflowStep(name="y", task_template=work(gives={"got": "${steps.x.output.got} ${variables.v} ${variables.old}"})),
    context={"n": 0, "m": 1}, variables={"old": "o"}, outputs={"o": "${steps.y.output.got}", "v": "${variables.v}"},
)  # fmt: skip


def test_it_gets_its_context_and_gives_its_outputs(engine: Engine) -> None:
    flow = workflow(
        task("a", gives={"n": 7}),
        run(ECHO, context={"n": "${steps.a.output.n}"}, outputs={"out": "${output.o}"}),
        task("b", gives={"got": "${steps.sub.output.v}"}),
        outputs={"out": "${variables.out}", "b": "${steps.b.output.got}"},
        variables={"v": "not touched"},
    )
    done = engine.api.execute_workflow(flow)
    assert engine.ran == ["a", "x", "y", "b"]
    assert done.result == {"out": "7 7 o", "b": 7}
    assert done.variables == {"v": "not touched", "out": "7 7 o"}


def test_a_registered_one_is_run_by_name_as_it_was_at_the_start(engine: Engine) -> None:
    assert engine.api.register_workflow(inner(task("first"))) == 1
    assert engine.api.register_workflow(inner(task("first"))) == 1
    flow = workflow(WorkflowStep(kind="wait", name="s", signal="go"), run("inner"))
    id = engine.api.start_workflow(flow)
    engine.run_until_idle()
    assert engine.api.register_workflow(inner(task("second"))) == 2
    engine.api.signal_workflow(id, "go")
    engine.run_until_idle()
    assert engine.ran == ["first"]
    engine.api.execute_workflow("inner")
    assert engine.ran == ["first", "second"]


def test_a_name_that_nobody_registered_is_refused_before_anything_is_stored(engine: Engine) -> None:
    with pytest.raises(NotFoundError) as unknown:
        engine.api.start_workflow(workflow(run("nobody")))
    assert str(unknown.value) == (
        "no workflow is registered under the name 'nobody', which step 'sub' runs; register_workflow registers one"
    )
    engine.api.register_workflow(inner(task("first")))
    with pytest.raises(NotFoundError, match="under the name 'iner'; did you mean 'inner'"):
        engine.api.start_workflow("iner")
    assert len(engine.api.list_workflows()) == 0


def test_starting_by_name_takes_context_and_variables(engine: Engine) -> None:
    engine.api.register_workflow(ECHO)
    done = engine.api.execute_workflow("inner", context={"n": 5}, variables={"old": "new"})
    assert done.result == {"o": "5 5 new", "v": 5}
    assert (done.context, done.version) == ({"n": 5, "m": 1}, None)


def test_its_failure_is_the_steps_and_says_where(engine: Engine) -> None:
    bad = inner(task("ok"), task("bad", fails=1), finally_steps=[task("last")])
    with pytest.raises(WorkflowExecutionError, match="step sub/bad failed") as caught:
        engine.api.execute_workflow(workflow(run(bad), task("b")))
    assert caught.value.workflow.failed_step == "sub/bad"
    assert engine.ran == ["ok", "bad", "last"]
    engine.api.execute_workflow(workflow(run(bad, on_failure="continue"), task("c")))
    assert engine.ran[-1] == "c"


def test_it_runs_itself_as_long_as_its_condition_holds(engine: Engine) -> None:
    again = WorkflowStep(
        kind="conditional", name="more", condition="context.n < 3", false_steps=[],
        true_steps=[run("counts", context={"n": "${context.n + 1}"})],
    )  # fmt: skip
    engine.api.register_workflow(WorkflowDefinition(name="counts", steps=[task("x"), again]))
    engine.api.execute_workflow(workflow(run("counts", context={"n": 0})))
    assert engine.ran == ["x"] * 4


def test_without_an_end_it_fails_at_the_sixteenth(engine: Engine) -> None:
    engine.api.register_workflow(WorkflowDefinition(name="for_ever", steps=[task("x"), run("for_ever", when="true")]))
    with pytest.raises(WorkflowExecutionError, match="more than 16 workflows inside each other"):
        engine.api.execute_workflow("for_ever")


def test_a_cancel_ends_what_lies_in_it(engine: Engine) -> None:
    held = WorkflowStep(name="held", task_template=work() | {"hold": True})
    id = engine.api.start_workflow(workflow(run(inner(task("x"), held)), task("b")))
    engine.run_until_idle()
    engine.api.cancel_workflow(id)
    engine.run_until_idle()
    assert engine.api.get_workflow(id).status == "cancelled"
    assert engine.ran == ["x"]


def test_signals_and_answers_reach_what_lies_in_it(engine: Engine) -> None:
    go = WorkflowStep(kind="wait", name="go", signal="go")
    word = WorkflowStep(kind="approval", name="word", prompt="?", outputs={"by": "${output.by}"})
    flow = inner(go, run(inner(word, outputs={"by": "${variables.by}"})), outputs={"by": "${steps.sub.output.by}"})
    id = engine.api.start_workflow(workflow(run(flow), outputs={"by": "${steps.sub.output.by}"}))
    engine.api.signal_workflow(id, "go")
    engine.run_until_idle()
    assert engine.api.approve(id, "sub/sub/word", by="ann") is True
    engine.run_until_idle()
    done = engine.api.get_workflow(id)
    assert (done.status, done.result) == ("completed", {"by": "ann"})


def test_one_that_can_never_end_gets_no_name(engine: Engine) -> None:
    circle = WorkflowDefinition(name="a", steps=[run("b")])
    assert engine.api.register_workflow(circle) == 1  # b may be anything yet
    with pytest.raises(InvalidInputError, match="holds itself without an end: b -> a -> b"):
        engine.api.register_workflow(WorkflowDefinition(name="b", steps=[task("x"), run("a")]))
    with pytest.raises(InvalidInputError, match="c -> c"):
        engine.api.register_workflow(WorkflowDefinition(name="c", steps=[run("c")]))
    assert engine.api.register_workflow(WorkflowDefinition(name="b", steps=[run("a", when="context.again")])) == 1


def test_one_that_can_never_end_is_refused_at_the_start(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clients may register the halves of a circle at the same time."""
    monkeypatch.setattr(workflow_names, "refuse_endless", lambda *_: iter(()))
    engine.api.register_workflow(WorkflowDefinition(name="circle", steps=[task("x"), run("circle")]))
    for order in ("circle", workflow(run("circle"))):
        with pytest.raises(InvalidInputError, match="circle -> circle"):
            engine.api.start_workflow(order)
    assert engine.ran == []


def test_its_variables_are_set_under_the_id_of_its_step_and_the_outer_ones_stay(engine: Engine) -> None:
    hold = WorkflowStep(kind="wait", name="hold", wait_condition="variables.x == 1")
    inner = Workflow(name="inner", steps=[hold], variables={"x": 0}, outputs={"x": "${variables.x}"})
    runs = WorkflowStep(kind="sub_workflow", name="sub", workflow=inner)
    handle = engine.api.start_workflow(Workflow(name="w", steps=[runs], variables={"x": 5}))
    engine.run_until_idle()
    step = handle.status().steps[0].task_id
    assert step is not None
    assert engine.api.update_context(step, {"x": 1}) == 1
    engine.run_until_idle()
    assert handle.status().status == "completed"
    assert handle.get().variables == {"x": 5}
    with pytest.raises(NotAllowedError, match=r"step sub of workflow 'w' .* is completed and keeps its variables"):
        engine.api.update_context(step, {"x": 2})


@pytest.mark.parametrize(
    "verb",
    [
        lambda api, id: api.signal_workflow(id, "go"),
        lambda api, id: api.approve(id, "ask"),
        lambda api, id: api.get_workflow_status(id),
    ],
)
def test_what_else_is_said_to_an_inner_one_is_said_to_the_outer_workflow(engine: Engine, verb: Any) -> None:
    inner = Workflow(name="inner", steps=[WorkflowStep(kind="approval", name="ask", prompt="?")])
    handle = engine.api.start_workflow(
        Workflow(name="w", steps=[WorkflowStep(kind="sub_workflow", name="sub", workflow=inner)])
    )
    engine.run_until_idle()
    with pytest.raises(NotAllowedError, match=f"step sub of workflow 'w' .*; say it to the workflow: {handle}"):
        verb(engine.api, handle.status().steps[0].task_id)
    assert handle.approve("sub/ask") is True
