"""Words and facts that several states of a task share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from taskengine.core import remedy
from taskengine.core.explain.inputs import Blocker, ExplainInputs, Part, QueueView
from taskengine.core.lifecycle import REOPENABLE, TERMINAL
from taskengine.models.explanation import Fact
from taskengine.models.task import Task


def seconds_to(at: datetime, now: datetime) -> float:
    return (at - now).total_seconds()


def counted(n: int, one: str, many: str) -> str:
    return f"{n} {one if n == 1 else many}"


def clock(at: datetime) -> str:
    """Return a moment as a sentence says it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def span(seconds: float) -> str:
    """Return a length of time as a sentence says it; below 0 is 0."""
    seconds = max(0.0, seconds)
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    if seconds < 6_000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} d"


def takes_about(inputs: ExplainInputs, task: Task | Blocker) -> str:
    seconds = inputs.seconds.get(task.id)
    return "" if seconds is None else f", takes about {span(seconds)}"


def held_back(now: QueueView, due: datetime) -> str:
    """Return what a pause makes of a moment at which something would start."""
    if now.pause is None or (now.pause.until is not None and now.pause.until <= due):
        return ""
    return f", but not before its pause ends{f' at {clock(now.pause.until)}' if now.pause.until else ''}"


def pause_facts(now: QueueView) -> Iterator[Fact]:
    if now.pause is None:
        return
    pause = now.pause
    call = remedy.resume_scope(pause.scope, pause.name)
    ends = "it ends by itself then, or sooner" if pause.until else "let it go"
    details = pause.model_dump(mode="json", exclude={"running", "state"})
    yield Fact(kind="paused", text=f"paused is {pause}; {ends}: {call}", details=details)


def nobody_leads(now: QueueView, so: str) -> Iterator[Fact]:
    if not now.leader:
        yield Fact(kind="coordinator", text=f"no coordinator leads, so {so}; start one: taskengine coordinator")


def opened_again(part: Part | None, task_id: object, *, what: str = "it") -> str:
    """Return how what is over is opened again; a part of a workflow is opened with that, where that can be."""
    if part is None:
        return f"open {what} again: {remedy.reopen_call(task_id)}"
    if part.status in REOPENABLE:
        return f"open {what} again with its workflow: {remedy.retry_workflow_call(part.workflow_id)}"
    if part.status in TERMINAL:
        return "its workflow completed without it"
    return f"open {what} again once its workflow is over: {remedy.retry_workflow_call(part.workflow_id)}"
