"""How a workflow is drawn: whole where there is room, else with what is quiet folded and what matters shown."""

from __future__ import annotations

import io
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from taskengine.cli.workflow.tree import QUIET, fitted, picture, walk
from taskengine.models import StepState, StepStatus, WorkflowState, WorkflowStatus


def step(name, status="completed", *children, kind="task", **more):
    kind = "sequential" if children else kind
    return StepState(path=name, name=name, kind=kind, status=StepStatus(status), children=children, **more)


def workflow(*steps, finally_steps=()):
    return WorkflowState(
        id=UUID(int=1), name="release", status=WorkflowStatus.RUNNING, steps=steps, finally_steps=finally_steps
    )


def drawn(state, rows=100, width=100, reasons=()):
    out = Console(file=io.StringIO(), width=width, color_system=None)
    out.print(picture(state, rows, reasons))
    return [line.rstrip() for line in out.file.getvalue().splitlines()]


WIDE = workflow(
    *(step(f"done{at}") for at in range(20)),
    step("build", "running", *(step(f"b{at}", "completed" if at < 8 else "running") for at in range(10))),
    step("tests", "completed", *(step(f"t{at}") for at in range(20))),
    *(step(f"later{at}", "pending") for at in range(20)),
)


def test_all_steps_are_drawn_where_there_is_room():
    assert len(drawn(WIDE, 200)) == sum(1 for _ in walk(WIDE)) + 4


@pytest.mark.parametrize("rows", [12, 24, 40, 60])
def test_a_picture_is_no_higher_than_its_terminal_and_shows_what_runs(rows):
    lines = drawn(WIDE, rows)
    assert len(lines) <= rows
    assert {"b8", "b9"} <= {word for line in lines for word in line.split()}


def test_what_is_quiet_is_told_as_one_line():
    said = "\n".join(drawn(WIDE, 16))
    assert [word in said for word in ("20 steps completed", "8 steps completed", "20 steps pending")] == [True] * 3


def test_what_is_over_inside_a_folded_step_is_counted():
    (line,) = (line for line in drawn(WIDE, 60) if "tests" in line)
    assert line.split()[-2:] == ["completed", "20/20"]


def test_in_a_narrow_terminal_the_note_alone_gives_way():
    why = "the mirror refused the connection: " * 9
    lines = drawn(workflow(step("deploy_everything", "failed", error_message=why, attempt=3)), width=70)
    (line,) = (line for line in lines if "deploy_everything" in line)
    assert line.split()[1:4] == ["deploy_everything", "failed", "3"]
    assert line.endswith("…")


def test_steps_at_the_end_and_reasons_stand_below():
    state = workflow(step("ask", "waiting", kind="approval"), finally_steps=(step("clean", "pending"),))
    lines = drawn(state, reasons=["ask: waits for an answer"])
    assert [line.split()[:3] for line in lines[2:]] == [
        ["└─", "ask", "approval"], ["at", "the", "end"], ["└─", "clean", "pending"], [],
        ["1", "waiting,", "1"], ["waits:", "ask:", "waits"],
    ]  # fmt: skip


statuses = st.sampled_from([each.value for each in StepStatus])
trees = st.recursive(
    st.builds(step, st.just("s"), statuses),
    lambda inner: st.builds(lambda status, some: step("g", status, *some), statuses, st.lists(inner, min_size=1)),
    max_leaves=60,
)


@given(st.lists(trees, min_size=1, max_size=20), st.integers(3, 60))
def test_whatever_it_is_it_fits_and_something_that_matters_is_in_it(steps, rows):
    state = workflow(*steps)
    lines = fitted(state, rows)
    assert len(lines) <= rows
    if any(each.status not in QUIET for each in walk(state)):
        assert any(line.step is not None and line.step.status not in QUIET for line in lines)
