"""Why a task is where it is: from what is known around it to facts, the most telling first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

from taskengine.core import remedy
from taskengine.core.explain.inputs import ExplainInputs
from taskengine.core.explain.over import cancelled, completed, failed, traceback
from taskengine.core.explain.pending import pending
from taskengine.core.explain.ready import ready
from taskengine.core.explain.room import used_facts
from taskengine.core.explain.running import retrying, running
from taskengine.core.explain.words import clock, seconds_to, span
from taskengine.core.lifecycle import NOT_STARTED
from taskengine.models.enums import TaskStatus
from taskengine.models.explanation import Explanation, Fact
from taskengine.models.question import Question
from taskengine.models.task import Task


def explain(task: Task, inputs: ExplainInputs) -> Explanation:
    """Return the explanation of *task*; never without a fact."""
    facts = tuple(_facts(task, inputs))
    return Explanation(
        task_id=task.id,
        name=task.name,
        status=task.status,
        headline=f"{task.name!r} is {task.status.value}: {facts[0].text}",
        facts=facts,
    )


def _facts(task: Task, inputs: ExplainInputs) -> Iterator[Fact]:
    match task.status:
        case TaskStatus.PENDING:
            yield from pending(task, inputs)
        case TaskStatus.READY:
            yield from ready(task, inputs)
        case TaskStatus.RUNNING:
            yield from running(task, inputs)
        case TaskStatus.RETRYING:
            yield from retrying(task, inputs.queue_view)
            yield from traceback(inputs.execution)
        case TaskStatus.PAUSED if task.question is not None:
            yield _question(task, task.question)
        case TaskStatus.PAUSED:
            why = task.reason or "it was paused by name"
            yield Fact(kind="paused", text=f"{why}; let it go: {remedy.resume_call(task.id)}")
        case TaskStatus.COMPLETED:
            yield completed(task)
        case TaskStatus.FAILED:
            yield from failed(task, inputs.part)
            yield from traceback(inputs.execution)
        case TaskStatus.CANCELLED:
            yield cancelled(task, inputs.causes, inputs.part)
        case _:
            assert_never(task.status)
    if task.status in (TaskStatus.READY, TaskStatus.RUNNING):
        yield from used_facts(task, inputs)
    yield from _expiry(task, inputs.queue_view.now)
    yield from _deadline(task, inputs.queue_view.now)


def _question(task: Task, question: Question) -> Fact:
    text = question.text
    if question.options:
        text += f" ({', '.join(question.options)})"
    since = f" since {clock(question.asked_at)}" if question.asked_at else ""
    return Fact(
        kind="asks", text=f"it asks{since}: {text}; {remedy.answer(task.id)}",
        details={"question": question.model_dump(mode="json")},
    )  # fmt: skip


def _expiry(task: Task, now: datetime) -> Iterator[Fact]:
    if task.expires_at is None or task.status not in NOT_STARTED or task.attempt:
        return
    left = seconds_to(task.expires_at, now)
    if left > 0:
        text = f"it is cancelled unless it starts by {clock(task.expires_at)} (in {span(left)})"
        yield Fact(kind="expires", text=text, details={"at": task.expires_at.isoformat()})


def _deadline(task: Task, now: datetime) -> Iterator[Fact]:
    if task.deadline is None:
        return
    details = {"at": task.deadline.isoformat()}
    if task.completed_at is not None:
        if task.completed_at > task.deadline:
            late = span(-seconds_to(task.deadline, task.completed_at))
            yield Fact(kind="deadline", text=f"it ended {late} behind its deadline", details=details)
        return
    left = seconds_to(task.deadline, now)
    text = f"its deadline {clock(task.deadline)} is in {span(left)}"
    if task.deadline_at_risk_since is not None:
        since = task.deadline_at_risk_since
        text += f", and since {clock(since)} it is expected to miss it, by what such tasks took"
        details["at_risk_since"] = since.isoformat()
    if left < 0:
        text = f"its deadline {clock(task.deadline)} passed {span(-left)} ago"
    yield Fact(kind="deadline", text=text, details=details)
