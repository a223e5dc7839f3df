"""``WorkflowBuilder``: the manual's code blocks as they are written, what is beyond them, and all faults at once."""

from __future__ import annotations

import inspect
from textwrap import dedent
from typing import Any

import pytest

import taskengine
from taskengine import InvalidWorkflowError, TaskType, Workflow, WorkflowBuilder, WorkflowCondition, WorkflowStep

from ..spec.workflow_steps import CONDITIONAL, LOOP, PARALLEL, SEQUENTIAL, TASK, WAIT

NAMED = (
    "unit_test_step",
    "integration_test_step",
    "deploy_step",
    "verify_step",
    "notify_step",
    "rollback_step",
    "retry_step",
)


def run(block: str, **names: Any) -> dict[str, Any]:
    """Run a code block of the manual with all that ``from taskengine import *`` gives, and the steps that it names."""
    known: dict[str, Any] = {name: getattr(taskengine, name) for name in taskengine.__all__} | names
    known |= {name: WorkflowStep(name=name, task_template={"task_type": "testing"}) for name in NAMED}
    exec(compile(dedent(block), "<manual>", "exec", dont_inherit=True), known)
    return known


BLOCKS = {
    "task": TASK,
    "parallel": PARALLEL,
    "sequential": SEQUENTIAL,
    "conditional": CONDITIONAL,
    "loop": LOOP,
    "wait": WAIT,
}


@pytest.mark.parametrize("kind", BLOCKS)
def test_the_manuals_block_makes_its_step(kind: str) -> None:
    builder = WorkflowBuilder("manual", "user123")
    run(BLOCKS[kind], builder=builder)
    assert {step.kind for step in builder.build().steps} == {kind}


def test_the_manuals_blocks_make_one_workflow_together() -> None:
    """``deploy_step`` stands in a sequence and in a branch of the same workflow."""
    builder = WorkflowBuilder("manual", "user123")
    for block in BLOCKS.values():
        run(block, builder=builder)
    made = builder.build()
    assert [step.name for step in made.steps] == (
        [
            "build",
            "parallel_tests",
            "deployment_sequence",
            "deploy_check",
            "retry_loop",
            "wait_5min",
            "wait_for_approval",
        ]
    )
    assert (made.name, made.created_by) == ("manual", "user123")
    assert made.steps[0].task_template == {
        "name": "Build Application", "task_type": "code_generation", "metadata": {"action": "build"}
    }  # fmt: skip


def test_the_manuals_prebuilt_workflows_are_made_as_it_says() -> None:
    made = run(
        """
        from taskengine import WorkflowBuilder

        # Create a CI/CD workflow
        workflow = WorkflowBuilder.create_ci_cd_workflow(
            name="My CI/CD Pipeline",
            created_by="user123",
            repository_url="https://github.com/example/repo"
        )
        ci_cd = workflow

        # Data Processing Pipeline
        workflow = WorkflowBuilder.create_data_processing_workflow(
            name="ETL Pipeline",
            created_by="user123", 
            data_sources=["db1", "api1", "file1"]
        )
        data = workflow

        # Code Review Workflow
        workflow = WorkflowBuilder.create_code_review_workflow(
            name="PR Review",
            created_by="user123",
            pull_request_url="https://github.com/example/repo/pull/123"
        )
        """  # noqa: W291  # as in the manual
    )
    for name, title in (("ci_cd", "My CI/CD Pipeline"), ("data", "ETL Pipeline"), ("workflow", "PR Review")):
        assert isinstance(made[name], Workflow)
        assert (made[name].name, made[name].created_by) == (title, "user123")
    assert made["ci_cd"].context["repository_url"] == "https://github.com/example/repo"
    assert made["data"].context == {"data_sources": ["db1", "api1", "file1"]}
    assert made["workflow"].context == {"pull_request_url": "https://github.com/example/repo/pull/123"}


