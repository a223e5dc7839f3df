"""What builds and arranges tasks on the client's side, before anything is submitted. No I/O."""

from taskengine.builders.factory import TaskFactory
from taskengine.builders.resolver import CircularDependencyError, DependencyResolver
from taskengine.builders.scheduler import TaskScheduler

__all__ = ["CircularDependencyError", "DependencyResolver", "TaskFactory", "TaskScheduler"]
