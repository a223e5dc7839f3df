"""The timers of a task against what its record asks for."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.store.fields import TaskField
from taskengine.store.inspection import Fields, TaskFacts
from taskengine.store.invariants.rules import Violation
from taskengine.store.invariants.statuses import PAUSED, PENDING, READY, RETRYING, is_over

#: What a task may have a timer for.
TIMERS = ("schedule", "retry", "expire", "queue", "total", "step", "moment", "limit")


def check_timers(task: TaskFacts) -> Iterator[Violation]:
    """Yield where a task's timers are not those that it asks for."""
    expected = timers_of(task.fields)
    found = {kind for kind in TIMERS if f"in {kind}" in task.fields}
    if found != expected:
        says = ", ".join(sorted(found)) or "none"
        wants = ", ".join(sorted(expected)) or "none"
        yield Violation("timer", task.id, f"it is {task.status}; timers: {says}, it waits for: {wants}")


def timers_of(fields: Fields) -> set[str]:
    """Return the kinds of timers that a task's record asks for."""
    status, clocks = fields.get(TaskField.status, ""), fields.get(TaskField.clocks, "")
    begun = int(fields.get(TaskField.attempts, 0)) > (TaskField.granted in fields)
    asks = {
        "retry": status in RETRYING and TaskField.due in fields,
        "schedule": status in PENDING and TaskField.due in fields,
        "expire": "exp=" in clocks and not begun and not is_over(status) and status not in PAUSED,
        "queue": "qt=" in clocks and status in READY,
        "total": TaskField.total_end in fields and not is_over(status) and status not in PAUSED,
        **{kind: f"{kind}=" in clocks and not is_over(status) for kind in ("step", "moment", "limit")},
    }
    return {kind for kind, asked in asks.items() if asked}
