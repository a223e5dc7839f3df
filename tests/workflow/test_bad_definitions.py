"""An invalid definition is refused before anything is stored, all faults at once."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine import (
    InvalidInputError,
    InvalidWorkflowError,
    Workflow,
    WorkflowBuilder,
    WorkflowDefinition,
    WorkflowStep,
)
from taskengine.testing import Engine

from .conftest import work


def reading(name: str, **input: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=work(**input))


WRONG = (reading("a", x="${1 +}"), reading("b", x="${steps.c.output}"), reading("d", x="${item}"))
PATHS = [f"steps[{at}].task_template.input" for at in range(3)]


def test_a_start_is_refused_with_every_fault(engine: Engine) -> None:
    flow = Workflow(name="w", steps=WRONG)
    with pytest.raises(InvalidWorkflowError) as caught:
        engine.api.start_workflow(flow)
    assert [fault.path for fault in caught.value.faults] == PATHS
    with pytest.raises(LookupError):
        engine.api.get_workflow(flow.id)


def test_a_name_is_not_given_to_what_could_not_start(engine: Engine) -> None:
    with pytest.raises(InvalidWorkflowError) as caught:
        engine.api.register_workflow(WorkflowDefinition(name="w", steps=WRONG))
    assert [fault.path for fault in caught.value.faults] == PATHS


def test_a_schema_that_is_none_is_refused_before_anything_runs(engine: Engine) -> None:
    flow = Workflow(name="w", steps=[{"name": "a", "task_template": {"output_schema": {"type": "nonsense"}}}])
    for refused in (lambda: engine.api.start_workflow(flow), lambda: engine.api.register_workflow(flow)):
        with pytest.raises(InvalidWorkflowError) as caught:
            refused()
        assert [fault.path for fault in caught.value.faults] == ["steps[0].task_template.output_schema.type"]


def test_a_context_that_does_not_fit_its_schema_is_refused(engine: Engine) -> None:
    schema = {"required": ["repo"], "properties": {"repo": {"type": "string"}}}
    flow = Workflow(name="w", steps=[reading("a")], input_schema=schema)
    with pytest.raises(InvalidWorkflowError, match="'repo' is a required property"):
        engine.api.start_workflow(flow)
    assert engine.api.execute_workflow(flow, context={"repo": "r"}).status == "completed"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (WorkflowBuilder("w"), r"is a WorkflowBuilder; pass a Workflow, which its build\(\) makes"),
        ({"name": "w"}, r"is a dict; pass a Workflow, which Workflow\(\*\*fields\) makes of it"),
        ([], "is a list; pass a Workflow$"),
    ],
)
def test_what_is_no_workflow_is_told_with_what_makes_one(engine: Engine, given: Any, says: str) -> None:
    for verb in (engine.api.start_workflow, engine.api.execute_workflow, engine.api.register_workflow):
        with pytest.raises(InvalidInputError, match=says):
            verb(given)
