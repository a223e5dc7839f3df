"""A workflow: its definition, and what the engine knows of it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID, uuid4

from pydantic import Field, JsonValue

from taskengine.models.base import Moment
from taskengine.models.enums import WorkflowStatus
from taskengine.models.steps import WorkflowDefinition


class Workflow(WorkflowDefinition):
    """A definition with an id; ``execute_workflow`` and ``start_workflow`` run it.

    Frozen. The fields from ``status`` on are the engine's: whatever a client puts there is ignored at start.
    """

    #: Starting it twice is starting it once. It is also the id of its run.
    id: UUID = Field(default_factory=uuid4)

    status: WorkflowStatus = WorkflowStatus.PENDING
    run_id: UUID | None = None
    #: Of its name in the registry; None when it was given whole.
    version: int | None = None
    created_at: Moment | None = None
    started_at: Moment | None = None
    completed_at: Moment | None = None
    #: Why it FAILED: of the first step whose failure ended it.
    error_message: str | None = None
    error_kind: str | None = None
    #: The path of that step.
    failed_step: str | None = None
    #: Why it is where it is: the reason of a pause or cancel.
    reason: str | None = None
    #: Its ``outputs`` as they came out; None unless COMPLETED.
    result: dict[str, JsonValue] | None = None

    @property
    def definition(self) -> WorkflowDefinition:
        """Its definition alone."""
        return WorkflowDefinition.model_construct(
            **{name: getattr(self, name) for name in WorkflowDefinition.model_fields}
        )


class WorkflowPage(list[Workflow]):
    """One page of a listing, newest first: a list with a cursor."""

    def __init__(self, workflows: Iterable[Workflow] = (), cursor: str | None = None) -> None:
        super().__init__(workflows)
        #: Pass it back for the next page; None on the last one.
        self.cursor = cursor
