"""The workflows of ``examples/workflows``: one for each kind of step, without a fault or a doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskengine.agent import REGISTRY
from taskengine.builders.diagram import mermaid
from taskengine.builders.workflow_file import lint_document, workflow_document, workflow_of
from taskengine.core.step_index import StepIndex
from taskengine.models import SubWorkflowStep, TaskStep, Workflow, WorkflowDefinition, WorkflowStep

from .conftest import load_example

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "workflows"
FILES = sorted(FOLDER.glob("*.yaml"), key=lambda path: path.stem)


def loaded(path: Path) -> Workflow:
    return workflow_of(workflow_document(path))


def steps_of(definition: WorkflowDefinition) -> list[WorkflowStep]:
    found = []
    for place in StepIndex(definition).places:
        found.append(place.step)
        if isinstance(place.step, SubWorkflowStep) and not isinstance(place.step.workflow, str):
            found += steps_of(place.step.workflow)
    return found


def test_there_is_a_file_for_each_kind_of_step() -> None:
    assert {*WorkflowStep.classes} <= {path.stem for path in FILES}
    for path in FILES:
        if path.stem in WorkflowStep.classes:
            assert path.stem in {step.kind for step in steps_of(loaded(path))}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_has_no_fault_and_no_doubt(path: Path) -> None:
    assert [str(doubt) for doubt in lint_document(workflow_document(path))] == []
    assert "\nflowchart TD\n" in mermaid(loaded(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_agents_beside_the_files_offer_what_they_need(path: Path) -> None:
    load_example("workflows/step_agents")
    wanted = {step.task_template["capability"] for step in steps_of(loaded(path)) if isinstance(step, TaskStep)}
    assert wanted <= REGISTRY.capabilities()
