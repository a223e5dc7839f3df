"""How a workflow stands: the answer to ``get_workflow_status``, a tree of steps as the definition has them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from taskengine.models.base import Moment
from taskengine.models.enums import WorkflowStatus


class StepStatus(StrEnum):
    """Where a step is."""

    #: Its turn has not come.
    PENDING = "pending"
    #: A task that may run and that no worker took yet.
    READY = "ready"
    RUNNING = "running"
    #: For time, a condition, a signal or an approval; ``why`` says for what.
    WAITING = "waiting"
    #: A task whose next attempt waits for its timer.
    RETRYING = "retrying"
    PAUSED = "paused"
    COMPLETED = "completed"
    #: Its ``when`` did not hold.
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELLED = "cancelled"
    #: It lies in a branch that another one was taken instead of.
    NOT_TAKEN = "not_taken"


#: A step in one of these does not change any more, unless somebody retries the workflow.
TERMINAL_STEPS = frozenset(
    {StepStatus.COMPLETED, StepStatus.SKIPPED, StepStatus.FAILED, StepStatus.CANCELLED, StepStatus.NOT_TAKEN}
)


class StepCounts(BaseModel):
    """How the children of a step stand: its steps, a map's items, a loop's turns."""

    model_config = ConfigDict(frozen=True)

    #: Planned so far; a loop's grows.
    total: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        """Children that are not over."""
        return self.total - self.completed - self.failed - self.cancelled


class StepState(BaseModel):
    """One step as it stands."""

    model_config = ConfigDict(frozen=True)

    #: From the workflow down, as ``deploy_all[17]/resize``.
    path: str
    name: str
    kind: str
    status: StepStatus
    #: Of its task, where it is one; of its node else. None while it is not there.
    task_id: UUID | None = None
    #: Of its task; 0 before the first.
    attempt: int = 0
    started_at: Moment | None = None
    completed_at: Moment | None = None
    error_message: str | None = None
    error_kind: str | None = None
    #: What it waits for, as a sentence; None when it waits for nothing.
    why: str | None = None
    #: What an item of a map is called for people.
    label: str | None = None
    #: The branch that a conditional took: ``true`` or ``false``.
    branch: str | None = None
    #: Of what holds others; None of what does not.
    counts: StepCounts | None = None
    children: tuple[StepState, ...] = ()


class StepPage(list[StepState]):
    """One page of the steps in a step: a list with a cursor."""

    def __init__(self, steps: Iterable[StepState] = (), cursor: str | None = None) -> None:
        super().__init__(steps)
        #: Pass it back for the next page; None on the last one.
        self.cursor = cursor


class WorkflowState(BaseModel):
    """A workflow as it stands at one moment, with its steps."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str
    status: WorkflowStatus
    created_at: Moment | None = None
    started_at: Moment | None = None
    completed_at: Moment | None = None
    error_message: str | None = None
    error_kind: str | None = None
    #: The path of the step whose failure ended it.
    failed_step: str | None = None
    #: The reason of a pause or cancel.
    reason: str | None = None
    #: What it waits for, as a sentence; None when it waits for nothing.
    why: str | None = None
    #: Grows with each change of the variables.
    revision: int = 0
    variables: dict[str, JsonValue] = Field(default_factory=dict)
    steps: tuple[StepState, ...] = ()
    finally_steps: tuple[StepState, ...] = ()
