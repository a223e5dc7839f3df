"""What must hold of a member of a set, and of the counts of all tasks."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.models.enums import TaskStatus
from taskengine.store.fields import TaskField
from taskengine.store.inspection import Member, Tally
from taskengine.store.invariants.of_task import has_deadline
from taskengine.store.invariants.of_timers import timers_of
from taskengine.store.invariants.rules import Violation
from taskengine.store.invariants.statuses import (
    CURSORS,
    EXECUTION_QUEUED,
    EXECUTION_RUNNING,
    FAILED,
    OVER,
    PENDING,
    READY,
    RUNNING,
)


def check_member(member: Member) -> Iterator[Violation]:
    """Yield what is wrong with one member of one of the engine's sets."""
    wrong = _wrong_member(member)
    if wrong:
        of = f"{member.kind}:{member.name}" if member.name else member.kind
        yield Violation("stray", member.member, f"in {of}, but {wrong}")


def _wrong_member(m: Member) -> str:
    status = m.task.get(TaskField.status, "")
    what = f"task {m.task_id or '?'} is {status or 'not there'}"
    match m.kind:
        case "ready":
            elsewhere = m.task.keys() & {TaskField.parked, TaskField.granted}
            fits = status in READY and m.task[TaskField.queue] == m.name and not elsewhere
        case "park":
            fits = status in READY and m.task.get(TaskField.parked) == m.name
        case "granted" | "granted_all":
            fits = m.execution in EXECUTION_QUEUED and m.task.get(TaskField.granted) == m.member
            fits = fits and m.name in {"", m.task[TaskField.queue]}
        case "leases" | "slots" | "overdue" | "remote":
            fits = m.execution in EXECUTION_RUNNING and status in RUNNING
        case "orphans":  # its task may be gone
            return f"its execution is {m.execution}" if m.execution in EXECUTION_RUNNING else ""
        case "flight":
            held = [word.partition("=")[0] for word in m.value.split()]
            fits = m.execution in EXECUTION_RUNNING and m.name in held
        case "reserved":
            fits = m.execution in EXECUTION_RUNNING and f"&{m.name}" in m.value.split()
        case "timers" if m.member.startswith(("resume:", "open:")):
            return ""  # checked with the pauses and the limits
        case "timers" | "suspended":
            fits = m.member.partition(":")[0] in timers_of(m.task)
        case "dead":
            fits = status in FAILED
        case "deadlines":  # one that is over goes with the next look
            fits = has_deadline(m.task) and TaskField.at_risk not in m.task
        case "erasing":
            fits = status in OVER and TaskField.deleting in m.task
        case _:
            fits = bool(m.task.keys() & CURSORS)
    return "" if fits else what + (f", its execution {m.execution}" if m.execution else "")


def check_tally(tally: Tally) -> Iterator[Violation]:
    """Yield where counts and status codes disagree."""
    for status in TaskStatus:
        listed, counted = tally.listed.get(status, 0), tally.counts.get(status, 0)
        spare = tally.listed.get("staged", 0) if tally.settling and status in PENDING else 0
        if not listed <= counted <= listed + spare:
            yield Violation("counts", status.value, f"counted {counted}, there are {listed}")
