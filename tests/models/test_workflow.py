"""Definitions of workflows: what is accepted, that all faults are found at once with their paths, and the bounds."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from taskengine import InvalidWorkflowError, TaskFactory, Workflow, WorkflowCondition, WorkflowDefinition, WorkflowStep
from taskengine.models import (
    ApprovalStep,
    ConditionalStep,
    ConditionOperator,
    LoopStep,
    MapStep,
    ParallelStep,
    SequentialStep,
    SubWorkflowStep,
    TaskStep,
    WaitStep,
)
from taskengine.models.definition_types import MAX_EXPRESSION
from taskengine.models.siblings import MAX_LEVELS, MAX_STEPS
from taskengine.models.steps import MAX_BYTES

TASK: dict[str, Any] = {"name": "t", "task_template": {"capability": "lint"}}
EVERY_KIND: dict[str, tuple[type[WorkflowStep], dict[str, Any]]] = {
    "task": (TaskStep, {"task_template": {"task_type": "testing", "input": {"tag": "${steps.build.output.tag}"}}}),
    "parallel": (ParallelStep, {"sub_steps": [TASK], "mode": "wait_all"}),
    "sequential": (SequentialStep, {"sub_steps": [TASK]}),
    "conditional": (ConditionalStep, {"condition": "variables.x > 1", "true_steps": [TASK]}),
    "loop": (LoopStep, {"loop_condition": "iteration < 3", "loop_steps": [TASK], "max_iterations": 3}),
    "wait": (WaitStep, {"wait_seconds": 1.5}),
    "map": (MapStep, {"items": "context.regions", "steps": [TASK], "max_parallel": 8, "tolerate": 1}),
    "sub_workflow": (SubWorkflowStep, {"workflow": {"name": "inner", "steps": [TASK]}, "context": {"a": "${item}"}}),
    "approval": (ApprovalStep, {"prompt": "Ship ${context.tag}?", "form": {"type": "object"}, "approvers": ["ann"]}),
}
COMMON = {
    "when": "context.go",
    "depends_on": [],
    "on_failure": "continue",
    "outputs": {"x": "${output.x}"},
    "timeout": 60,
}


def refused(**fields: Any) -> list[str]:
    """The faults of a definition, each as ``path: message``."""
    with pytest.raises(InvalidWorkflowError) as caught:
        WorkflowDefinition(**{"name": "w", **fields})
    return [str(fault) for fault in caught.value.faults]


def nested(levels: int) -> dict[str, Any]:
    step: dict[str, Any] = TASK
    for _ in range(levels - 1):
        step = {"kind": "sequential", "name": "s", "sub_steps": [step]}
    return step


def test_every_kind_is_known() -> None:
    assert list(WorkflowStep.classes) == list(EVERY_KIND)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_step_is_of_the_class_that_its_kind_names(kind: str) -> None:
    expected, fields = EVERY_KIND[kind]
    step = WorkflowStep(kind=kind, name="s", **fields, **COMMON)
    assert type(step) is expected
    assert step == expected(name="s", **fields, **COMMON) == WorkflowStep.model_validate(step.model_dump())
    assert copy.deepcopy(step) == pickle.loads(pickle.dumps(step)) == step


def test_a_step_without_a_kind_is_a_task() -> None:
    assert type(WorkflowStep(**TASK)) is TaskStep
    assert WorkflowDefinition(name="w", steps=[TASK]).steps == (WorkflowStep(**TASK),)


def test_a_definition_survives_its_own_json() -> None:
    steps = [{"kind": kind, "name": kind, **fields, **COMMON} for kind, (_, fields) in EVERY_KIND.items()]
    made = Workflow(name="all", steps=steps, finally_steps=[TASK], variables={"x": None}, priority="high", timeout=9)
    assert WorkflowDefinition.model_validate_json(made.definition_json()) == made.definition
    assert Workflow.model_validate_json(made.model_dump_json()) == made
    assert made.definition.digest() == made.digest()


def test_equal_definitions_have_equal_digests_whoever_made_them() -> None:
    one = Workflow(name="w", steps=[TASK], context={"a": 1, "b": 2})
    other = WorkflowDefinition(name="w", steps=[WorkflowStep(**TASK)], context={"b": 2, "a": 1}, priority=2)
    assert one.digest() == other.digest()
    assert one.digest() != Workflow(name="w", steps=[TASK], context={"a": 1, "b": 3}).digest()


def test_defaults_that_matter_are_written_out() -> None:
    """Else a later version with other defaults would change what a stored definition means."""
    made = WorkflowDefinition(name="w", steps=[{"kind": "loop", "name": "l", **EVERY_KIND["loop"][1]}])
    written = made.definition_json().decode()
    assert '"at_limit":"fail"' in written
    assert '"keep":20' in written


def test_all_faults_are_told_at_once_each_with_its_path() -> None:
    found = refused(
        bogus=1,
        steps=[
            {"name": "a", "task_template": {"task_typ": "x", "priority": "hi", "timeout": -1}, "wen": 1},
            {
                "name": "a",
                "kind": "conditional",
                "condition": {"field": "x", "operator": "eqals", "value": 1},
                "true_steps": [{"name": "t", "task_template": {"task_type": "nope"}}, {"kind": "lop", "name": "q"}],
            },
            {"name": "b", "kind": "wait", "wait_seconds": -1, "wait_condition": "x", "depends_on": ["c"]},
            {"name": "p", "kind": "parallel", "sub_steps": []},
            {"name": "l", "kind": "loop", "loop_condition": "a", "loop_steps": [3]},
            {"name": "s", "kind": "sub_workflow", "workflow": {"name": "i", "steps": [{"name": "9"}]}},
        ],
    )
    assert [fault.partition(": ")[0] for fault in found] == [
        "steps[0].task_template.task_typ",
        "steps[0].task_template.priority",
        "steps[0].task_template.timeout",
        "steps[0].wen",
        "steps[1].condition.operator",
        "steps[1].true_steps[0].task_template.task_type",
        "steps[1].true_steps[1].kind",
        "steps[1].name",
        "steps[2].wait_seconds",
        "steps[2]",
        "steps[2].depends_on",
        "steps[3].sub_steps",
        "steps[4].loop_steps[0]",
        "steps[4].max_iterations",
        "steps[5].workflow.steps[0].name",
        "steps[5].workflow.steps[0].task_template",
        "bogus",
    ]
    assert found[0].endswith("unknown field 'task_typ'; did you mean 'task_type'?")
    assert found[6].endswith("did you mean 'loop'?")
    assert "has wait_seconds and wait_condition; give one of" in found[9]


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        ({**TASK, "name": "has space"}, "steps[0].name: string should match"),
        ({**TASK, "name": "x" * 65}, "steps[0].name: string should match"),
        ({**TASK, "depends_on": ["t"]}, "steps[0].depends_on: a cycle: t -> t"),
        ({**TASK, "on_failure": {"steps": [TASK]}}, "steps[0].on_failure: use one of fail, continue"),
        ({**TASK, "undo": TASK}, "steps[0].undo: unknown field 'undo'"),
        ({**TASK, "outputs": {"a b": "x"}}, "steps[0].outputs.a b"),
        ({**TASK, "outputs": {"a": "${"}}, "steps[0].outputs.a: '${' without its '}'"),
        ({**TASK, "when": {}}, "steps[0].when: a condition says nothing"),
        ({**TASK, "when": ""}, "steps[0].when.expression: the expression is empty"),
        ({**TASK, "when": "a-${item}"}, "steps[0].when.expression: is an expression, no text"),
        ({**TASK, "timeout": 0}, "steps[0].timeout"),
        ({"name": "t", "task_template": {"id": "1"}}, "steps[0].task_template.id: is made from the workflow's id"),
        ({"name": "t", "task_template": {"depends_on": []}}, "steps[0].task_template.depends_on: belongs to the step"),
        ({"name": "t", "task_template": {"idempotency_key": "k"}}, "steps[0].task_template.idempotency_key"),
        ({"name": "t", "task_template": 3}, "steps[0].task_template: must be an object"),
        ({"name": "t", "task_template": {"retry": {"jitter": 2}}}, "steps[0].task_template.retry.jitter"),
        ({"name": "t", "task_template": {"input": {"a": ["${x"]}}}, "steps[0].task_template.input.a[0]: '${' without"),
        (
            {"name": "t", "task_template": {"scheduled_at": "2030-01-02T00:00Z", "expires_at": "2030-01-01T00:00Z"}},
            "steps[0].task_template.expires_at",
        ),
        ({"kind": "conditional", "name": "c", "condition": "x"}, "steps[0]: has neither true_steps nor false_steps"),
        ({"kind": "wait", "name": "w"}, "steps[0]: waits for nothing"),
        ({"kind": "wait", "name": "w", "until": "2030-01-01"}, "steps[0].until: has no time zone"),
        ({"kind": "wait", "name": "w", "signal": "a b"}, "steps[0].signal"),
        ({"kind": "loop", "name": "l", "loop_condition": "x", "loop_steps": [TASK]}, "steps[0].max_iterations: is req"),
        ({"kind": "map", "name": "m", "items": 3, "steps": [TASK]}, "steps[0].items"),
        ({"kind": "map", "name": "m", "items": list(range(10_001)), "steps": [TASK]}, "steps[0].items"),
        ({"kind": "map", "name": "m", "items": "x", "steps": [TASK], "max_parallel": 0}, "steps[0].max_parallel"),
        ({"kind": "sub_workflow", "name": "s", "workflow": ""}, "steps[0].workflow: string should have at least 1"),
        ({"kind": "sub_workflow", "name": "s", "workflow": 3}, "steps[0].workflow: must be an object"),
        ({"kind": "approval", "name": "a", "prompt": ""}, "steps[0].prompt"),
        (3, "steps[0]: must be a step"),
    ],
)
def test_a_wrong_step_is_refused_by_path(step: Any, fault: str) -> None:
    (found,) = refused(steps=[step])
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        ({"field": "x"}, "field and operator belong together"),
        ({"field": "x", "operator": "equals", "expression": "y"}, "a condition has field and expression"),
        ({"expression": "x", "value": 3}, "value: belongs to a field"),
        ({"field": "x y", "operator": "exists"}, "field: string should match"),
        ({"field": "x", "operator": "exists", "value": 3}, "value: exists takes no value"),
        ({"field": "x", "operator": "less_than", "value": True}, "value: less_than compares with a number or a text"),
        ({"field": "x", "operator": "less_than"}, "value: less_than compares with a number or a text"),
        ({"field": "x", "operator": "in", "value": "abc"}, "value: in needs a list"),
        ({"field": "x", "operator": "matches", "value": 3}, "value: matches needs a text"),
        ({"all_of": []}, "all_of: "),
        ({"not_": {"any_of": ["a", {"field": "x"}]}}, "not_.any_of[1]: field and operator belong together"),
    ],
)
def test_a_wrong_condition_is_refused_by_path(condition: dict[str, Any], fault: str) -> None:
    with pytest.raises(InvalidWorkflowError) as caught:
        WorkflowCondition(**condition)
    (found,) = map(str, caught.value.faults)
    assert found.startswith(fault)


def test_there_are_fifteen_operators() -> None:
    assert " ".join(ConditionOperator) == (
        "equals not_equals less_than less_than_or_equal greater_than greater_than_or_equal in not_in contains "
        "not_contains starts_with ends_with matches exists not_exists"
    )


def test_names_are_unique_among_siblings_only() -> None:
    step = WorkflowStep(**TASK)
    body = WorkflowStep(kind="sequential", name="s", sub_steps=[step])
    branch = WorkflowStep(kind="conditional", name="c", condition="x", true_steps=[step], false_steps=[step])
    assert len(WorkflowDefinition(name="w", steps=[step, body, branch]).steps) == 3
    assert refused(steps=[step, step]) == ["steps[1].name: 't' is also the name of its sibling [0]; rename one"]


def named(name: str, *depends_on: str) -> dict[str, Any]:
    return {"name": name, "task_template": {}, "depends_on": list(depends_on)}


def test_a_cycle_among_siblings_is_refused_with_its_names() -> None:
    assert refused(steps=[named("a", "c"), named("b", "a"), named("c", "b")]) == [
        "steps[0].depends_on: a cycle: a -> c -> b -> a; remove one of its edges"
    ]


def test_who_says_nothing_depends_on_the_sibling_before_in_a_sequence_only() -> None:
    steps = [named("a", "b"), {"name": "b", "task_template": {}}]
    assert refused(steps=steps) == ["steps[0].depends_on: a cycle: a -> b -> a; remove one of its edges"]
    WorkflowDefinition(name="w", steps=[{"kind": "parallel", "name": "p", "sub_steps": steps}])


def test_an_unknown_sibling_is_told_with_the_one_that_was_meant() -> None:
    assert refused(steps=[named("build"), named("b", "biuld")]) == [
        "steps[1].depends_on: 'biuld' is no sibling of this step; did you mean 'build'?"
    ]


def test_as_many_steps_as_allowed_and_not_one_more() -> None:
    steps = [{"name": f"s{i}", "task_template": {}} for i in range(MAX_STEPS)]
    assert MAX_STEPS == 10_000
    assert len(WorkflowDefinition(name="w", steps=steps).steps) == 10_000
    (found,) = refused(steps=[*steps, TASK])
    assert found.startswith("has more than 10000 steps")
    (found,) = refused(steps=[{"kind": "sequential", "name": "s", "sub_steps": steps}])
    assert found.startswith("has more than 10000 steps")


def test_as_many_levels_as_allowed_and_not_one_more() -> None:
    assert MAX_LEVELS == 32
    WorkflowDefinition(name="w", steps=[nested(32)])
    (found,) = refused(steps=[nested(33)])
    assert "more than 32 steps inside each other" in found
    inside = {"kind": "sub_workflow", "name": "s", "workflow": {"name": "i", "steps": [nested(32)]}}
    (found,) = refused(steps=[inside])
    assert "more than 32 steps inside each other" in found


def test_a_definition_that_holds_itself_is_refused() -> None:
    step: dict[str, Any] = {"kind": "sequential", "name": "s", "sub_steps": []}
    step["sub_steps"] += [step, step]
    assert any("more than" in fault for fault in refused(steps=[step]))


def test_values_may_lie_no_deeper_than_anywhere_else() -> None:
    deep: Any = 1
    for _ in range(70):
        deep = [deep]
    assert refused(steps=[TASK], context={"a": deep})[0].startswith("context: it.a[0]")
    assert refused(steps=[{"name": "t", "task_template": {"input": {"a": deep}}}])[0].startswith(
        "steps[0].task_template.input"
    )


def test_a_definition_may_be_a_mebibyte_and_not_a_byte_more() -> None:
    assert MAX_BYTES == 2**20
    room = MAX_BYTES - len(WorkflowDefinition(name="w", steps=[TASK], description="x").definition_json())
    fill = {"context": {"a": "x" * (room - len('"context":{"a":""},'))}, "description": "x"}
    assert len(WorkflowDefinition(name="w", steps=[TASK], **fill).definition_json()) == MAX_BYTES
    fill["context"]["a"] += "x"
    assert refused(steps=[TASK], **fill) == [
        "is 1048577 bytes as JSON, the limit is 1048576; move what is large into files or steps"
    ]


def test_an_expression_may_be_four_kibibytes_and_not_a_byte_more() -> None:
    assert MAX_EXPRESSION == 4096
    longest = "a" * 4096
    WorkflowCondition(expression=longest)
    WorkflowDefinition(name="w", steps=[TASK], outputs={"a": f"${{{longest}}}"})
    with pytest.raises(InvalidWorkflowError, match="the expression is 4097 bytes"):
        WorkflowCondition(expression=longest + "a")
    (found,) = refused(steps=[TASK], outputs={"a": f"${{{longest}a}}"})
    assert found.startswith("outputs.a: the expression is 4097 bytes")


def test_an_expression_may_stand_in_its_mark_or_bare() -> None:
    assert WorkflowCondition(expression="${ a == {'b': 1} }") == WorkflowCondition(expression="a == {'b': 1}")
    made = MapStep(name="m", items="${context.x}", steps=[TASK], label="item.name")
    assert (made.items, made.label) == ("context.x", "item.name")


def test_a_wait_knows_a_moment_from_an_expression() -> None:
    assert WaitStep(name="w", until="2030-01-31T12:00:00+01:00").until == datetime(2030, 1, 31, 11, tzinfo=UTC)
    assert WaitStep(name="w", until="variables.release").until == "variables.release"


def test_a_template_is_stored_as_the_json_that_it_is() -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    step = TaskStep(name="t", task_template={"priority": "high", "timeout": 3, "deadline": moment})
    assert step.task_template == {"priority": 3, "timeout": 3.0, "deadline": "2030-01-01T00:00:00Z"}


def test_a_field_that_is_known_late_is_checked_late() -> None:
    template = {"priority": "${variables.p}", "capability": "${context.c}", "retry": {"jitter": "${variables.j}"}}
    assert TaskStep(name="t", task_template=template).task_template == template


def test_a_task_that_a_factory_made_will_do_as_a_template() -> None:
    task = TaskFactory.create_testing_task("Tests", "https://example.org/r", created_by="me")
    made = TaskStep(name="t", task_template=task).task_template
    assert "id" not in made
    assert (made["name"], made["task_type"], made["input"]) == ("Tests", "testing", task.input)


def test_an_inline_workflow_leaves_its_state_behind() -> None:
    inner = Workflow(name="inner", steps=[TASK])
    step = SubWorkflowStep(name="s", workflow=inner)
    assert type(step.workflow) is WorkflowDefinition
    assert step.workflow == inner.definition


def test_definitions_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        WorkflowStep(**TASK).name = "other"


def test_an_unknown_kind_is_told_with_those_that_exist() -> None:
    with pytest.raises(InvalidWorkflowError, match=r"kind: unknown kind 'parallell'.*did you mean 'parallel'"):
        WorkflowStep(kind="parallell", name="x")
    with pytest.raises(InvalidWorkflowError, match="kind: unknown kind"):
        WorkflowStep.model_validate({"kind": [], "name": "x"})


def test_the_json_schema_knows_every_kind() -> None:
    schema = WorkflowDefinition.model_json_schema()
    assert {"TaskStep", "ApprovalStep", "WorkflowCondition"} <= schema["$defs"].keys()
    template = schema["$defs"]["TaskStep"]["properties"]["task_template"]
    assert "capability" in template["properties"]
    assert template["additionalProperties"] is False


@pytest.mark.process
def test_a_step_is_made_by_whoever_imports_nothing_else() -> None:
    code = "from taskengine import WorkflowStep; print(WorkflowStep(kind='wait', name='w', signal='go').signal)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("go\n", "")
