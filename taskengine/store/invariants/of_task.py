"""What must hold of one task.

A task's own rules look at one moment of it and of all that must agree with it, so a fleet at work does not
disturb them.
"""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.core.order import unpack
from taskengine.core.rules import Counters, Evaluation, evaluate
from taskengine.models.enums import TriggerRule
from taskengine.store.fields import ExecutionField, TaskField
from taskengine.store.inspection import Fields, TaskFacts
from taskengine.store.invariants.of_counters import check_counters, check_dependencies, is_whole
from taskengine.store.invariants.of_execution import check_executions
from taskengine.store.invariants.of_timers import check_timers
from taskengine.store.invariants.rules import Violation
from taskengine.store.invariants.statuses import CANCELLED, COMPLETED, CURSORS, FAILED, PAUSED, PENDING, READY, is_over
from taskengine.store.keys import RULED

#: What the field ``extra`` says is there.
_TOLD = frozenset({TaskField.reference, TaskField.question, TaskField.answers, TaskField.most_tokens, TaskField.demand})


def check_task(task: TaskFacts, asked: frozenset[str]) -> Iterator[Violation]:
    """Yield what is wrong with one task; *asked* are the tasks that the coordinator has yet to decide about."""
    yield from check_counters(task)
    yield from _place(task)
    yield from check_executions(task)
    yield from check_timers(task)
    yield from _stuck(task, asked)
    if (task.status in PAUSED) != (TaskField.pause in task.fields):
        says = task.fields.get(TaskField.pause, "nothing")
        yield Violation("pause", task.id, f"it is {task.status}, and its pause says {says}")
    yield from _kept(task)
    closed_by = task.fields.get(TaskField.closed_by)
    if TaskField.failed_before in task.fields and not (task.status in CANCELLED and closed_by is not None):
        yield Violation("before", task.id, f"it is {task.status}, closed by {closed_by or 'nobody'}")
    yield from check_dependencies(task)
    yield from _early(task)
    yield from _index(task)
    yield from _deadline(task)
    if not task.is_staged and task.fields.get("owner", task.id) != task.id:
        yield Violation("key", task.id, f"its idempotency key names {task.fields['owner'] or 'nobody'}")
    if "in dead" in task.fields and task.status not in FAILED:
        yield Violation("letter", task.id, f"it is {task.status}")
    if ("in releases" in task.fields) != bool(task.fields.keys() & CURSORS):
        yield Violation("cursor", task.id, "it has a cursor or stands among the releases, not both")
    if ("in erasing" in task.fields) != (TaskField.deleting in task.fields):
        yield Violation("cursor", task.id, "it is being deleted or stands among those that are, not both")


def _kept(task: TaskFacts) -> Iterator[Violation]:
    if TaskField.question in task.fields and task.status not in PAUSED:
        yield Violation("kept", task.id, f"it is {task.status} and asks {task.fields[TaskField.question]:.80}")
    if task.status in COMPLETED and task.fields.keys() & {TaskField.reference, TaskField.answers}:
        yield Violation("kept", task.id, "it completed, and keeps what its next attempt would be told")
    if task.fields.keys() & _TOLD and TaskField.extra not in task.fields:
        yield Violation("kept", task.id, "it has something that its workers are not told")


def _place(task: TaskFacts) -> Iterator[Violation]:
    places = [name for name in ("in ready", "in park", TaskField.granted) if name in task.fields]
    ready = task.status in READY
    if len(places) != ready or (TaskField.parked in task.fields) != ("in park" in task.fields):
        yield Violation("place", task.id, f"it is {task.status} and stands: {', '.join(places) or 'nowhere'}")
    for name in ("in ready", "in park"):
        if name in task.fields and float(task.fields[name]) != float(task.fields[TaskField.score]):
            detail = f"its score is {task.fields[TaskField.score]}, its place {task.fields[name]}"
            yield Violation("place", task.id, detail)


def _stuck(task: TaskFacts, asked: frozenset[str]) -> Iterator[Violation]:
    if task.status not in PENDING or TaskField.batch in task.fields:
        return
    held = bool(task.fields.keys() & {TaskField.held, TaskField.due})
    evaluation = evaluate(TriggerRule(task.fields.get(TaskField.rule, TriggerRule.ALL_SUCCESS)), _counters(task))
    if evaluation is Evaluation.NEVER:
        taken_back = any(TaskField.undoing in parent for parent in task.dependencies)
        if task.id not in asked and not taken_back and is_whole(task):
            yield Violation("stuck", task.id, "its rule cannot hold and nobody was asked to close it")
    elif evaluation is Evaluation.RUN and not held and not _is_asked_about(task, asked):
        yield Violation("stuck", task.id, "it is pending and waits for nothing")


def _is_asked_about(task: TaskFacts, asked: frozenset[str]) -> bool:
    """Return whether the coordinator starts it: one with a rule of its own, asked now or when its take-back ends."""
    if task.queue.startswith("%"):
        return task.id in asked
    return TaskField.rule in task.fields and (task.id in asked or TaskField.undoing in task.fields)


def _counters(task: TaskFacts) -> Counters:
    """Return how its dependencies stand, as its record says; for a plain task the waits that are none count too."""
    waiting, failed = task.number(TaskField.waiting), task.number(TaskField.failed)
    skipped = task.number(TaskField.skipped)
    if TaskField.rule in task.fields:
        waiting += RULED - (TaskField.batch in task.fields) - (TaskField.undoing in task.fields)
    known = waiting + failed + skipped
    return Counters(waiting, failed, skipped, max(0, len(task.depends_on) - known))


def _early(task: TaskFacts) -> Iterator[Violation]:
    """Of a task with a rule of its own nothing is said: a dependency that was opened again since does not tell when it
    had ended before.
    """
    started = [int(e[ExecutionField.started]) for e in task.executions if ExecutionField.started in e]
    if not started or TaskField.rule in task.fields or task.is_step:
        return
    for parent in task.dependencies:
        if TaskField.status not in parent:
            continue
        if parent[TaskField.status] not in COMPLETED or int(parent.get(TaskField.finished, 0)) > min(started):
            yield Violation("early", task.id, f"it started before its dependency {parent['id']} completed")


def _index(task: TaskFacts) -> Iterator[Violation]:
    expected = "step" if task.is_step else "staged" if TaskField.batch in task.fields else task.status
    if task.listed_as != expected:
        yield Violation("index", task.id, f"it is {expected}, lists see {task.listed_as or 'nothing'}")
    if task.fields["at arrival"] != task.id:
        yield Violation("index", task.id, f"at its arrival stands {task.fields['at arrival'] or 'nobody'}")
    if task.fields["unmarked"]:
        yield Violation("index", task.id, f"not found by {task.fields['unmarked']}")


def has_deadline(fields: Fields) -> bool:
    return TaskField.score in fields and unpack(float(fields[TaskField.score])).deadline_seconds is not None


def _deadline(task: TaskFacts) -> Iterator[Violation]:
    watched = has_deadline(task.fields) and TaskField.at_risk not in task.fields
    if not is_over(task.status) and ("in deadlines" in task.fields) != watched:
        yield Violation("deadline", task.id, "its deadline is " + ("not watched" if watched else "watched for nothing"))


def check_rest(task: TaskFacts) -> Iterator[Violation]:
    """Yield what is wrong with one task when all work is done."""
    if not is_over(task.status):
        yield Violation("open", task.id, f"it is {task.status}")
