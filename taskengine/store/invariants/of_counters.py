"""A task's counters against its dependencies."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.models.enums import TaskStatus
from taskengine.store.fields import TaskField
from taskengine.store.inspection import Fields, TaskFacts
from taskengine.store.invariants.rules import Violation
from taskengine.store.invariants.statuses import OVER, is_over
from taskengine.store.keys import RULED

#: What a task waits for beside its dependencies: its commit, the end of its take-back, its place in a map.
_WAITS = (TaskField.batch, TaskField.undoing, TaskField.windowed)
_SAYS = {TaskStatus.FAILED.value: TaskField.failed, TaskStatus.CANCELLED.value: TaskField.skipped}


def is_whole(task: TaskFacts) -> bool:
    """Return whether its facts hold all of its dependencies."""
    return len(task.dependencies) == len(task.depends_on)


def check_counters(task: TaskFacts) -> Iterator[Violation]:
    """Yield where the counters differ from what the dependencies say; nothing where some of these are not known."""
    if TaskField.deleting in task.fields or task.is_given_up or _has_begun(task):
        return
    if not is_whole(task) or not all(TaskField.status in parent for parent in task.dependencies):
        return
    expected = {
        TaskField.waiting: sum(name in task.fields for name in _WAITS),
        TaskField.failed: 0, TaskField.skipped: 0,
    }  # fmt: skip
    for parent in task.dependencies:
        counter = _counted(parent)
        if counter:
            expected[counter] += 1
    if TaskField.rule in task.fields:
        expected[TaskField.waiting] -= RULED
    stored = {name: task.number(name) for name in expected}
    if stored != expected:
        yield Violation("counters", task.id, f"stored {stored}, dependencies say {expected}")


def check_dependencies(task: TaskFacts) -> Iterator[Violation]:
    """Yield which of its dependencies were taken from an open task. One that was opened again may lack what went
    before.
    """
    if is_over(task.status) or task.is_given_up or TaskField.reopened in task.fields:
        return
    for parent in task.dependencies:
        if TaskField.status not in parent or TaskField.deleting in parent:
            yield Violation("lost", task.id, f"its dependency {parent['id']} is not there")


def _has_begun(task: TaskFacts) -> bool:
    """Whether it is a step whose counters are of its children, which :mod:`taskengine.store.invariants` compares."""
    return TaskField.planned in task.fields


def _counted(parent: Fields) -> str:
    """Return the counter that holds this dependency: w, f, c, or '' when it completed and said so."""
    told_before = int(parent.get(TaskField.releasing, parent.get(TaskField.undoing, -1)))
    heard = "place" in parent and int(parent["place"]) < told_before
    if TaskField.undoing in parent:
        return TaskField.waiting if heard else parent[TaskField.counted_as]
    if parent[TaskField.status] not in OVER:
        return TaskField.waiting
    if TaskField.releasing in parent and "place" in parent and not heard:
        return TaskField.waiting
    return TaskField.failed if TaskField.failed_before in parent else _SAYS.get(parent[TaskField.status], "")
