"""What is wrong beyond a definition's shape: context, and sub-workflows that hold themselves."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import InvalidWorkflowError, WorkflowDefinition
from taskengine.core.workflow_faults import context_faults, faults, recursion, refuse_faulty


def task(name: str, **given: Any) -> dict[str, Any]:
    return {"name": name, "task_template": {"input": given}}


def test_a_workflow_that_nobody_built_is_looked_at_before_it_starts() -> None:
    made = WorkflowDefinition(name="w", steps=[task("a", x="${1 +}"), task("b", x="${steps.c.output}")])
    assert [fault.path for fault in faults(made)] == ["steps[0].task_template.input", "steps[1].task_template.input"]
    with pytest.raises(InvalidWorkflowError):
        refuse_faulty(made)
    refuse_faulty(WorkflowDefinition(name="w", steps=[task("a")]))


@pytest.mark.parametrize(
    ("schema", "where", "says"),
    [
        ({"type": "nonsense"}, ".type", "no JSON Schema"), ({"$ref": "#/$defs/a"}, "", "is not there"),
        ({"$ref": "https://a.test/s"}, ".$ref", ""), ({"description": "x" * 70_000}, "", "65536 bytes"),
    ],
)  # fmt: skip
def test_an_output_schema_that_is_none_is_found_wherever_its_step_stands(
    schema: dict[str, Any], where: str, says: str
) -> None:
    plain = {"name": "a", "task_template": {"output_schema": schema}}
    inner = {"kind": "map", "name": "m", "items": [1], "steps": [plain]}
    found = faults(WorkflowDefinition(name="w", steps=[plain, inner]))
    assert [fault.path for fault in found] == [
        f"steps[0].task_template.output_schema{where}", f"steps[1].steps[0].task_template.output_schema{where}"
    ]  # fmt: skip
    assert says in found[0].message


def test_an_output_schema_that_is_one_or_is_put_in_later_is_no_fault() -> None:
    for schema in ({"type": "object", "required": ["n"]}, "${context.schema}", {"enum": ["${context.a}"]}, None):
        refuse_faulty(WorkflowDefinition(name="w", steps=[{"name": "a", "task_template": {"output_schema": schema}}]))


def test_an_inline_workflow_is_one_of_its_own() -> None:
    inner = {"name": "i", "steps": [task("x", y="${steps.outer.output}")]}
    steps = [task("outer"), {"kind": "sub_workflow", "name": "s", "workflow": inner}]
    (found,) = faults(WorkflowDefinition(name="w", steps=steps))
    assert found.path == "steps[1].workflow.steps[0].task_template.input"
    assert "there is no step 'outer' in this workflow" in found.message


def test_a_step_that_reads_one_which_waits_for_it_never_begins() -> None:
    steps = [
        {"kind": "sequential", "name": "one", "sub_steps": [task("deep", x="${steps.two.output}")]},
        {**task("two"), "depends_on": ["one"]},
        {**task("free", x="${steps.two.output}"), "depends_on": []},
    ]
    (found,) = faults(WorkflowDefinition(name="w", steps=steps))
    assert (found.path, found.message[:36]) == ("steps[0]", "it never begins, by what it reads: o")


def test_a_context_must_fit_its_schema() -> None:
    schema = {"required": ["repo"], "properties": {"repo": {"type": "string"}}}
    made = WorkflowDefinition(name="w", steps=[task("a")], input_schema=schema, context={"repo": 3})
    assert [str(fault) for fault in context_faults(made)] == ["context: repo: 3 is not of type 'string'"]
    assert context_faults(made.model_copy(update={"context": {"repo": "r"}})) == []
    assert context_faults(WorkflowDefinition(name="w", steps=[task("a")])) == []


def holding(*names: str, **fields: Any) -> WorkflowDefinition:
    steps = [{"kind": "sub_workflow", "name": f"s{at}", "workflow": name, **fields} for at, name in enumerate(names)]
    return WorkflowDefinition(name="w", steps=[task("a"), *steps])


def test_a_workflow_that_holds_itself_on_every_way_never_ends() -> None:
    known = {"a": holding("b"), "b": holding("leaf", "c"), "c": holding("a"), "leaf": holding()}
    assert recursion("a", known.get) == "it holds itself without an end: a -> b -> c -> a"
    assert recursion("leaf", known.get) is None
    assert recursion("nobody", known.get) is None


def test_a_workflow_that_holds_itself_where_it_may_not_go_ends() -> None:
    assert recursion("a", {"a": holding("a", when="context.n > 0")}.get) is None
    branch = {"kind": "conditional", "name": "c", "condition": "context.x", "true_steps": list(holding("a").steps[1:])}
    assert recursion("a", {"a": WorkflowDefinition(name="w", steps=[branch])}.get) is None
    inline = {"kind": "sub_workflow", "name": "i", "workflow": holding("a")}
    assert recursion("a", {"a": WorkflowDefinition(name="w", steps=[inline])}.get) is not None
