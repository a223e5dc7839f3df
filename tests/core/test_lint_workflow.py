"""Doubts about a definition: each rule with what it warns of, and what it must leave alone."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import ConditionOperator, WorkflowBuilder, WorkflowCondition, WorkflowStep
from taskengine.core.lint_workflow import lint


def step(name: str, **fields: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template={"input": fields.pop("input", {})}, **fields)


def lint_warnings(builder: WorkflowBuilder) -> list[tuple[str, str]]:
    return [(doubt.rule, doubt.fault.path) for doubt in lint(builder.build())]


PASSED = WorkflowCondition(field="test_status", operator=ConditionOperator.EQUALS, value="passed")


def test_a_condition_on_a_field_that_nobody_sets_is_doubted() -> None:
    builder = WorkflowBuilder("w").add_conditional_step("check", PASSED, [step("deploy")], [step("rollback")])
    (doubt,) = lint(builder.build())
    assert (doubt.rule, doubt.fault.path) == ("unset-field", "steps[0].condition")
    assert "nobody sets 'test_status'" in doubt.fault.message
    assert "variables={'test_status': …}" in doubt.fault.message


@pytest.mark.parametrize(
    "fields",
    [
        {"variables": {"test_status": "passed"}},
        {"context": {"test_status": "passed"}},
        {"input_schema": {"type": "object", "properties": {"test_status": {"type": "string"}}}},
    ],
)
def test_a_field_that_is_there_from_the_beginning_is_not_doubted(fields: dict[str, Any]) -> None:
    assert lint_warnings(WorkflowBuilder("w", **fields).add_conditional_step("check", PASSED, [step("deploy")])) == []


def test_a_field_that_a_step_sets_is_not_doubted() -> None:
    builder = WorkflowBuilder("w").add_step(step("test", outputs={"test_status": "${output.status}"}))
    assert lint_warnings(builder.add_conditional_step("check", PASSED, [step("deploy")])) == []


def test_a_variable_that_nobody_sets_is_doubted() -> None:
    builder = WorkflowBuilder("w", variables={"a": 1})
    builder.add_step(step("t", input={"x": "${variables.a} ${variables.b} ${has(variables.c)} ${context.d}"}))
    assert lint_warnings(builder) == [("unset-variable", "steps[0].task_template.input")] * 2


@pytest.mark.parametrize(
    ("condition", "outputs", "is_stuck"),
    [
        ("variables.n < 3", {}, True),
        ("variables.n < 3", {"n": "${output.n}"}, False),
        ("variables.n < 3", {"m": "${output.n}"}, True),
        ("iteration < 3", {}, False),
        (WorkflowCondition(field="n", operator="less_than", value=3), {"n": "${output.n}"}, False),
        (WorkflowCondition(field="n", operator="less_than", value=3), {}, True),
    ],
)
def test_a_loop_whose_condition_cannot_change_is_doubted(
    condition: Any, outputs: dict[str, Any], is_stuck: bool
) -> None:
    body = WorkflowStep(kind="sequential", name="s", sub_steps=[step("t", outputs=outputs)])
    builder = WorkflowBuilder("w", variables={"n": 0}).add_loop_step("again", condition, [body], 5)
    assert lint_warnings(builder) == ([("stuck-loop", "steps[0].loop_condition")] if is_stuck else [])


def test_a_read_of_what_may_have_no_output_is_doubted() -> None:
    builder = WorkflowBuilder("w", context={"x": True})
    builder.add_step(step("maybe", when="context.x"), step("soft", on_failure="continue"))
    builder.add_conditional_step(
        "branch", "context.x", [step("inside"), step("use", input={"a": "${steps.inside.output}"})]
    )
    for name, read in (("maybe", "maybe"), ("soft", "soft"), ("deep", "branch.inside")):
        builder.add_step(step(f"reads_{name}", input={"a": f"${{steps.{read}.output.x}}"}))
    builder.add_step(step("asks", input={"a": "${has(steps.maybe.output.x) ? steps.maybe.output.x : 0}"}))
    builder.add_step(step("status", input={"a": "${steps.maybe.status}"}))
    assert lint_warnings(builder) == [("may-be-skipped", f"steps[{at}].task_template.input") for at in (3, 4, 5)]


def test_a_wait_for_somebody_without_an_end_is_doubted() -> None:
    builder = WorkflowBuilder("w", variables={"ok": False})
    builder.add_approval_step("a", "?").add_wait_step("s", signal="x").add_wait_step("c", wait_condition="variables.ok")
    builder.add_approval_step("b", "?", timeout=60).add_wait_step("t", wait_seconds=5)
    builder.add_sequential_step("q", [WorkflowStep(kind="wait", name="i", signal="x")], timeout=9)
    assert lint_warnings(builder) == [("no-timeout", f"steps[{at}]") for at in (0, 1, 2)]


def test_a_condition_that_reads_nothing_is_doubted() -> None:
    assert lint_warnings(WorkflowBuilder("w").add_step(step("t", when="1 < 2"))) == [
        ("constant-condition", "steps[0].when")
    ]


def test_two_steps_that_set_one_variable_at_the_same_time_are_doubted() -> None:
    one, two = step("one", outputs={"x": "1"}), step("two", outputs={"x": "2"})
    after = step("two", outputs={"x": "2"}, depends_on=["one"])
    assert lint_warnings(WorkflowBuilder("w").add_parallel_step("p", [one, two])) == [("set-twice", "steps[0]")]
    assert lint_warnings(WorkflowBuilder("w").add_parallel_step("p", [one, after])) == []


def test_a_flood_of_items_is_doubted() -> None:
    builder = WorkflowBuilder("w").add_map_step("m", list(range(1001)), [step("t")])
    assert lint_warnings(builder) == [("flood", "steps[0].items")]
    assert lint_warnings(WorkflowBuilder("w").add_map_step("m", list(range(1001)), [step("t")], max_parallel=8)) == []


def test_what_is_wrong_comes_first() -> None:
    made = WorkflowBuilder("w").add_step(step("t")).build()
    wrong = made.model_copy(update={"steps": (step("t", input={"a": "${steps.gone.output}"}),)})
    assert [(doubt.rule, doubt.fault.path) for doubt in lint(wrong)] == [("invalid", "steps[0].task_template.input")]


@pytest.mark.parametrize(
    "workflow",
    [
        WorkflowBuilder.create_ci_cd_workflow("w", repository_url="r"),
        WorkflowBuilder.create_ci_cd_workflow("w", repository_url="r", environment=None),
        WorkflowBuilder.create_data_processing_workflow("w", data_sources=["a"]),
        WorkflowBuilder.create_code_review_workflow("w", pull_request_url="r/pull/1"),
    ],
)
def test_nothing_is_doubted_in_the_prebuilt_workflows(workflow: Any) -> None:
    assert lint(workflow) == []
