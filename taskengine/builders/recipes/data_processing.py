"""Extract each source, check it, transform it; load what came of all.

==============  ==============  ======================================  ================================
step            capability      input                                   expected output
==============  ==============  ======================================  ================================
extract         ``custom``      action extract, source                  rows (a number), location
validate        ``testing``     test_type data, source, location        valid: true or false
transform       ``custom``      action transform, source, location      rows, location
load            ``custom``      action load, sources (the outputs of    rows
                                transform; one that failed or was
                                left out has no rows)
publish         ``deployment``  action publish, rows                    (anything)
alert           ``monitoring``  action alert, rows                      (anything)
==============  ==============  ======================================  ================================

The three of a source follow each other; sources go side by side. A source that is not valid is left out: its transform
is skipped. *tolerate* sources may fail. Where no row was loaded, ``alert`` runs in the place of ``publish``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from taskengine.builders.step_builder import StepBuilder
from taskengine.models import ConditionOperator, TaskType, Workflow, WorkflowCondition, WorkflowStep


def data_processing_workflow(
    name: str,
    created_by: str | None,
    data_sources: Sequence[JsonValue],
    *,
    max_parallel: int | None = 8,
    tolerate: int = 0,
) -> Workflow:
    """Return a pipeline over *data_sources*: names, or objects that the agents understand."""
    builder = StepBuilder(name, created_by, context={"data_sources": list(data_sources)})
    builder.add_map_step(
        "process", items="context.data_sources", steps=_of_a_source(), max_parallel=max_parallel, tolerate=tolerate
    )
    load = {"action": "load", "sources": "${steps.process.output}"}
    builder.add_task_step("load", _task("Load", TaskType.CUSTOM, load), outputs={"rows": "${output.rows}"})
    rows = {"rows": "${variables.rows}"}
    builder.add_conditional_step(
        "loaded",
        condition=WorkflowCondition(field="rows", operator=ConditionOperator.GREATER_THAN, value=0),
        true_steps=[_step("publish", "Publish", TaskType.DEPLOYMENT, {"action": "publish", **rows})],
        false_steps=[_step("alert", "Alert", TaskType.MONITORING, {"action": "alert", **rows})],
    )
    return builder.set(outputs={"rows": "${variables.rows}"}).build()


def _of_a_source() -> list[WorkflowStep]:
    extract = {"action": "extract", "source": "${item}"}
    extracted = {"source": "${item}", "location": "${steps.extract.output.location}"}
    validate = {"action": "validate", "test_type": "data", **extracted}
    transform = {"action": "transform", **extracted}
    return [
        _step("extract", "Extract ${item}", TaskType.CUSTOM, extract),
        _step("validate", "Validate ${item}", TaskType.TESTING, validate),
        _step("transform", "Transform ${item}", TaskType.CUSTOM, transform, when="steps.validate.output.valid"),
    ]


def _task(name: str, task_type: TaskType, given: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "task_type": task_type, "input": given, "metadata": {"action": given["action"]}}


def _step(name: str, title: str, task_type: TaskType, given: dict[str, Any], **fields: Any) -> WorkflowStep:
    return WorkflowStep(name=name, task_template=_task(title, task_type, given), **fields)
