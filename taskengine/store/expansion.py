"""Rows of a workflow's steps as the records that scripts store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from pydantic import JsonValue

from taskengine.core.identity import step_id, step_id_text
from taskengine.core.instructions import Expand
from taskengine.core.order import path_ms, priority_of, score, unpack
from taskengine.core.steps.rows import StepRow, TaskRow
from taskengine.models import Task, TaskPriority, TaskType, WorkflowDefinition
from taskengine.store.codec import canonical
from taskengine.store.fields import TaskField
from taskengine.store.records import Pattern, Record
from taskengine.store.steps import Piece, step_record
from taskengine.store.worker_binding import with_binding, with_prompt


@dataclass(frozen=True)
class Place:
    """Where new rows belong."""

    workflow_id: str
    #: The step whose children they are.
    parent: str
    #: The step that their definition begins with.
    frame: str
    definition: WorkflowDefinition
    #: The parent's own place in the order: its priority and deadline, and the way behind it.
    score: float

    @cached_property
    def _rest(self) -> float:
        """Seconds of the longest way behind the parent, to the end of the whole workflow."""
        return path_ms(unpack(self.score).rank) / 1000

    @cached_property
    def _priority(self) -> TaskPriority:
        """What the definition says; one that is run by a step or a task and says nothing goes as that does."""
        own = self.definition.priority
        return own if own != TaskPriority.NORMAL else TaskPriority(priority_of(self.score))

    @cached_property
    def _deadline(self) -> datetime | None:
        seconds = unpack(self.score).deadline_seconds
        if self.definition.deadline is not None or seconds is None:
            return self.definition.deadline
        return datetime.fromtimestamp(seconds, UTC)

    def piece(self, what: Expand) -> Piece:
        """Return the records of one piece of children."""
        patterns: dict[str, Pattern] = {}
        records = [
            self._task(row, patterns) if isinstance(row, TaskRow) else self._step(row) for row in what.rows
        ]
        return Piece(records, what.planned, what.queue, what.fields, what.limit_ms)

    def _step(self, row: StepRow) -> Record:
        """Return the record of a step; what lies in it is put later, and then goes on from the way behind it."""
        deadline = self._deadline.timestamp() if self._deadline else None
        place = score(int(self._priority), deadline, (row.ahead + self._rest) * 1000)
        return step_record(
            step_id(self.workflow_id, row.path), row.path, row.name, queue=row.queue,
            depends_on=self._ids(row.depends_on), score=place, k=row.kind, up=self.parent, fr=self.frame, **row.fields,
        )  # fmt: skip

    def _task(self, row: TaskRow, patterns: dict[str, Pattern]) -> Record:
        """Return the record of a task; those of a piece that differ in their input alone are looked at once.

        InvalidInputError where its template yields none.
        """
        given, common = _apart(row.template)
        known = canonical(common, "template")
        if known not in patterns:
            patterns[known] = Pattern(self._like(row, common))
        pattern = patterns[known]
        name = pattern.task.name if "name" in common else row.name
        id = step_id_text(self.workflow_id, row.path)
        on = " ".join(sorted(set(self._ids(row.depends_on))))
        way = row.seconds + row.ahead + self._rest
        made = pattern.record(id, name, pattern.task.input if given is None else given, on, way)
        rare = f"{made.row['rare']!s} p {row.path} up {self.parent} fr {self.frame}".strip()
        doc = str(made.row["doc"])
        bound = self._bound(row, doc)
        if bound is not doc:
            rare += f" {TaskField.binding_bytes} {len(bound.encode()) - len(doc.encode()) + 1}"
        return Record(id, made.raw_id, {**made.row, "rare": rare, "doc": bound}, made.payload)

    def _bound(self, row: TaskRow, doc: str) -> str:
        """Return a task's document with what its worker puts in, or needs to know of what was."""
        if row.prompt is not None:
            return with_prompt(doc, row.prompt.template, row.prompt.values, row.prompt.input)
        if row.binding is not None:
            read = [(names, step_id_text(self.workflow_id, path)) for names, path in row.binding.tasks.items()]
            return with_binding(doc, read, row.binding.values)
        return doc

    def _like(self, row: TaskRow, template: Mapping[str, JsonValue]) -> Task:
        fields: dict[str, Any] = {
            "name": row.name,
            "priority": self._priority,
            "deadline": self._deadline,
            **template,
        }
        if self.definition.created_by is not None:
            fields.setdefault("created_by", self.definition.created_by)
        return Task(**fields)

    def _ids(self, paths: Iterable[str]) -> list[str]:
        return [step_id_text(self.workflow_id, path) for path in paths]


def _apart(template: Mapping[str, JsonValue]) -> tuple[Mapping[str, Any] | None, Mapping[str, JsonValue]]:
    """Return the input of a template, and the rest; None and the whole where what becomes of it hangs on its input."""
    given = template.get("input", {})
    if template.get("task_type") == TaskType.WORKFLOW.value or not isinstance(given, Mapping):
        return None, template
    return given, {name: value for name, value in template.items() if name != "input"}
