"""What one call does to many tasks: which, and what came of it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from taskengine.models.base import InputModel, Moment
from taskengine.models.enums import TaskPriority, TaskStatus, TaskType
from taskengine.models.task import Capability

Word = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class TaskFilter(InputModel):
    """Tasks that meet every field that is set; the filters of ``list_tasks``."""

    status: TaskStatus | None = None
    task_type: TaskType | None = None
    priority: TaskPriority | None = None
    assigned_to: Word | None = None
    created_by: Word | None = None
    #: Must be contained in the task's, nested values too.
    metadata: dict[str, JsonValue] | None = None
    run_id: UUID | None = None
    capability: Capability | None = None
    #: The first moment that counts.
    created_after: Moment | None = None
    #: The first moment that does not count any more.
    created_before: Moment | None = None
    #: Of the last failure, as the task shows it: ``timeout``, ``expression``, or whatever its agent said.
    error_kind: Word | None = None

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nobody out."""
        return all(value is None or value == {} for value in self.__dict__.values())


class BulkResult(BaseModel):
    """How far a call over many tasks has come, or what it came to."""

    model_config = ConfigDict(frozen=True)

    #: Tasks that met the filter so far.
    matched: int = 0
    #: Of these, those that it was done to; with ``dry_run`` those that it would be done to.
    done: int = 0
    #: The first 20 of those.
    ids: tuple[UUID, ...] = ()
    #: Those left as they are, by why: their status, or a word such as ``waited`` (something open depends on it),
    #: ``part`` (of a workflow: ``retry_workflow`` opens it) and ``step`` (of a workflow: it goes with its run).
    skipped: dict[str, int] = Field(default_factory=dict)
    dry_run: bool = False
