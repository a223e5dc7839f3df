"""What spans tasks: dependencies of many, dependents, and pins across runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from taskengine.core.lifecycle import REOPENABLE
from taskengine.store import inspection
from taskengine.store.call import Operation
from taskengine.store.fields import TaskField
from taskengine.store.inspection import TaskFacts
from taskengine.store.invariants.of_counters import check_counters, check_dependencies, is_whole
from taskengine.store.invariants.statuses import is_over
from taskengine.store.invariants.walk import Walk

#: Ended tasks that still list their dependents: they may be opened again.
_KEEP_DEPENDENTS = frozenset(status.value for status in REOPENABLE)


def check_many_dependencies(walk: Walk) -> None:
    """Judge tasks with more dependencies than one look brings by what the walk saw of these."""
    for task in walk.tasks.values():
        if is_whole(task):
            continue
        stored = {id: walk.tasks[id].fields if id in walk.tasks else {} for id in task.depends_on}
        whole = replace(task, dependencies=tuple({**fields, "id": id} for id, fields in stored.items()))
        walk.violations += check_dependencies(whole)
        if not any(parent.keys() & {TaskField.releasing, TaskField.undoing} for parent in whole.dependencies):
            walk.violations += check_counters(whole)


def check_dependents(walk: Walk) -> Operation[None]:
    """Compare each list of dependents with the tasks that depend."""
    expected: dict[str, list[str]] = {}
    for task in walk.tasks.values():
        for dependency in task.depends_on[task.number(TaskField.deleting) :]:
            expected.setdefault(dependency, []).append(task.id)
        if TaskField.parent in task.fields:
            expected.setdefault(task.id, []).append(task.fields[TaskField.parent])
    for id, parent in walk.tasks.items():
        listed = []
        if id in walk.names.get("dependents", ()):
            listed = yield from inspection.entries(walk.keys, "dependents", id)
        if _keeps_dependents(parent) and sorted(listed) != sorted(expected.get(id, [])):
            detail = f"listed {len(listed)}, {len(expected.get(id, []))} depend on it"
            odd = sorted(set(listed) ^ set(expected.get(id, [])))
            walk.say("edge", id, f"{detail}; for example {odd[0]}" if odd else f"{detail}; one is there twice")
        elif not _keeps_dependents(parent) and listed and TaskField.releasing not in parent.fields:
            walk.say("edge", id, f"it completed and still lists {len(listed)} dependents")


def _keeps_dependents(task: TaskFacts) -> bool:
    """Return whether its list of dependents is complete: not once it completed, whoever comes then does not wait."""
    return not (is_over(task.status) and task.status not in _KEEP_DEPENDENTS)


def check_pins(walk: Walk) -> None:
    pins: Counter[str] = Counter()
    for task in walk.tasks.values():
        if TaskField.crosses_runs in task.fields:
            foreign = (p for p in _pinned(task) if p in walk.tasks and _run(walk, p) != task.fields[TaskField.run])
            pins.update(foreign)
    for id, task in walk.tasks.items():
        if task.number(TaskField.pinned) != pins[id]:
            walk.say("pin", id, f"stored {task.number('pin')}, open dependents in other runs: {pins[id]}")


def _pinned(task: TaskFacts) -> list[str]:
    """Return the dependencies that it keeps: all until it is over, and while a cursor runs those on one side of it."""
    on = task.depends_on
    if is_over(task.status):
        return on[task.number(TaskField.pinning) :] if TaskField.pinning in task.fields else []
    return on[: task.number(TaskField.pinning)] if TaskField.pinning in task.fields else on


def _run(walk: Walk, id: str) -> str:
    return walk.tasks[id].fields[TaskField.run]
