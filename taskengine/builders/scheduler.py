"""In which order tasks in hand would start: the engine's own order, asked before anything is submitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from taskengine.builders.resolver import DependencyResolver, parents_of, refuse_cycle
from taskengine.core import graph, simulate
from taskengine.core.lifecycle import NOT_STARTED, REOPENABLE
from taskengine.models.task import Task


class TaskScheduler:
    """Orders tasks by priority, deadline, longest remaining path and arrival, within their dependencies.

    It shows the order that one slot for all of them would keep. ``scheduled_at``, ``hold``, pauses and the
    aging of what waits long are not looked at: they depend on the time.
    """

    def __init__(self, dependency_resolver: DependencyResolver) -> None:
        self._resolver = dependency_resolver

    def order(self, tasks: Iterable[Task]) -> list[Task]:
        """Return those of *tasks* that would still start, in that order. Raises CircularDependencyError.

        The resolver's other tasks count as dependencies and dependents but are not listed. Left out is what
        runs, what is over, and what waits for a FAILED or CANCELLED task. A dependency that nobody knows is
        taken as done.
        """
        asked = {task.id: task for task in tasks}
        known = {**asked, **{task.id: task for task in self._resolver.tasks if task.id not in asked}}
        refuse_cycle(known.values())
        closed = _closed(known)
        startable = {
            id: task for id, task in known.items() if task.status in NOT_STARTED and id not in closed
        }
        return [startable[id] for id in _start_order(startable) if id in asked]


def _start_order(tasks: Mapping[UUID, Task]) -> list[UUID]:
    parents = parents_of(tasks.values())
    scores = simulate.scores(
        parents,
        {str(id): task.estimated_seconds for id, task in tasks.items()},
        priorities={str(id): task.priority for id, task in tasks.items()},
        deadlines={str(id): task.deadline.timestamp() for id, task in tasks.items() if task.deadline},
    )
    return [UUID(id) for id in simulate.start_order(parents, scores)]


def _closed(tasks: Mapping[UUID, Task]) -> set[UUID]:
    """FAILED and CANCELLED tasks, and what waits for them directly or through others."""
    closed: set[UUID] = set()
    for id in map(UUID, graph.execution_order(parents_of(tasks.values()))):
        task = tasks[id]
        if task.status in REOPENABLE or (task.status in NOT_STARTED and task.depends_on & closed):
            closed.add(id)
    return closed
