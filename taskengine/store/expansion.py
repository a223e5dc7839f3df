"""Rows of a workflow's steps as the records that scripts store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from taskengine.core.identity import step_id
from taskengine.core.instructions import Expand
from taskengine.core.order import score
from taskengine.core.steps.rows import Row, TaskRow
from taskengine.models import Task, WorkflowDefinition
from taskengine.store.codec import with_binding
from taskengine.store.fields import TaskField
from taskengine.store.records import Record, record
from taskengine.store.steps import Piece, step_record


@dataclass(frozen=True, slots=True)
class Place:
    """Where new rows belong."""

    workflow_id: str
    #: The step whose children they are.
    parent: str
    #: The step that their definition begins with.
    frame: str
    definition: WorkflowDefinition

    def piece(self, what: Expand) -> Piece:
        """Return the records of one piece of children."""
        seconds = _longest_to_end(what.rows)
        records = [self._record(row, seconds[row.path]) for row in what.rows]
        return Piece(records, what.planned, what.queue, what.fields, what.limit_ms)

    def _record(self, row: Row, seconds: float) -> Record:
        if isinstance(row, TaskRow):
            return self._task(row, seconds)
        on = [str(step_id(self.workflow_id, path)) for path in row.depends_on]
        deadline = self.definition.deadline
        place = score(int(self.definition.priority), deadline.timestamp() if deadline else None, seconds * 1000)
        return step_record(
            step_id(self.workflow_id, row.path), row.path, row.name, queue=row.queue, depends_on=on, score=place,
            k=row.kind, up=self.parent, fr=self.frame, **row.fields,
        )  # fmt: skip

    def _task(self, row: TaskRow, seconds: float) -> Record:
        made = record(self.task(row), seconds)
        rare = f"{made.row['rare']!s} p {row.path} up {self.parent} fr {self.frame}".strip()
        doc = str(made.row["doc"])
        if row.binding is not None:
            read = [(names, str(step_id(self.workflow_id, path))) for names, path in row.binding.tasks.items()]
            bound = with_binding(doc, read, row.binding.values)
            rare += f" {TaskField.binding_bytes} {len(bound.encode()) - len(doc.encode()) + 1}"
            doc = bound
        return replace(made, row={**made.row, "rare": rare, "doc": doc})

    def task(self, row: TaskRow) -> Task:
        """Return the task of a row; InvalidInputError where its template yields none."""
        fields: dict[str, Any] = {
            "name": row.name,
            "priority": self.definition.priority,
            "deadline": self.definition.deadline,
            **row.template,
            "id": step_id(self.workflow_id, row.path),
            "depends_on": {step_id(self.workflow_id, path) for path in row.depends_on},
        }
        if self.definition.created_by is not None:
            fields.setdefault("created_by", self.definition.created_by)
        return Task(**fields)


def _longest_to_end(rows: Sequence[Row]) -> Mapping[str, float]:
    """Path -> seconds of the longest way to the end of these rows."""
    own = {row.path: row.seconds for row in rows}
    longest = dict(own)
    for row in reversed(rows):
        for path in row.depends_on:
            if path in own:
                longest[path] = max(longest[path], own[path] + longest[row.path])
    return longest
