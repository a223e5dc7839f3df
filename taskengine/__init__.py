"""Durable task graphs on a Celery fleet.

What most processes do not use is imported when it is first asked for: the doors and the builders bring
networkx and both drivers, 0.35 s in every ``taskengine --help`` and megabytes in every worker child.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from taskengine.agent import Dependency, NotNow, TaskContext, agent
from taskengine.errors import (
    AgentError,
    AmbiguousIdError,
    CircularDependencyError,
    ConflictError,
    CorruptDataError,
    EmbeddedServerError,
    IdempotencyConflictError,
    InvalidInputError,
    NoResultError,
    NotAllowedError,
    NotFoundError,
    PayloadTooLargeError,
    SettingsError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    TaskEngineError,
    TaskExecutionError,
    UnknownDependencyError,
    UnsupportedServerError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from taskengine.api import BlockingTaskAPI, TaskAPI
    from taskengine.api.executor import TaskExecutor
    from taskengine.builders import DependencyResolver, TaskFactory, TaskGraph, TaskScheduler, load_graph
    from taskengine.models import (
        BulkResult,
        DeadLetter,
        DeadLetterPage,
        Event,
        ExecutionLog,
        ExecutionStatus,
        Explanation,
        Fact,
        LogPage,
        Outcome,
        Pause,
        QuarantinedMessage,
        QuarantinePage,
        ResourceUsage,
        RetryRules,
        Run,
        RunPage,
        Task,
        TaskCreateRequest,
        TaskExecution,
        TaskPage,
        TaskPriority,
        TaskStatus,
        TaskType,
        TaskUpdateRequest,
        TriggerRule,
    )
    from taskengine.settings import Settings

__all__ = [
    "AgentError",
    "AmbiguousIdError",
    "BlockingTaskAPI",
    "BulkResult",
    "CircularDependencyError",
    "ConflictError",
    "CorruptDataError",
    "DeadLetter",
    "DeadLetterPage",
    "Dependency",
    "DependencyResolver",
    "EmbeddedServerError",
    "Event",
    "ExecutionLog",
    "ExecutionStatus",
    "Explanation",
    "Fact",
    "IdempotencyConflictError",
    "InvalidInputError",
    "LogPage",
    "NoResultError",
    "NotAllowedError",
    "NotFoundError",
    "NotNow",
    "Outcome",
    "Pause",
    "PayloadTooLargeError",
    "QuarantinePage",
    "QuarantinedMessage",
    "ResourceUsage",
    "RetryRules",
    "Run",
    "RunPage",
    "Settings",
    "SettingsError",
    "StoreError",
    "StoreFullError",
    "StoreUnavailableError",
    "Task",
    "TaskAPI",
    "TaskContext",
    "TaskCreateRequest",
    "TaskEngineError",
    "TaskExecution",
    "TaskExecutionError",
    "TaskExecutor",
    "TaskFactory",
    "TaskGraph",
    "TaskPage",
    "TaskPriority",
    "TaskScheduler",
    "TaskStatus",
    "TaskType",
    "TaskUpdateRequest",
    "TriggerRule",
    "UnknownDependencyError",
    "UnsupportedServerError",
    "WaitTimeoutError",
    "agent",
    "load_graph",
]

#: Where the names come from that are imported late; ``agent`` can not be, a module has the same name.
_LATE = {
    "BlockingTaskAPI": "taskengine.api",
    "TaskAPI": "taskengine.api",
    "TaskExecutor": "taskengine.api.executor",
    "DependencyResolver": "taskengine.builders",
    "TaskFactory": "taskengine.builders",
    "TaskGraph": "taskengine.builders",
    "load_graph": "taskengine.builders",
    "TaskScheduler": "taskengine.builders",
    "BulkResult": "taskengine.models",
    "DeadLetter": "taskengine.models",
    "DeadLetterPage": "taskengine.models",
    "Event": "taskengine.models",
    "ExecutionLog": "taskengine.models",
    "ExecutionStatus": "taskengine.models",
    "LogPage": "taskengine.models",
    "Explanation": "taskengine.models",
    "Fact": "taskengine.models",
    "QuarantinePage": "taskengine.models",
    "QuarantinedMessage": "taskengine.models",
    "Outcome": "taskengine.models",
    "Pause": "taskengine.models",
    "ResourceUsage": "taskengine.models",
    "RetryRules": "taskengine.models",
    "Run": "taskengine.models",
    "RunPage": "taskengine.models",
    "Task": "taskengine.models",
    "TaskCreateRequest": "taskengine.models",
    "TaskExecution": "taskengine.models",
    "TaskPage": "taskengine.models",
    "TaskPriority": "taskengine.models",
    "TaskStatus": "taskengine.models",
    "TaskType": "taskengine.models",
    "TaskUpdateRequest": "taskengine.models",
    "TriggerRule": "taskengine.models",
    "Settings": "taskengine.settings",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_LATE[name]), name)
    return found


def __dir__() -> list[str]:
    return __all__
