"""The graphs that are measured, as tasks to submit."""

from __future__ import annotations

from uuid import UUID

from benchmarks.agents import COUNT
from taskengine import Task

#: Tasks in a layer of the layered graph, and how many of the layer before each waits for.
WIDTH = 50
PARENTS = 3


def flat(n: int) -> list[Task]:
    """*n* tasks that wait for nothing."""
    return [_task(i) for i in range(n)]


def chain(n: int) -> list[Task]:
    """*n* tasks, each waiting for the one before."""
    tasks = [_task(0)]
    while len(tasks) < n:
        tasks.append(_task(len(tasks), tasks[-1]))
    return tasks


def fan(n: int) -> list[Task]:
    """One task, then *n*, then one that waits for all of them."""
    first = _task(0)
    middle = [_task(i + 1, first) for i in range(n)]
    return [first, *middle, _task(n + 1, *middle)]


def layered(n: int) -> list[Task]:
    """*n* tasks in layers of 50; each waits for three of the layer before."""
    tasks: list[Task] = []
    for i in range(n):
        above = i - i % WIDTH - WIDTH
        tasks.append(_task(i, *(tasks[above + (i + k) % WIDTH] for k in range(PARENTS) if above >= 0)))
    return tasks


def held(n: int) -> list[Task]:
    """The layered graph, each task held until it is started by name."""
    tasks = layered(n)
    for task in tasks:
        task.hold = True
    return tasks


def _task(number: int, *parents: Task) -> Task:
    depends_on: set[UUID] = {parent.id for parent in parents}
    return Task(name=f"t{number}", capability=COUNT, depends_on=depends_on)
