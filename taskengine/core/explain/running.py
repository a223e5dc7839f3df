"""How far a task is that RUNS, and when the next attempt of one that is RETRYING starts."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.core.explain.inputs import ExplainInputs, QueueView
from taskengine.core.explain.words import clock, held_back, nobody_leads, pause_facts, seconds_to, span, takes_about
from taskengine.models.explanation import Fact
from taskengine.models.task import Task

_NOT_NOW = "not_now"


def running(task: Task, inputs: ExplainInputs) -> Iterator[Fact]:
    now, run = inputs.queue_view, inputs.execution
    if now.cancel is not None:
        yield Fact(
            kind="cancel",
            text=f"its cancel was asked ({now.cancel}); its agent may clean up for its grace, then it is ended",
            details={"reason": now.cancel},
        )
    if run is None or run.started_at is None:
        steps = f"; {inputs.steps}" if inputs.steps else ""
        yield Fact(kind="running", text=f"it runs, attempt {task.attempt}{steps}")
        return
    since = f"since {clock(run.started_at)} (for {span(-seconds_to(run.started_at, now.now))})"
    takes = takes_about(inputs, task)
    until = "" if run.deadline is None else f"; it is ended as timed out at {clock(run.deadline)}"
    yield Fact(
        kind="running",
        text=f"agent {run.executor_id!r} runs attempt {run.attempt} on {run.node} {since}{takes}{until}",
        details={
            "agent": run.executor_id, "node": run.node, "attempt": run.attempt,
            "seconds": inputs.seconds.get(task.id), "since": run.started_at.isoformat(),
            "until": run.deadline.isoformat() if run.deadline else None,
        },
    )  # fmt: skip
    if run.progress is not None:
        note = f": {run.progress_note}" if run.progress_note else ""
        yield Fact(
            kind="progress",
            text=f"it says that it is {run.progress:.0%} done{note}",
            details={"progress": run.progress, "note": run.progress_note},
        )
    for server in now.servers:
        if server.node == run.node and server.draining:
            yield Fact(
                kind="draining",
                text=f"worker {server.node} drains ({server.draining}): if it does not end in time the task "
                "goes to another one, no retry is spent",
                details={"node": server.node, "why": server.draining},
            )


def retrying(task: Task, now: QueueView) -> Iterator[Fact]:
    due = now.due or now.now
    wait = span(seconds_to(due, now.now))
    when = f"attempt {task.attempt + 1} starts at {clock(due)} (in {wait}){held_back(now, due)}"
    details = {"at": due.isoformat(), "attempt": task.attempt + 1, "error": task.error_message}
    if task.error_kind == _NOT_NOW:
        text = f"its agent said not now ({task.error_message}); {when}, no retry is spent"
        yield Fact(kind="not_now", text=text, details=details)
    else:
        spent = f"retry {task.retry_count} of {task.max_retries}"
        text = f"{when}, {spent}, because of: {task.error_message}"
        details |= {"retries": task.retry_count, "max_retries": task.max_retries}
        yield Fact(kind="retry", text=text, details=details)
    yield from pause_facts(now)
    yield from nobody_leads(now, "the attempt will not start by itself")
