"""What builds and arranges tasks and workflows on the client's side, before anything is submitted.

No I/O but the reading of a file. What belongs to workflows is imported when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from taskengine.builders.factory import TaskFactory
from taskengine.builders.graph_file import TaskGraph, load_graph
from taskengine.builders.resolver import CircularDependencyError, DependencyResolver
from taskengine.builders.scheduler import TaskScheduler

if TYPE_CHECKING:
    from taskengine.builders.workflow_builder import WorkflowBuilder
    from taskengine.builders.workflow_file import load_workflow

__all__ = [
    "CircularDependencyError",
    "DependencyResolver",
    "TaskFactory",
    "TaskGraph",
    "TaskScheduler",
    "WorkflowBuilder",
    "load_graph",
    "load_workflow",
]

_LATE = {
    "WorkflowBuilder": "taskengine.builders.workflow_builder",
    "load_workflow": "taskengine.builders.workflow_file",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_LATE[name]), name)
    return found
