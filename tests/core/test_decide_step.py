"""Every kind of step has an answer to being entered, and to having been."""

from __future__ import annotations

from typing import Any, get_args
from uuid import uuid4

import pytest

from taskengine.core.bindings import Bindings
from taskengine.core.decide import Stimulus
from taskengine.core.decide_step import decide_step
from taskengine.core.instructions import EndStep, Expand, StartWaiting
from taskengine.core.steps.snapshot import StepSnapshot
from taskengine.core.steps.templates import Author
from taskengine.models import WorkflowDefinition, WorkflowStep
from taskengine.models.enums import TaskStatus
from taskengine.models.steps import AnyStep

TASK = {"kind": "task", "name": "a", "task_template": {"capability": "x"}}
KINDS: dict[str, dict[str, Any]] = {
    "task": TASK,
    "parallel": {"sub_steps": [TASK]},
    "sequential": {"sub_steps": [TASK]},
    "conditional": {"condition": "true", "true_steps": [TASK]},
    "loop": {"loop_condition": "true", "loop_steps": [TASK], "max_iterations": 2},
    "wait": {"signal": "go"},
    "map": {"items": [1], "steps": [TASK]},
    "sub_workflow": {"workflow": {"name": "i", "steps": [TASK]}},
    "approval": {"prompt": "?"},
}


def test_each_kind_is_here() -> None:
    union = get_args(AnyStep)[0]
    assert {get_args(one)[1].tag for one in get_args(union)} == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_entered(kind: str) -> None:
    step = WorkflowStep(**{"kind": kind, "name": kind, **KINDS[kind]})
    definition = WorkflowDefinition(name="w", steps=[step])
    part: Any = step.workflow if kind == "sub_workflow" else step  # asked as the definition that it runs
    seen = StepSnapshot(str(uuid4()), kind, TaskStatus.PENDING, turns=1 if kind == "map" else 0, bindings=Bindings())
    what = decide_step(seen, part, Stimulus.COUNTERS, Author(definition, items={0: 1}))
    assert isinstance(what, StartWaiting if kind in ("wait", "approval") else Expand), what


def test_a_loop_that_has_no_turn_ends() -> None:
    step = WorkflowStep(**{"kind": "loop", "name": "l", **KINDS["loop"], "loop_condition": "false"})
    seen = StepSnapshot(str(uuid4()), "l", TaskStatus.PENDING)
    definition = WorkflowDefinition(name="w", steps=[step])
    assert isinstance(decide_step(seen, step, Stimulus.COUNTERS, Author(definition)), EndStep)
