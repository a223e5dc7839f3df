"""What must hold of the executions of a task."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.store.fields import ExecutionField, TaskField
from taskengine.store.inspection import Fields, TaskFacts
from taskengine.store.invariants.rules import Violation
from taskengine.store.invariants.statuses import COMPLETED, EXECUTION_OVER, EXECUTION_QUEUED, EXECUTION_RUNNING, RUNNING
from taskengine.store.keys import SERVICE


def check_executions(task: TaskFacts) -> Iterator[Violation]:
    """Yield what is wrong with the executions of one task."""
    if task.queue.startswith("%"):  # nobody runs it; a result of its own has the form of an execution
        return
    for number, execution in enumerate(reversed(task.executions)):
        yield from _execution(task, execution, latest=number == 0)
    accepted = [e["id"] for e in task.executions if e.get(ExecutionField.status) in COMPLETED]
    if len(accepted) != (task.status in COMPLETED):
        yield Violation("outcome", task.id, f"it is {task.status}; accepted: {', '.join(accepted) or 'none'}")
    if task.status in RUNNING and not task.executions:
        yield Violation("execution", task.id, "it is running without an execution")


def _execution(task: TaskFacts, e: Fields, *, latest: bool) -> Iterator[Violation]:
    status = e.get(ExecutionField.status, "not there")
    granted = latest and task.fields.get(TaskField.granted) == e["id"]
    running = latest and task.status in RUNNING
    wanted = EXECUTION_QUEUED if granted else EXECUTION_RUNNING if running else EXECUTION_OVER
    if status not in wanted or e.get(ExecutionField.task) != task.id:
        detail = f"execution {e['id']} of task {e.get('task')} is {status}, the task {task.status}"
        yield Violation("execution", task.id, detail)
    if status in EXECUTION_RUNNING and _is_slotless(e):
        yield from _slotless(e)
    elif status in EXECUTION_RUNNING and "lease" not in e:
        yield Violation("lease", e["id"], "its slot is not leased")
    if status in EXECUTION_RUNNING and e["id"] not in e.get("held", "").partition("|")[0].split():
        yield Violation("slot", e["id"], f"its slot holds {e.get('held', 'nothing')}")
    if ExecutionField.hold in e and status not in EXECUTION_RUNNING:
        yield Violation("hold", e["id"], f"it is {status} and holds {e[ExecutionField.hold]}")
    elif "uncounted" in e:
        yield Violation("hold", e["id"], f"limit {e['uncounted']} does not count it")
    if "unreserved" in e:
        yield Violation("reservation", e["id"], f"host {e['unreserved']} does not count it")
    queued = status in EXECUTION_QUEUED
    if ("claim" in e) != queued or (e.get("granted") == "1") != queued:
        yield Violation("grant", e["id"], f"it is {status}; claim deadline {e.get('claim', 'none')}")


def _is_slotless(e: Fields) -> bool:
    return e.get(ExecutionField.node) == SERVICE


def _slotless(e: Fields) -> Iterator[Violation]:
    for name, says in (("polled", "nobody polls for it"), ("overdue", "nobody watches its time")):
        if name not in e:
            yield Violation("remote", e["id"], says)
    if ExecutionField.reference not in e:
        yield Violation("remote", e["id"], "it does not say where its work is")
