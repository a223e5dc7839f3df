"""How a task ended, and what opens it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from taskengine.core import remedy
from taskengine.core.explain.inputs import NAMED, Part
from taskengine.core.explain.words import clock, counted, opened_again
from taskengine.models.execution import TaskExecution
from taskengine.models.explanation import Fact
from taskengine.models.task import Task

_POISON = "poison"


def completed(task: Task) -> Fact:
    at = f" at {clock(task.completed_at)}" if task.completed_at else ""
    after = f" after {task.attempt} attempts" if task.attempt > 1 else ""
    return Fact(
        kind="completed",
        text=f"it completed{at}{after}",
        details={"attempts": task.attempt, "at": task.completed_at.isoformat() if task.completed_at else None},
    )


def failed(task: Task, part: Part | None) -> Iterator[Fact]:
    attempts = counted(task.attempt, "attempt", "attempts")
    yield Fact(
        kind="failed",
        text=f"after {attempts} it failed: {task.error_message}; {opened_again(part, task.id)}",
        details={"attempts": task.attempt, "error": task.error_message, "error_kind": task.error_kind},
    )
    if task.error_kind == _POISON:
        letter = remedy.named(f"get_task_executions('{task.id}')", f"taskengine dead show {task.id}")
        yield Fact(
            kind="dead_letter",
            text=f"it is a dead letter, its executions tell how each worker was lost: {letter}",
            details={"lost": task.lost_count},
        )


def traceback(run: TaskExecution | None) -> Iterator[Fact]:
    if run is not None and run.traceback:
        yield Fact(
            kind="traceback",
            text=f"attempt {run.attempt} raised:\n{run.traceback.rstrip()}",
            details={"attempt": run.attempt, "traceback": run.traceback},
        )


def cancelled(task: Task, causes: Sequence[Task], part: Part | None) -> Fact:
    if not causes:
        return Fact(kind="cancelled", text=f"{task.reason or 'no reason was given'}", details={"reason": task.reason})
    root = causes[-1]
    ways = [f"{one.name!r} {_ended(one)}" for one in causes]
    if len(ways) > NAMED:
        ways = [*ways[: NAMED - 2], f"({len(ways) - NAMED + 1} more)", ways[-1]]
    why = root.error_message or root.reason
    return Fact(
        kind="closed",
        text=f"it was closed because {', because '.join(ways)}{f': {why}' if why else ''}; "
        f"{opened_again(part, root.id, what='them all')}",
        details={
            "root": str(root.id), "chain": [str(one.id) for one in causes], "reason": task.reason,
        },
    )  # fmt: skip


def _ended(task: Task) -> str:
    return "failed" if task.error_kind else f"was {task.status.value}"
