"""A task that lost one worker after another, and was not given to a further one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from taskengine.models.base import Moment
from taskengine.models.event import Event
from taskengine.models.execution import TaskExecution
from taskengine.models.task import Task


class DeadLetter(BaseModel):
    """One entry of the list; its task is FAILED with the kind ``poison``."""

    model_config = ConfigDict(frozen=True)

    task: Task
    #: When it lost its last worker.
    at: Moment
    #: Its lost executions, oldest first: node, start and end, why. Empty in a listing.
    lost: tuple[TaskExecution, ...] = ()
    #: What happened to it, oldest first. Empty in a listing.
    events: tuple[Event, ...] = ()


class RequeuedLetters(list[UUID]):
    """The dead letters that were opened again, and why others were not."""

    def __init__(self, ids: Iterable[UUID] = (), skipped: Mapping[UUID, str] | None = None) -> None:
        super().__init__(ids)
        #: Those left as they are -> why: a task of a workflow is opened with that, which it names.
        self.skipped: Mapping[UUID, str] = skipped or {}


class DeadLetterPage(list[DeadLetter]):
    """One page of dead letters, newest first: a list with a cursor."""

    def __init__(self, letters: Iterable[DeadLetter] = (), cursor: str | None = None) -> None:
        super().__init__(letters)
        #: Pass it back for the next page; None on the last one.
        self.cursor = cursor