def templates(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        found = [value["task_template"]] if "task_template" in value else []
        return found + [inner for held in value.values() for inner in templates(held)]
    return [inner for held in value for inner in templates(held)] if isinstance(value, list | tuple) else []


@pytest.mark.parametrize(
    "workflow",
    [
        WorkflowBuilder.create_ci_cd_workflow("w", repository_url="r", environment=None),
        WorkflowBuilder.create_ci_cd_workflow("w", repository_url="r", test_command="pytest -q"),
        WorkflowBuilder.create_data_processing_workflow(
            "w", data_sources=[{"name": "a"}], max_parallel=None, tolerate=2
        ),
        WorkflowBuilder.create_code_review_workflow("w", pull_request_url="r/pull/1", approvers=["ann"]),
        WorkflowBuilder.create_code_review_workflow(
            "w", pull_request_url="r/pull/1", review_types=[], test_command="t"
        ),
    ],
)
def test_every_task_of_a_prebuilt_workflow_is_of_a_built_in_type(workflow: Workflow) -> None:
    found = templates(workflow.model_dump())
    assert found
    for template in found:
        assert template["task_type"] in {*TaskType}
        assert "capability" not in template


def test_every_kind_beyond_the_manual_has_its_call() -> None:
    step = WorkflowStep(name="resize", task_template={"input": {"region": "${item}"}})
    made = (
        WorkflowBuilder(
            "w", context={"regions": ["eu", "us"]}, variables={"go": True}, outputs={"all": "${steps.each.output}"}
        )
        .add_map_step("each", "context.regions", [step], max_parallel=8, tolerate=1, label="item", depends_on=[])
        .add_sub_workflow_step("inner", "registered", {"region": "${context.regions[0]}"}, when="variables.go")
        .add_sub_workflow_step(
            "whole", {"name": "i", "steps": [{"name": "a", "task_template": {}}]}, on_failure="continue"
        )
        .add_approval_step("ask", "Ship it?", form={"type": "object", "properties": {"why": {"type": "string"}}})
        .add_wait_step("call", signal="ready", timeout=60, on_timeout="continue")
        .add_wait_step("night", until="timestamp(steps.ask.output.at) + duration('1h')")
        .build()
    )
    assert [step.kind for step in made.steps] == ["map", "sub_workflow", "sub_workflow", "approval", "wait", "wait"]


def faults(builder: WorkflowBuilder) -> list[str]:
    found = [str(fault) for fault in builder.faults()]
    with pytest.raises(InvalidWorkflowError) as caught:
        builder.build()
    assert [str(fault) for fault in caught.value.faults] == found
    return found


def test_build_finds_every_fault_whatever_else_is_wrong() -> None:
    """What cannot be read, what is of no type, what does not exist and what never runs, in one go."""
    builder = WorkflowBuilder("w", outputs={"x": "${steps.lost.output}"})
    builder.add_task_step("build", {"task_type": "nope", "input": {"a": "${1 +}"}})
    builder.add_task_step("test", {"input": {"a": "${steps.bild.output} ${steps.build.output}"}}, depends_on=["build"])
    builder.add_task_step("early", {"input": {"a": "${steps.late.output}"}})
    builder.add_task_step("late", {})
    builder.add_wait_step("w", wait_condition=WorkflowCondition(field="x", operator="matches", value="("))
    builder.add_approval_step("a", "?", form={"type": "objekt", "properties": {"b": {"pattern": "("}}})
    assert [fault.split(": ")[0] for fault in faults(builder)] == [
        "steps[0].task_template.task_type",
        "steps[0].task_template.input.a",
        "steps[1].task_template.input",
        "steps[4].wait_condition",
        "steps[5].form.properties.b.pattern",
        "outputs.x",
        "steps[2]",
    ]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("${steps.bild.output}", "steps.bild.output: there is no step 'bild' in this workflow; did you mean 'build'?"),
        ("${steps.build}", "steps.build: say what of the step: output, status, error, turns, failed"),
        ("${steps.build.tag}", "there is no step 'tag' in 'build'; of a step there are output"),
        ("${item}", "item: there is no item here; it is in the steps of a map"),
        ("${output.x}", "output.x: there is no output here; it is in the outputs of a step"),
        ("${steps.each.resize.output}", "'each' runs its steps many times; read steps.each.output"),
        ("${steps.me.output}", "'me' is the step itself; its own output is output, and only in its outputs"),
        ("${steps.twice.output}", "'twice' may be one.twice, two.twice; write the whole way, as steps.one.twice"),
        ("${steps[variables.x].output}", "steps needs the name of one"),
        ("${x.y}", "'x' is unknown; begin with context, variables, steps"),
        ("${variables.x.matches(variables.y)}", "matches takes one pattern that is written out"),
    ],
)
def test_a_reference_to_nothing_is_refused(template: str, says: str) -> None:
    twice = WorkflowStep(name="twice", task_template={})
    builder = WorkflowBuilder("w")
    builder.add_task_step("build", {})
    builder.add_map_step("each", ["a"], [WorkflowStep(name="resize", task_template={})])
    builder.add_sequential_step("one", [twice]).add_sequential_step("two", [twice])
    builder.add_task_step("me", {"input": {"a": template}})
    (found,) = faults(builder)
    assert found.startswith("steps[4].task_template.input")
    assert says in found


