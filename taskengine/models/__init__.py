"""The nouns: what is stored, sent and returned. No clock of its own except creation defaults, no I/O.

Each is imported when it is first asked for: pydantic takes milliseconds to build one, and most processes use a few.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskengine.models.agent import AgentInfo
    from taskengine.models.approval import ApprovalAnswer
    from taskengine.models.artifact import Artifact, ArtifactKind
    from taskengine.models.bulk import BulkResult, TaskFilter
    from taskengine.models.condition import ConditionOperator, WorkflowCondition
    from taskengine.models.dead_letter import DeadLetter, DeadLetterPage, RequeuedLetters
    from taskengine.models.enums import (
        AgentStatus,
        ExecutionStatus,
        KeyScope,
        TaskPriority,
        TaskStatus,
        TaskType,
        TriggerRule,
        WorkflowStatus,
    )
    from taskengine.models.event import Event
    from taskengine.models.execution import ExecutionLog, LogLevel, LogPage, ResourceUsage, TaskExecution
    from taskengine.models.explanation import Explanation, Fact
    from taskengine.models.finding import Finding
    from taskengine.models.host import HostInfo
    from taskengine.models.key import ApiKey, NewKey
    from taskengine.models.limit import LimitInfo
    from taskengine.models.outcome import Outcome, Usage
    from taskengine.models.pause import Pause, PausedBy, PauseScope, PauseState
    from taskengine.models.quarantined import QuarantinedMessage, QuarantinePage
    from taskengine.models.question import Answer, Question, QuestionKind
    from taskengine.models.requests import TaskCreateRequest, TaskPage, TaskUpdateRequest
    from taskengine.models.run import Run, RunPage
    from taskengine.models.spent import Spent
    from taskengine.models.step import WorkflowStep
    from taskengine.models.steps import (
        ApprovalStep,
        ConditionalStep,
        LoopStep,
        MapStep,
        ParallelStep,
        SequentialStep,
        SubWorkflowStep,
        TaskStep,
        WaitStep,
        WorkflowDefinition,
    )
    from taskengine.models.task import RetryRules, Task
    from taskengine.models.usage import AgentUsage
    from taskengine.models.workflow import Workflow, WorkflowPage
    from taskengine.models.workflow_status import StepCounts, StepPage, StepState, StepStatus, WorkflowState

__all__ = [
    "AgentInfo",
    "AgentStatus",
    "AgentUsage",
    "Answer",
    "ApiKey",
    "ApprovalAnswer",
    "ApprovalStep",
    "Artifact",
    "ArtifactKind",
    "BulkResult",
    "ConditionOperator",
    "ConditionalStep",
    "DeadLetter",
    "DeadLetterPage",
    "Event",
    "ExecutionLog",
    "ExecutionStatus",
    "Explanation",
    "Fact",
    "Finding",
    "HostInfo",
    "KeyScope",
    "LimitInfo",
    "LogLevel",
    "LogPage",
    "LoopStep",
    "MapStep",
    "NewKey",
    "Outcome",
    "ParallelStep",
    "Pause",
    "PauseScope",
    "PauseState",
    "PausedBy",
    "QuarantinePage",
    "QuarantinedMessage",
    "Question",
    "QuestionKind",
    "RequeuedLetters",
    "ResourceUsage",
    "RetryRules",
    "Run",
    "RunPage",
    "SequentialStep",
    "Spent",
    "StepCounts",
    "StepPage",
    "StepState",
    "StepStatus",
    "SubWorkflowStep",
    "Task",
    "TaskCreateRequest",
    "TaskExecution",
    "TaskFilter",
    "TaskPage",
    "TaskPriority",
    "TaskStatus",
    "TaskStep",
    "TaskType",
    "TaskUpdateRequest",
    "TriggerRule",
    "Usage",
    "WaitStep",
    "Workflow",
    "WorkflowCondition",
    "WorkflowDefinition",
    "WorkflowPage",
    "WorkflowState",
    "WorkflowStatus",
    "WorkflowStep",
]

#: Where each comes from.
_LATE = {
    "AgentInfo": "taskengine.models.agent",
    "AgentStatus": "taskengine.models.enums",
    "AgentUsage": "taskengine.models.usage",
    "Answer": "taskengine.models.question",
    "ApiKey": "taskengine.models.key",
    "ApprovalAnswer": "taskengine.models.approval",
    "ApprovalStep": "taskengine.models.steps",
    "Artifact": "taskengine.models.artifact",
    "ArtifactKind": "taskengine.models.artifact",
    "BulkResult": "taskengine.models.bulk",
    "ConditionOperator": "taskengine.models.condition",
    "ConditionalStep": "taskengine.models.steps",
    "DeadLetter": "taskengine.models.dead_letter",
    "DeadLetterPage": "taskengine.models.dead_letter",
    "Event": "taskengine.models.event",
    "ExecutionLog": "taskengine.models.execution",
    "ExecutionStatus": "taskengine.models.enums",
    "Explanation": "taskengine.models.explanation",
    "Fact": "taskengine.models.explanation",
    "Finding": "taskengine.models.finding",
    "HostInfo": "taskengine.models.host",
    "KeyScope": "taskengine.models.enums",
    "LimitInfo": "taskengine.models.limit",
    "LogLevel": "taskengine.models.execution",
    "LogPage": "taskengine.models.execution",
    "LoopStep": "taskengine.models.steps",
    "MapStep": "taskengine.models.steps",
    "NewKey": "taskengine.models.key",
    "Outcome": "taskengine.models.outcome",
    "ParallelStep": "taskengine.models.steps",
    "Pause": "taskengine.models.pause",
    "PauseScope": "taskengine.models.pause",
    "PauseState": "taskengine.models.pause",
    "PausedBy": "taskengine.models.pause",
    "QuarantinePage": "taskengine.models.quarantined",
    "QuarantinedMessage": "taskengine.models.quarantined",
    "Question": "taskengine.models.question",
    "QuestionKind": "taskengine.models.question",
    "RequeuedLetters": "taskengine.models.dead_letter",
    "ResourceUsage": "taskengine.models.execution",
    "RetryRules": "taskengine.models.task",
    "Run": "taskengine.models.run",
    "RunPage": "taskengine.models.run",
    "SequentialStep": "taskengine.models.steps",
    "Spent": "taskengine.models.spent",
    "StepCounts": "taskengine.models.workflow_status",
    "StepPage": "taskengine.models.workflow_status",
    "StepState": "taskengine.models.workflow_status",
    "StepStatus": "taskengine.models.workflow_status",
    "SubWorkflowStep": "taskengine.models.steps",
    "Task": "taskengine.models.task",
    "TaskCreateRequest": "taskengine.models.requests",
    "TaskExecution": "taskengine.models.execution",
    "TaskFilter": "taskengine.models.bulk",
    "TaskPage": "taskengine.models.requests",
    "TaskPriority": "taskengine.models.enums",
    "TaskStatus": "taskengine.models.enums",
    "TaskStep": "taskengine.models.steps",
    "TaskType": "taskengine.models.enums",
    "TaskUpdateRequest": "taskengine.models.requests",
    "TriggerRule": "taskengine.models.enums",
    "Usage": "taskengine.models.outcome",
    "WaitStep": "taskengine.models.steps",
    "Workflow": "taskengine.models.workflow",
    "WorkflowCondition": "taskengine.models.condition",
    "WorkflowDefinition": "taskengine.models.steps",
    "WorkflowPage": "taskengine.models.workflow",
    "WorkflowState": "taskengine.models.workflow_status",
    "WorkflowStatus": "taskengine.models.enums",
    "WorkflowStep": "taskengine.models.steps",  # where its kinds are made known
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_LATE[name]), name)
    return found
