"""What was submitted together: one graph, or one lone task."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from taskengine.models.base import Moment
from taskengine.models.enums import TaskStatus


class Run(BaseModel):
    """A run as it stands at one moment."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    #: As it was submitted with; runs may share one. None where it has none.
    name: str | None = None
    #: Who made its first task; None where nobody knows: it began as a lone task, which is gone.
    created_by: str | None = None
    #: When its first task could be seen: a graph's at its commit.
    created_at: Moment
    #: When its last open task ended; None while one is open.
    finished_at: Moment | None = None
    total_tasks: int
    open_tasks: int
    #: Tasks by status, without those that none is in. While tasks move, it may be a moment older than the totals.
    counts: dict[TaskStatus, int] = Field(default_factory=dict)


class RunPage(list[Run]):
    """One page of a listing, newest first: a list with a cursor."""

    def __init__(self, runs: Iterable[Run] = (), cursor: str | None = None) -> None:
        super().__init__(runs)
        #: Pass it back for the next page; None on the last one.
        self.cursor = cursor
