"""How far a task is that RUNS, and when the next attempt of one that is RETRYING starts."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.core import remedy
from taskengine.core.explain.inputs import ExplainInputs, QueueView
from taskengine.core.explain.words import clock, held_back, nobody_leads, pause_facts, seconds_to, span, takes_about
from taskengine.models.execution import TaskExecution
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
    where = f"at {_service(run)}, in no slot," if run.is_detached else f"on {run.node}"
    yield Fact(
        kind="running",
        text=f"agent {run.executor_id!r} runs attempt {run.attempt} {where} {since}{takes}{until}",
        details={
            "agent": run.executor_id, "node": run.node, "attempt": run.attempt,
            "seconds": inputs.seconds.get(task.id), "since": run.started_at.isoformat(),
            "until": run.deadline.isoformat() if run.deadline else None,
        },
    )  # fmt: skip
    if run.is_detached:
        yield _polled(run, now)
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


def _service(run: TaskExecution) -> str:
    known = run.reference or {}
    return f"{known.get('type') or 'its service'} {known.get('id') or ''}".rstrip()


def _polled(run: TaskExecution, now: QueueView) -> Fact:
    if now.polled_until is not None and now.polled_until > now.now:
        note = f"; it said: {run.progress_note}" if run.progress_note and run.progress is None else ""
        return Fact(kind="polled", text=f"worker {now.poller} asks its service{note}", details={"node": now.poller})
    since = f" since {clock(now.polled_until)}" if now.polled_until else ""
    return Fact(
        kind="unpolled",
        text=f"nobody polls agent {run.executor_id!r}{since}: what its service says is heard when a worker that "
        f"serves it lives; {remedy.start_worker(f'@{run.executor_id}')}",
        details={"agent": run.executor_id, "since": now.polled_until.isoformat() if now.polled_until else None},
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
