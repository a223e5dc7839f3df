"""Expressions: what a step takes from the context, from variables and from the steps before it, and where it goes."""

from __future__ import annotations

import pytest

from taskengine import InvalidWorkflowError, Workflow, WorkflowExecutionError, WorkflowStep
from taskengine.core.identity import step_id
from taskengine.core.steps.templates import Author
from taskengine.models import TaskStep, WorkflowDefinition
from taskengine.testing import Engine

from .conftest import QUEUE, work


def task(name: str, gives: object = None, **more: object) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(gives=gives or {}), **more)


def echo(name: str, value: object, **more: object) -> WorkflowStep:
    """A step that gives what it was given."""
    return WorkflowStep(name=name, task_template=work(gives={"got": value}), **more)


def workflow(*steps: WorkflowStep, **more: object) -> Workflow:
    return Workflow(name="w", steps=steps, **more)


def result(engine: Engine, name: str) -> object:
    (found,) = [one for one in engine.api.list_tasks() if one.name == name]
    return engine.task(found.id).result



def test_a_step_takes_what_a_step_before_it_gave(engine: Engine) -> None:
    flow = workflow(task("a", {"x": 7}), echo("b", "${steps.a.output.x}"), echo("c", "n=${steps.b.output.got}!"))
    engine.api.execute_workflow(flow)
    assert result(engine, "b") == {"got": 7}
    assert result(engine, "c") == {"got": "n=7!"}


def test_steps_that_only_read_each_other_need_no_coordinator(engine: Engine) -> None:
    flow = workflow(task("a", {"x": 7}), echo("b", "${steps.a.output.x} ${context.k}"), context={"k": "v"})
    engine.api.start_workflow(flow)
    engine.step()
    assert {one.name: one.status.value for one in engine.api.list_tasks()}.keys() == {"a", "b"}
    engine.run_until_idle()
    assert result(engine, "b") == {"got": "7 v"}


def test_context_is_put_in_when_the_step_is_put(engine: Engine) -> None:
    template = {**work(gives={"got": "${context.deep.k}"}), "name": "for ${context.who}"}
    flow = workflow(
        WorkflowStep(name="a", task_template=template), context={"who": "ann", "deep": {"k": [1, 2]}}
    )
    engine.api.execute_workflow(flow)
    assert result(engine, "for ann") == {"got": [1, 2]}


def test_outputs_set_variables_that_later_steps_read(engine: Engine) -> None:
    flow = workflow(
        task("a", {"x": 7}, outputs={"n": "${output.x}", "text": "got ${output.x}"}),
        echo("b", "${variables.n} ${variables.text} ${variables.old}"),
        variables={"old": "o"},
        outputs={"all": "${steps.b.output.got}", "n": "${variables.n}"},
    )
    done = engine.api.execute_workflow(flow)
    assert done.result == {"all": "7 got 7 o", "n": 7}
    assert done.variables == {"old": "o", "n": 7, "text": "got 7"}


def test_a_missing_value_fails_its_step_with_what_is_there_instead(engine: Engine) -> None:
    flow = workflow(task("a", {"x": 7}), echo("b", "${steps.a.output.y}"))
    with pytest.raises(WorkflowExecutionError, match=r"step b failed: .*steps.a.output has x, not 'y'") as caught:
        engine.api.execute_workflow(flow)
    assert caught.value.workflow.error_kind == "expression"


def test_a_template_that_yields_no_valid_task_fails_that_step_alone(engine: Engine) -> None:
    bad = WorkflowStep(name="b", task_template={**work(), "priority": "${context.p}"}, on_failure="continue")
    worse = WorkflowStep(name="c", task_template={**work(), "timeout": "${variables.t}"}, on_failure="continue")
    flow = workflow(task("a"), bad, worse, task("d"), context={"p": "most"}, variables={"t": -1})
    assert engine.api.execute_workflow(flow).status == "completed"
    assert engine.ran == ["a", "d"]
    found = {one.path: one for one in engine.api.get_workflow_status(flow.id).steps}
    assert found["b"].status == found["c"].status == "failed"
    assert "priority" in str(found["b"].error_message)


def test_what_a_value_holds_is_never_a_template(engine: Engine) -> None:
    flow = workflow(task("a", {"x": "$" + "{context.secret}"}), context={"secret": "s"})
    literal = workflow(echo("b", "$" + "${context.k}"), context={"k": "v"})
    engine.api.execute_workflow(literal)
    assert result(engine, "b") == {"got": "${context.k}"}
    engine.api.execute_workflow(flow)


