"""What must hold of the steps of workflows, as pure functions over facts; see
:mod:`taskengine.store.invariants`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from taskengine.core.lifecycle import TERMINAL
from taskengine.models.enums import TaskStatus
from taskengine.store.fields import TaskField
from taskengine.store.inspection import TaskFacts
from taskengine.store.keys import RULED

#: Kind of violation -> what it means that it holds.
STEP_RULES: Mapping[str, str] = {
    "children": "a step's counters are what its children say, and none of them is open once it is over",
    "waits": "a step that runs waits for children, a time, a change or a signal, or the coordinator was asked about it",
}
_OVER = frozenset(status.value for status in TERMINAL)
_BEFORE, _RUNNING = frozenset({TaskStatus.PENDING.value}), frozenset({TaskStatus.RUNNING.value})
_FAILED, _CANCELLED = TaskStatus.FAILED.value, TaskStatus.CANCELLED.value
_LAST = re.compile(r"~finally(?:@(\d+))?$")
#: Children that are being opened again, or whose end is told in pieces.
_MOVING = frozenset({TaskField.retrying, TaskField.releasing, TaskField.undoing, TaskField.batch, TaskField.deleting})
#: What a step that is no scope may wait for.
_HEARD = ("in step", "in moment", "in limit", "in condition_waiters", "in signal_waiters")


def check_steps(tasks: Iterable[TaskFacts], asked: frozenset[str]) -> Iterator[tuple[str, str, str]]:
    """Yield kind, id and detail of what is wrong among the tasks and steps of one run that does not move."""
    children: dict[str, list[TaskFacts]] = {}
    steps = []
    for task in tasks:
        if TaskField.parent in task.fields:
            children.setdefault(task.fields[TaskField.parent], []).append(task)
        if task.is_step:
            steps.append(task)
    for step in steps:
        own = children.get(step.id, [])
        if wrong := _counted_wrong(step, own):
            yield "children", step.id, wrong
        if step.id not in asked and _is_forgotten(step):
            yield "waits", step.id, f"its {step.fields.get(TaskField.kind, 'step')} runs and waits for nothing"


def _counted_wrong(step: TaskFacts, children: list[TaskFacts]) -> str:
    """Return what is wrong with the counters of a step that has children; '' where they agree."""
    # Those of a PENDING one are of what stands before it.
    has_begun = TaskField.planned in step.fields and step.status not in _BEFORE
    if not has_begun or any(one.fields.keys() & _MOVING for one in (step, *children)):
        return ""
    ended = Counter(_ended_as(one) for one in children)
    before = Counter(_ended_as(one) for one in children if _is_earlier_end(one, step))
    if step.status in _OVER and ended[""]:
        return f"it is {step.status}, and {ended['']} of its children are open"
    if len(children) != step.number(TaskField.placed):
        return f"{step.number(TaskField.placed)} children were put, {len(children)} are there"
    waiting = step.number(TaskField.planned) - ended.total() + ended[""]
    stored = (_open(step), step.number(TaskField.failed), step.number(TaskField.skipped))
    says = (waiting, ended[_FAILED] - before[_FAILED], ended[_CANCELLED] - before[_CANCELLED])
    if stored != says:
        return f"open, failed and cancelled are stored as {stored}, its children say {says}"
    return ""


def _is_earlier_end(child: TaskFacts, workflow: TaskFacts) -> bool:
    """Return whether it is the steps at a workflow's end that were put before it was retried: they count no more."""
    found = _LAST.search(child.fields.get(TaskField.path, ""))
    return found is not None and int(found[1] or 1) != workflow.number(TaskField.turns) + 1


def _ended_as(child: TaskFacts) -> str:
    """Return how a child counts: '' while it is open."""
    if child.status not in _OVER:
        return ""
    return _FAILED if TaskField.failed_before in child.fields else child.status


def _open(step: TaskFacts) -> int:
    """Return how many children a step waits for; the counter of a map with max_parallel lies lower."""
    waiting = step.number(TaskField.waiting)
    return waiting + RULED if waiting < 0 else waiting


def _is_forgotten(step: TaskFacts) -> bool:
    """Return whether nothing will ever move a step."""
    if step.status not in _RUNNING or TaskField.retrying in step.fields:
        return False
    timed = any(name in step.fields for name in ("in step", "in moment"))
    if TaskField.planned not in step.fields:
        return not any(name in step.fields for name in _HEARD)
    unput = step.number(TaskField.planned) - step.number(TaskField.placed)
    return not timed and (_open(step) == 0 or unput == _open(step) > 0)