def test_a_name_means_the_nearest_step() -> None:
    inner = WorkflowStep(name="build", task_template={})
    reads = WorkflowStep(
        name="use", task_template={"input": {"a": "${steps.build.output} ${steps.outer.build.output}"}}
    )
    builder = WorkflowBuilder("w").add_task_step("build", {}).add_sequential_step("outer", [inner, reads])
    assert builder.faults() == []


def test_ten_thousand_steps_are_checked_in_seconds() -> None:
    builder = WorkflowBuilder("w")
    for at in range(9_000):
        builder.add_task_step(f"s{at}", {"input": {"a": f"${{steps.s{at - 1}.output}}"}} if at else {})
    assert builder.faults() == []


KINDS = sorted(WorkflowStep.classes)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_of_each_kind_is_made_by_one_call_as_the_builder_takes_it(kind: str) -> None:
    short = inspect.signature(getattr(WorkflowStep, kind)).parameters
    call = dict(inspect.signature(getattr(WorkflowBuilder, f"add_{kind}_step")).parameters)
    del call["self"]
    assert [(one.name, one.kind, one.default) for one in short.values()] == [
        (one.name, one.kind, one.default) for one in call.values()
    ]


def test_what_is_made_by_one_call_is_what_the_builder_makes() -> None:
    inner = WorkflowStep.task("a", {"capability": "x"}, timeout=5)
    made = [
        WorkflowStep.parallel("p", [inner]), WorkflowStep.sequential("s", [inner]), WorkflowStep.wait("w", 5),
        WorkflowStep.conditional("c", "true", [inner]), WorkflowStep.loop("l", "true", [inner], 3, interval=2),
        WorkflowStep.map("m", [1, 2], [inner], max_parallel=1), WorkflowStep.sub_workflow("sub", "other"),
        WorkflowStep.approval("ask", "Now?", approvers=["ann"]),
    ]  # fmt: skip
    built = (
        WorkflowBuilder("w")
        .add_parallel_step("p", [inner]).add_sequential_step("s", [inner]).add_wait_step("w", 5)
        .add_conditional_step("c", "true", [inner]).add_loop_step("l", "true", [inner], 3, interval=2)
        .add_map_step("m", [1, 2], [inner], max_parallel=1).add_sub_workflow_step("sub", "other")
        .add_approval_step("ask", "Now?", approvers=["ann"]).build()
    )  # fmt: skip
    assert tuple(made) == built.steps
    with pytest.raises(InvalidWorkflowError, match="wait_seconds"):
        WorkflowStep.wait("w", -1)
