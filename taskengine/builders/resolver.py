"""Dependencies among tasks in hand: are they sound, what comes first, what may run now.

It sees the tasks that were added and nothing else; ``TaskAPI`` checks again at submit, against what is
stored. Dependencies are read when a question is asked: ``task.add_dependency`` after ``add_task`` counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from taskengine.core import graph
from taskengine.core.lifecycle import NOT_STARTED
from taskengine.errors import CircularDependencyError, UnknownDependencyError
from taskengine.models.enums import TaskStatus
from taskengine.models.task import Task

__all__ = ["CircularDependencyError", "DependencyResolver"]

#: What a dependency must have come to for its dependents to run.
_FULFILLED = frozenset({TaskStatus.COMPLETED})


class DependencyResolver:
    """Tasks and the order that their dependencies force on them; elsewhere the order of adding."""

    def __init__(self, tasks: Iterable[Task] = ()) -> None:
        self._tasks = {task.id: task for task in tasks}

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that were added, first come first."""
        return tuple(self._tasks.values())

    def add_task(self, task: Task) -> None:
        """Add a task, with or before those it depends on; one with the same id takes its place."""
        self._tasks[task.id] = task

    def remove_task(self, task_id: UUID) -> bool:
        """Forget a task, True if it was there; those that depend on it keep saying so."""
        return self._tasks.pop(task_id, None) is not None

    def validate_dependencies(self, task: Task) -> list[str]:
        """Return what is wrong with the dependencies of a task (added or not), a sentence each; empty: nothing."""
        tasks = {**self._tasks, task.id: task}
        label = f"{task.name} ({task.id})"
        missing = sorted(str(id) for id in task.depends_on if id not in tasks)
        wrong = [str(UnknownDependencyError(label, [id])) for id in missing]
        parents, names = parents_of(tasks.values()), names_of(tasks.values())
        for dependency in sorted(map(str, task.depends_on)):
            path = graph.would_close_cycle(parents, str(task.id), dependency, names)
            if path:
                wrong.append(str(CircularDependencyError(path)))
        return wrong

    def get_execution_order(self) -> list[UUID]:
        """Ids of all tasks, each after those it depends on. Raises CircularDependencyError naming the path.

        A dependency that was not added is taken as done; ``validate_dependencies`` tells.
        """
        refuse_cycle(self.tasks)
        return [UUID(id) for id in graph.execution_order(parents_of(self.tasks))]

    def get_ready_tasks(self, completed: Collection[UUID] = ()) -> list[Task]:
        """Tasks that wait for nothing: not started, and all they depend on COMPLETED or in *completed*."""
        done = {task.id for task in self.tasks if task.status in _FULFILLED} | set(completed)
        return [
            task
            for task in self.tasks
            if task.status in NOT_STARTED and task.id not in done and task.depends_on <= done
        ]


def parents_of(tasks: Iterable[Task]) -> dict[str, list[str]]:
    """Return the graph of these tasks in the form of :mod:`taskengine.core.graph`."""
    return {str(task.id): [str(id) for id in task.depends_on] for task in tasks}


def names_of(tasks: Iterable[Task]) -> dict[str, str]:
    """Return the name of each task by its id, for paths that people read."""
    return {str(task.id): task.name for task in tasks}


def refuse_cycle(tasks: Collection[Task]) -> None:
    """Raise CircularDependencyError with the names along the path if these tasks hold a cycle."""
    path = graph.find_cycle(parents_of(tasks), names_of(tasks))
    if path:
        raise CircularDependencyError(path)
