"""The nouns: what is stored, sent and returned. No clock of its own except creation defaults, no I/O.

Those of workflows are imported when they are first asked for: most processes have none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from taskengine.models.artifact import Artifact, ArtifactKind
from taskengine.models.bulk import BulkResult, TaskFilter
from taskengine.models.dead_letter import DeadLetter, DeadLetterPage, RequeuedLetters
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
from taskengine.models.pause import Pause, PausedBy, PauseScope, PauseState
from taskengine.models.quarantined import QuarantinedMessage, QuarantinePage
from taskengine.models.question import Answer, Question, QuestionKind
from taskengine.models.requests import TaskCreateRequest, TaskPage, TaskUpdateRequest
from taskengine.models.run import Run, RunPage
from taskengine.models.spent import Spent
from taskengine.models.task import RetryRules, Task
from taskengine.models.usage import AgentUsage

if TYPE_CHECKING:
    from taskengine.models.approval import ApprovalAnswer
    from taskengine.models.condition import ConditionOperator, WorkflowCondition
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
    from taskengine.models.workflow import Workflow, WorkflowPage
    from taskengine.models.workflow_status import StepCounts, StepPage, StepState, StepStatus, WorkflowState

__all__ = [
    "AgentStatus",
    "AgentUsage",
    "Answer",
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
    "LogLevel",
    "LogPage",
    "LoopStep",
    "MapStep",
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

#: Where the names come from that are imported late.
_LATE = {
    "ApprovalAnswer": "taskengine.models.approval",
    "ApprovalStep": "taskengine.models.steps",
    "ConditionOperator": "taskengine.models.condition",
    "ConditionalStep": "taskengine.models.steps",
    "LoopStep": "taskengine.models.steps",
    "MapStep": "taskengine.models.steps",
    "ParallelStep": "taskengine.models.steps",
    "SequentialStep": "taskengine.models.steps",
    "StepCounts": "taskengine.models.workflow_status",
    "StepPage": "taskengine.models.workflow_status",
    "StepState": "taskengine.models.workflow_status",
    "StepStatus": "taskengine.models.workflow_status",
    "SubWorkflowStep": "taskengine.models.steps",
    "TaskStep": "taskengine.models.steps",
    "WaitStep": "taskengine.models.steps",
    "Workflow": "taskengine.models.workflow",
    "WorkflowCondition": "taskengine.models.condition",
    "WorkflowDefinition": "taskengine.models.steps",
    "WorkflowPage": "taskengine.models.workflow",
    "WorkflowState": "taskengine.models.workflow_status",
    "WorkflowStep": "taskengine.models.steps",  # where its kinds are made known
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_LATE[name]), name)
    return found
