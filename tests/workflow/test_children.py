"""Turns, items and inner steps of a workflow, a page at a time."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import InvalidInputError, StepState, Workflow, WorkflowStep
from taskengine.testing import Engine

from .conftest import work


def task(name: str, **more: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(**more))


def begun(engine: Engine, *steps: WorkflowStep, **more: Any) -> Any:
    handle = engine.api.start_workflow(Workflow(name="w", steps=steps, **more))
    engine.run_until_idle()
    return handle


def short(states: list[StepState]) -> list[tuple[str, str]]:
    return [(one.path, one.status.value) for one in states]


def test_the_turns_of_a_loop_come_with_their_steps(engine: Engine) -> None:
    go_on = WorkflowStep(kind="wait", name="go_on", wait_condition="variables.n >= iteration")
    loop = WorkflowStep(
        kind="loop", name="l", loop_condition="true", loop_steps=[task("a"), go_on], max_iterations=9
    )
    handle = begun(engine, loop, variables={"n": 1})
    turns = engine.api.list_step_children(handle, "l")
    assert short(turns) == [("l[0]", "completed"), ("l[1]", "completed"), ("l[2]", "running")]
    assert turns[2].kind == "turn"
    assert short(turns[2].children) == [("l[2]/a", "completed"), ("l[2]/go_on", "waiting")]
    assert str(turns[2].children[1].why).endswith("variables.n is 1, iteration is 2")
    assert short(engine.api.list_step_children(handle, "l[2]")) == short(turns[2].children)


def test_items_of_a_map_come_a_page_at_a_time_with_their_labels(engine: Engine) -> None:
    each = WorkflowStep(
        kind="map", name="each", items="context.hosts", label="item.name", tolerate=9,
        steps=[WorkflowStep(name="do", task_template=work(fails="${item.fails}"))],
    )  # fmt: skip
    hosts = [{"name": f"h{n}", "fails": int(n == 2)} for n in range(7)]
    handle = begun(engine, each, context={"hosts": hosts})
    first = engine.api.list_step_children(handle, "each", limit=3)
    assert [(one.label, one.kind, one.status.value) for one in first] == [
        ("h0", "item", "completed"), ("h1", "item", "completed"), ("h2", "item", "failed"),
    ]  # fmt: skip
    assert "attempt 1" in str(first[2].error_message)
    second = engine.api.list_step_children(handle, "each", limit=3, cursor=first.cursor)
    third = engine.api.list_step_children(handle, "each", limit=3, cursor=second.cursor)
    assert [len(second), len(third), third.cursor] == [3, 1, None]
    assert third[0].path == "each[6]"


def test_an_item_of_several_steps_is_one_with_these(engine: Engine) -> None:
    signal = WorkflowStep(kind="wait", name="go", signal="go")
    each = WorkflowStep(kind="map", name="each", items=[1, 2], steps=[task("a"), signal])
    handle = begun(engine, each)
    handle.signal("go")
    engine.run_until_idle()
    page = engine.api.list_step_children(handle, "each")
    assert short(page) == [("each[0]", "completed"), ("each[1]", "running")]


def test_an_inner_workflow_shows_its_steps_and_what_they_wait_for(engine: Engine) -> None:
    inner = Workflow(
        name="inner", steps=[task("a"), WorkflowStep(kind="wait", name="b", wait_condition="variables.x == 1")],
        finally_steps=[task("last")], variables={"x": 0},
    )  # fmt: skip
    engine.api.register_workflow(inner)
    handle = begun(engine, WorkflowStep(kind="sub_workflow", name="sub", workflow="inner"))
    page = engine.api.list_step_children(handle, "sub")
    assert short(page) == [("sub/a", "completed"), ("sub/b", "waiting"), ("sub/~finally/last", "pending")]
    assert str(page[1].why).endswith("variables.x is 0")


def test_a_page_is_bounded_and_a_path_must_be_there(engine: Engine) -> None:
    handle = begun(engine, task("a"))
    assert engine.api.list_step_children(handle, "a") == []
    for bad in ({"limit": 101}, {"step": "b"}, {"cursor": "x"}, {"step": ""}):
        with pytest.raises(InvalidInputError):
            engine.api.list_step_children(handle, **{"step": "a", **bad})
