"""What an agent sees of the steps that its own reads: outputs under the names that the author wrote."""

from __future__ import annotations

from typing import Any

from taskengine import Task, Workflow, WorkflowStep, agent
from taskengine.testing import Engine

WORK = "step-reading"


def step(name: str, **input: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template={"capability": WORK, "input": input})


def seen_by(*steps: WorkflowStep) -> dict[str, Any]:
    """What each agent saw, by name of its task."""
    seen: dict[str, Any] = {}

    @agent("reader", capabilities={WORK})
    def reader(task: Any, context: Any) -> dict[str, Any]:
        seen[task.name] = dict(context.steps)
        return {"by": task.name, "text": "x" * task.input.get("long", 1)}

    with Engine([reader]) as engine:
        engine.api.execute_workflow(Workflow(name="w", steps=steps))
        engine.check()
    return seen


def test_it_is_what_the_template_reads_as_it_spells_it() -> None:
    inner = WorkflowStep(kind="sequential", name="deploy", sub_steps=[step("up")])
    last = step("last", got="${steps.a.output.by} ${steps.deploy.up.output.by}")
    seen = seen_by(step("a"), step("other"), inner, last)
    assert seen["last"] == {
        "a": {"status": "completed", "output": {"by": "a", "text": "x"}},
        "deploy": {"up": {"status": "completed", "output": {"by": "up", "text": "x"}}},
    }
    assert seen["a"] == seen["up"] == {}


def test_what_is_too_large_to_come_with_the_claim_is_there_too() -> None:
    seen = seen_by(step("a", long=300_000), step("b"), step("last", got="${steps.a.output.by}"))
    assert len(seen["last"]["a"]["output"]["text"]) == 300_000


def test_a_task_of_no_workflow_has_none() -> None:
    seen: list[Any] = []

    @agent("alone", capabilities={WORK})
    def alone(task: Any, context: Any) -> None:
        del task
        seen.append(context.steps)

    with Engine([alone]) as engine:
        engine.submit(Task(capability=WORK))
        engine.run_until_idle()
    assert seen == [{}]


def test_values_that_a_coordinator_put_in_are_in_the_input_alone() -> None:
    each = WorkflowStep(kind="map", name="each", items=[1, 2], steps=[step("do")])
    seen = seen_by(each, step("last", got="${size(steps.each.output)}"))
    assert seen["last"] == {}
