"""The nouns: what is stored, sent and returned. No clock of its own except creation defaults, no I/O."""

from taskengine.models.bulk import BulkResult, TaskFilter
from taskengine.models.dead_letter import DeadLetter, DeadLetterPage
from taskengine.models.enums import (
    AgentStatus,
    ExecutionStatus,
    TaskPriority,
    TaskStatus,
    TaskType,
    TriggerRule,
    WorkflowStatus,
)
from taskengine.models.event import Event
from taskengine.models.execution import ExecutionLog, LogLevel, LogPage, ResourceUsage, TaskExecution
from taskengine.models.explanation import Explanation, Fact
from taskengine.models.outcome import Outcome, Usage
from taskengine.models.pause import Pause, PauseScope, PauseState
from taskengine.models.quarantined import QuarantinedMessage, QuarantinePage
from taskengine.models.requests import TaskCreateRequest, TaskPage, TaskUpdateRequest
from taskengine.models.run import Run, RunPage
from taskengine.models.task import RetryRules, Task

__all__ = [
    "AgentStatus",
    "BulkResult",
    "DeadLetter",
    "DeadLetterPage",
    "Event",
    "ExecutionLog",
    "ExecutionStatus",
    "Explanation",
    "Fact",
    "LogLevel",
    "LogPage",
    "Outcome",
    "Pause",
    "PauseScope",
    "PauseState",
    "QuarantinePage",
    "QuarantinedMessage",
    "ResourceUsage",
    "RetryRules",
    "Run",
    "RunPage",
    "Task",
    "TaskCreateRequest",
    "TaskExecution",
    "TaskFilter",
    "TaskPage",
    "TaskPriority",
    "TaskStatus",
    "TaskType",
    "TaskUpdateRequest",
    "TriggerRule",
    "Usage",
    "WorkflowStatus",
]