def test_a_step_whose_condition_does_not_hold_is_skipped(engine: Engine) -> None:
    flow = workflow(
        task("a", {"x": 7}, outputs={"n": "${output.x}"}),
        task("b", when="variables.n > 10"),
        task("c", when="variables.n < 10"),
        echo("d", "${steps.b.status} ${steps.c.status}"),
    )
    engine.api.execute_workflow(flow)
    assert engine.ran == ["a", "c", "d"]
    assert result(engine, "d") == {"got": "skipped completed"}


def test_a_group_gives_what_its_steps_gave(engine: Engine) -> None:
    inner = WorkflowStep(kind="sequential", name="s", sub_steps=[task("x", {"n": 1}), task("y", {"n": 2})])
    both = WorkflowStep(kind="parallel", name="p", sub_steps=[inner, task("z", {"n": 3})])
    flow = workflow(both, echo("b", "${steps.p.output}"), echo("c", "${steps.p.s.x.output.n}"))
    engine.api.execute_workflow(flow)
    assert result(engine, "b") == {"got": {"s": {"n": 2}, "z": {"n": 3}}}
    assert result(engine, "c") == {"got": 1}


def test_the_queue_of_a_task_may_come_from_the_context(engine: Engine) -> None:
    template = {"capability": "${context.queue}", "max_retries": 0}
    flow = workflow(WorkflowStep(name="a", task_template=template), context={"queue": QUEUE})
    engine.api.execute_workflow(flow)
    assert engine.ran == ["a"]


def test_a_task_that_a_client_changes_still_takes_what_its_workflow_gives_it(engine: Engine) -> None:
    held = WorkflowStep(name="a", task_template={**work(gives={"x": 7}), "hold": True})
    flow = workflow(held, echo("b", "${steps.a.output.x}"))
    engine.api.start_workflow(flow)
    engine.run_until_idle()
    first, second = sorted(engine.api.list_tasks(), key=lambda one: one.name)
    engine.api.update_task(second.id, priority="high", metadata={"k": "v"})
    engine.api.update_task(second.id, priority="low")
    engine.api.execute_task(first.id, wait=False)
    engine.run_until_idle()
    assert result(engine, "b") == {"got": 7}
    assert engine.task(second.id).metadata == {"k": "v"}


def test_a_definition_that_cannot_work_is_refused_before_anything_is_stored(engine: Engine) -> None:
    wrong = workflow(echo("c", "${steps.nobody.output}"), task("d", when="1 +"))
    with pytest.raises(InvalidWorkflowError, match="there is no step 'nobody'") as caught:
        engine.api.start_workflow(wrong)
    assert len(caught.value.faults) == 2
    with pytest.raises(InvalidWorkflowError):
        engine.api.register_workflow(wrong)
    schema = {"type": "object", "required": ["branch"]}
    with pytest.raises(InvalidWorkflowError, match="branch"):
        engine.api.start_workflow(workflow(task("a"), input_schema=schema))
    assert engine.ran == []


def test_each_of_a_long_chain_reads_the_one_before_and_nobody_decides(engine: Engine) -> None:
    """Tasks all of them, however many stand before one; the two of a circle are not, nor is who reads one of them."""
    later = [WorkflowStep(name=f"s{n}", task_template=work(gives={"n": f"${{steps.s{n - 1}.output.n + 1}}"}))
             for n in range(1, 70)]  # fmt: skip
    first = WorkflowStep(name="s0", task_template=work(gives={"n": 0}))
    flow = Workflow(name="w", steps=[first, *later], outputs={"n": "${steps.s69.output.n}"})
    done = engine.api.execute_workflow(flow)
    assert done.result == {"n": 69}
    assert all(engine.task(step_id(str(flow.id), f"s{n}")).name == f"s{n}" for n in range(70))


def test_what_is_read_in_a_circle_is_no_task() -> None:
    texts = {"a": "${steps.b.output}", "b": "${steps.a.output}", "c": "${steps.a.output}", "d": "${steps.e.output}"}
    made = [WorkflowStep(name=name, task_template=work(x=text), depends_on=[]) for name, text in texts.items()]
    flow = WorkflowDefinition(name="w", steps=[*made, WorkflowStep(name="e", task_template=work(), depends_on=[])])
    for order in (flow.steps, flow.steps[::-1]):
        author = Author(flow)
        rows = {one.name: author.task_row(one, one.name, ()) for one in order if isinstance(one, TaskStep)}
        assert {name for name, row in rows.items() if row is None} == {"a", "b", "c"}
