"""A workflow in a file, JSON or YAML::

    name: release
    steps:
      - name: build
        task_template: {task_type: code_generation, input: {repository_url: "${context.repository_url}"}}
      - name: settle
        kind: wait
        wait_seconds: 300

Fields are those of :class:`~taskengine.models.WorkflowDefinition`; a step without ``kind`` is a task. Every fault is
found, and each is told with its line, its path, and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from taskengine.builders.document import EVERY_LINE, Document
from taskengine.core.lint_workflow import LintWarning, lint
from taskengine.core.workflow_faults import examine
from taskengine.errors import InvalidWorkflowError, WorkflowFault
from taskengine.models import Workflow, WorkflowDefinition
from taskengine.models.definition import did_you_mean

#: Fields that a file may have: what is the engine's is not the author's.
_FIELDS = ("id", *WorkflowDefinition.model_fields)


def load_workflow(path: str | Path) -> Workflow:
    """Return the workflow in a file; InvalidWorkflowError has every fault with its line."""
    return workflow_of(workflow_document(path))


def workflow_document(path: str | Path) -> Document:
    """Return the document in a file, which knows the line of every value; InvalidInputError when it is none."""
    return Document.of(Path(path), noted=EVERY_LINE)


def workflow_of(document: Document) -> Workflow:
    """Return the workflow in a document; InvalidWorkflowError as :func:`load_workflow`."""
    made, found = examine_document(document)
    if made is None:
        raise InvalidWorkflowError(document.name, found)
    return made


def examine_document(document: Document) -> tuple[Workflow | None, Sequence[WorkflowFault]]:
    """Return the workflow in a document, or None with every fault that was found, in the order of its lines."""
    value = document.value
    if not isinstance(value, dict):
        return None, [WorkflowFault((), "is no object; write 'name:' and 'steps:'", document.place())]
    unknown = [name for name in value if name not in _FIELDS]
    made, found = examine({name: held for name, held in value.items() if name not in unknown})
    strange = [WorkflowFault((name,), f"unknown field {name!r:.80}{did_you_mean(name, _FIELDS)}") for name in unknown]
    placed = [_placed(document, fault) for fault in (*strange, *found)]
    return (None if placed else made), sorted(placed, key=_line)


def lint_document(document: Document) -> Sequence[LintWarning]:
    """Doubts about the workflow in a document, each with its line; every fault is one, of the rule ``invalid``."""
    made, found = examine_document(document)
    lint_warnings = [LintWarning("invalid", fault) for fault in found] if made is None else lint(made)
    return [replace(each, fault=_placed(document, each.fault)) for each in lint_warnings]


def _placed(document: Document, fault: WorkflowFault) -> WorkflowFault:
    return replace(fault, place=document.place(*fault.location))


def _line(fault: WorkflowFault) -> int:
    digits = str(fault.place).rpartition(":")[2]
    return int(digits) if digits.isdecimal() else 0


def workflow_schema() -> dict[str, Any]:
    """Return the JSON Schema of a workflow's file, for editors."""
    schema = WorkflowDefinition.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "taskengine workflow"}
