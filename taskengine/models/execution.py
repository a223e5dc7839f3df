"""One attempt at a task: who ran it, when, what came of it, what it used and said."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from taskengine.models.base import Moment
from taskengine.models.enums import ExecutionStatus


class LogLevel(StrEnum):
    """Severity of a log line, with the names of :mod:`logging`."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class ExecutionLog(BaseModel):
    """One line that an agent logged or printed."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    timestamp: Moment
    level: LogLevel = LogLevel.INFO
    message: str
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    #: Name of the logger; ``stdout`` and ``stderr`` for what was printed, None for ``context.log``.
    logger: str | None = None
    #: Its place in the log of its execution, from 1; None before it is stored.
    number: int | None = None


class LogPage(list[ExecutionLog]):
    """Lines of one attempt at a task, in the order in which they were said."""

    def __init__(
        self, lines: Iterable[ExecutionLog], *, attempt: int, execution_id: UUID | None, cursor: str, missed: int,
        is_over: bool,
    ) -> None:  # fmt: skip
        super().__init__(lines)
        #: The attempt that said them; 0 when none has begun.
        self.attempt = attempt
        self.execution_id = execution_id
        #: Pass it back for what follows.
        self.cursor = cursor
        #: Lines before these that were not kept: the newest 1000, 1 MiB together, are.
        self.missed = missed
        #: Whether nothing will follow.
        self.is_over = is_over


class ResourceUsage(BaseModel):
    """What an execution used; None means not measured."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    #: Percent of one core, mean over the run, child processes that ended included.
    cpu_percent: float | None = None
    #: Mebibytes of the process that ran it, the highest seen during the run.
    memory_mb: float | None = None
    disk_mb: float | None = None
    network_mb: float | None = None
    gpu_percent: float | None = None
    gpu_memory_mb: float | None = None
    #: Seconds of wall clock between claim and report.
    wall_seconds: float | None = None
    #: Whatever an agent counts itself: tokens, requests, money.
    custom: dict[str, float] = Field(default_factory=dict)


class TaskExecution(BaseModel):
    """One attempt; it never leaves a terminal status."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    id: UUID
    task_id: UUID
    #: The agent's name; None while QUEUED.
    executor_id: str | None = None
    #: The worker node that runs or ran it; None while QUEUED, and once it is detached.
    node: str | None = None
    #: Its work goes or went on at a service, and holds no slot.
    is_detached: bool = False
    #: Where that is, or what else its agent checkpointed; None when nothing was.
    reference: dict[str, JsonValue] | None = None
    #: The process on that node that ran a LOST one; None of others.
    pid: int | None = None
    status: ExecutionStatus = ExecutionStatus.QUEUED
    #: 1 for the first attempt; losses and retries count up.
    attempt: int = 1
    #: The fencing token: a report that carries another one is refused.
    token: int = 0
    queued_at: Moment | None = None
    started_at: Moment | None = None
    completed_at: Moment | None = None
    #: When this attempt is ended as TIMED_OUT.
    deadline: Moment | None = None
    #: 0 to 1, as the agent said.
    progress: float | None = None
    progress_note: str | None = None
    resource_usage: ResourceUsage = Field(default_factory=ResourceUsage)
    #: A JSON object as the agent returned it; any other JSON value ``x`` as ``{"value": x}``.
    result: dict[str, JsonValue] | None = None
    error_message: str | None = None
    #: timeout, crash, invalid_output, invalid_request, missing_input, cancelled, not_now, poison, … or None.
    error_kind: str | None = None
    #: Where the error came from, at most 16 KiB and without obvious secrets; of all but the latest that had one the
    #: deepest frame of the agent's own and the error. None when nothing was raised.
    traceback: str | None = None
    #: Outcome of a report that came after the execution was over: kept, never applied.
    late_outcome: dict[str, JsonValue] | None = None
    cancel_requested: bool = False
    logs: list[ExecutionLog] = Field(default_factory=list)

    @property
    def duration_seconds(self) -> float | None:
        """Seconds from start to end; None while it has not ended."""
        if self.started_at is None or self.completed_at is None:
            return None
        return (self.completed_at - self.started_at).total_seconds()
