"""The closed vocabularies of tasks, executions, workflows, agents and keys."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core.core_schema import custom_error_schema


class TaskType(StrEnum):
    """Built-in kinds of work; a task's capability defaults to its type."""

    CODE_ANALYSIS = "code_analysis"
    CODE_GENERATION = "code_generation"
    CODE_REVIEW = "code_review"
    TESTING = "testing"
    DEPLOYMENT = "deployment"
    MONITORING = "monitoring"
    WORKFLOW = "workflow"
    CUSTOM = "custom"


class TaskPriority(IntEnum):
    """How much a task matters; everything CRITICAL starts before anything LOW of the same capability.

    Wherever one is asked for its name will do as well, in any case: ``Task(priority="low")``.
    """

    LOW = 1
    NORMAL = 2
    HIGH = 3
    URGENT = 4
    CRITICAL = 5

    @classmethod
    def _missing_(cls, value: object) -> TaskPriority | None:
        return cls.__members__.get(value.upper()) if isinstance(value, str) else None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Name the priorities to whoever gave a wrong one: pydantic itself would ask for 1, 2, 3, 4 or 5."""
        names = ", ".join(word.name.lower() for word in cls)
        return custom_error_schema(handler(source), "priority", custom_error_message=f"use one of {names}")


class TaskStatus(StrEnum):
    """Where a task is in its life."""

    #: Waits for dependencies, ``scheduled_at`` or ``hold``.
    PENDING = "pending"
    #: May run; its execution, if any, is QUEUED; ``reason`` says what it still lacks.
    READY = "ready"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    #: The next attempt waits for its timer; ``next_attempt_at`` says when.
    RETRYING = "retrying"


class TriggerRule(StrEnum):
    """When a task starts, as a function of how its dependencies stand (:mod:`taskengine.core.rules` has the table).

    *Failed* is also what could not start because of a failure before it, although it is CANCELLED. What was CANCELLED
    for any other reason is *skipped*: over, and neither COMPLETED nor failed.
    """

    #: All COMPLETED.
    ALL_SUCCESS = "all_success"
    #: All over, however they ended.
    ALL_DONE = "all_done"
    #: All failed.
    ALL_FAILED = "all_failed"
    #: One COMPLETED; the others are not waited for.
    ONE_SUCCESS = "one_success"
    #: One failed; the others are not waited for.
    ONE_FAILED = "one_failed"
    #: All over and none failed.
    NONE_FAILED = "none_failed"
    #: All over, none failed, and one COMPLETED.
    NONE_FAILED_MIN_ONE_SUCCESS = "none_failed_min_one_success"
    #: At once; dependencies only hand over what they have by then.
    ALWAYS = "always"


class ExecutionStatus(StrEnum):
    """Where one attempt is; it never leaves a terminal state."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    #: Its worker died or fell silent for a lease.
    LOST = "lost"


class WorkflowStatus(StrEnum):
    """Where a workflow is."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


class AgentStatus(StrEnum):
    """What an agent is doing."""

    ONLINE = "online"
    BUSY = "busy"
    PAUSED = "paused"
    DRAINING = "draining"
    OFFLINE = "offline"


class KeyScope(StrEnum):
    """What a key may do; each may what those before it may."""

    #: Ask, and change nothing.
    READ = "read"
    #: Store work, change what it is, and start it.
    SUBMIT = "submit"
    #: Steer what others submitted: cancel, retry, pause, delete, answer.
    OPERATE = "operate"
    #: Change what the fleet is: agents, limits, keys.
    ADMIN = "admin"
