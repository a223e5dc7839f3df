"""What builds and arranges tasks on the client's side, before anything is submitted.

No I/O but the reading of a graph's file."""

from taskengine.builders.factory import TaskFactory
from taskengine.builders.graph_file import TaskGraph, load_graph
from taskengine.builders.resolver import CircularDependencyError, DependencyResolver
from taskengine.builders.scheduler import TaskScheduler

__all__ = [
    "CircularDependencyError",
    "DependencyResolver",
    "TaskFactory",
    "TaskGraph",
    "TaskScheduler",
    "load_graph",
]
