"""Rows of a workflow's steps become the records that the same tasks would have if somebody submitted them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from taskengine.core.identity import step_id
from taskengine.core.instructions import Expand
from taskengine.core.order import score
from taskengine.core.steps.rows import TaskRow, WorkerBinding
from taskengine.errors import InvalidInputError
from taskengine.models import Task, TaskStep, WorkflowDefinition
from taskengine.store.expansion import Place
from taskengine.store.records import Record, record

FLOW = str(uuid4())
TEMPLATES: tuple[dict[str, Any], ...] = (
    {"capability": "build"},
    {"capability": "build", "input": {"x": 1}},
    {"capability": "build", "input": {"x": [1, {"y": "\u00e9"}]}},
    {"capability": "build", "input": {}},
    {"capability": "build", "input": {"big": "x" * 100_000}},
    {"capability": "build", "name": "its own", "max_retries": 0, "priority": 1, "input": {"x": 2}},
    {"assigned_to": "bob", "timeout": 5.0, "metadata": {"a": 1}, "created_by": "ann"},
    {"task_type": "workflow", "input": {"workflow": "nightly"}},
    {"task_type": "workflow", "input": {"workflow": "weekly"}},
    {"hold": True, "trigger_rule": "all_done", "estimated_seconds": 7.5, "deadline": "2031-01-01T00:00:00Z"},
)


def place(**more: Any) -> Place:
    definition = WorkflowDefinition(name="w", steps=[TaskStep(name="s", task_template={"capability": "c"})], **more)
    deadline = definition.deadline.timestamp() if definition.deadline else None
    return Place(FLOW, FLOW, FLOW, definition, score(int(definition.priority), deadline, 0))


def put(rows: list[TaskRow], where: Place) -> list[Record]:
    return list(where.piece(Expand(rows, len(rows), "%g")).records)


@pytest.mark.parametrize(
    "more", [{}, {"priority": 3, "created_by": "eve", "deadline": datetime(2030, 1, 1, tzinfo=UTC)}]
)
def test_a_row_has_the_record_of_its_task_whatever_stands_beside_it(more: dict[str, Any]) -> None:
    where = place(**more)
    rows = [
        TaskRow(f"s{at}", f"s{at}", template, ("a", "b") if at % 2 else ()) for at, template in enumerate(TEMPLATES)
    ]
    made = put(rows, where)
    for row, got in zip(rows, made, strict=True):
        of_workflow = {"priority": where.definition.priority, "deadline": where.definition.deadline}
        if where.definition.created_by:
            of_workflow["created_by"] = where.definition.created_by
        fields = {"name": row.name, **of_workflow, **row.template}
        on = {step_id(FLOW, path) for path in row.depends_on}
        task = Task(**fields, id=step_id(FLOW, row.path), depends_on=on)
        want = record(task, row.seconds)
        rare = f"{want.row['rare']} p {row.path} up {FLOW} fr {FLOW}".strip()
        assert got == Record(want.id, want.raw_id, {**want.row, "rare": rare}, want.payload)
    assert [put([row], where)[0].row["doc"] for row in rows] == [got.row["doc"] for got in made]


def test_a_row_says_what_its_worker_puts_in_and_how_long_that_is() -> None:
    bound = TaskRow(
        "b", "b", {"input": {"x": "${steps.a.output.x}"}}, ("a",), WorkerBinding({("a",): "a"}, {"index": 1})
    )
    plain = TaskRow("b", "b", {"input": {"x": "${steps.a.output.x}"}}, ("a",))
    (got,), (want,) = put([bound], place()), put([plain], place())
    doc, before = str(got.row["doc"]), str(want.row["doc"])
    assert doc.startswith(before[:-1] + ',"workflow":')
    assert str(got.row["rare"]).split()[-1] == str(len(doc.encode()) - len(before.encode()) + 1)


@pytest.mark.parametrize("template", [{"capability": "no good"}, {"input": 3}, {"task_type": "workflow", "input": 3}])
def test_a_template_that_yields_no_task_is_refused(template: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        put([TaskRow("a", "a", {"capability": "c"}), TaskRow("b", "b", template)], place())
