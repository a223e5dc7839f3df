"""What one walk over everything stored saw, and the first of it: names of keys, and tasks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from taskengine.models import Task
from taskengine.store import decisions, inspection
from taskengine.store.call import Operation
from taskengine.store.fields import TaskField
from taskengine.store.inspection import PIECE, TaskFacts
from taskengine.store.invariants.of_task import check_task
from taskengine.store.invariants.rules import Violation
from taskengine.store.keys import Keys
from taskengine.store.records import index_names
from taskengine.store.tasks import read

_DECISIONS = 1000


@dataclass(slots=True)
class Walk:
    """What one walk over everything saw."""

    keys: Keys
    violations: list[Violation] = field(default_factory=list)
    #: Kind -> ids of the keys of that kind; a fixed key has the id ''.
    names: dict[str, set[str]] = field(default_factory=dict)
    tasks: dict[str, TaskFacts] = field(default_factory=dict)
    #: Tasks that the coordinator has yet to decide about.
    asked: frozenset[str] = frozenset()
    #: Marks that the filters of all tasks add up to, by bitmap.
    marks: Counter[str] = field(default_factory=Counter)

    def say(self, kind: str, id: str, detail: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(kind, id, detail))


def read_names(walk: Walk) -> Operation[None]:
    """Read the names of all keys."""
    cursor = "0"
    while True:
        cursor, names = yield from inspection.scan(walk.keys, cursor)
        for name in names:
            kind, _, id = name.removeprefix(walk.keys.prefix).partition(":")
            walk.names.setdefault(kind, set()).add(id)
        if cursor == "0":
            return


def read_tasks(walk: Walk) -> Operation[None]:
    """Read all tasks, and check each by itself."""
    walk.asked = yield from _asked(walk.keys)
    ids = sorted(walk.names.get("task", ()))
    for at in range(0, len(ids), PIECE):
        piece = ids[at : at + PIECE]
        stored = yield from read(piece)
        names = [_index_names(task) if task else "" for task in stored]
        for task in (yield from inspection.look(list(zip(piece, names, strict=True)))):
            walk.tasks[task.id] = task
            walk.violations += check_task(task, walk.asked)
            segment = task.number(TaskField.arrival) // 4096
            own = task.fields.get(TaskField.filters) or dict(zip(piece, names, strict=True))[task.id]
            index = "" if task.is_step else own
            walk.marks.update(f"{name}:{segment}" for name in index.splitlines())


def _index_names(task: Task) -> str:
    """Return the filters that find it, with the one that scripts mark while it asks."""
    return f"{index_names(task)}\nq:1" if task.question else index_names(task)


def _asked(keys: Keys) -> Operation[frozenset[str]]:
    """Tasks that the coordinator has yet to decide about."""
    found: set[str] = set()
    after = "0"
    while piece := (yield from decisions.decisions(keys, after, _DECISIONS)):
        found |= {decision.task_id for decision in piece}
        after = piece[-1].entry
    return frozenset(found)
