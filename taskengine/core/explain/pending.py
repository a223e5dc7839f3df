"""Why a task is PENDING: what it waits for, its moment, or who has to decide."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.core import remedy
from taskengine.core.explain.inputs import ExplainInputs, QueueView
from taskengine.core.explain.words import (
    clock,
    counted,
    held_back,
    nobody_leads,
    pause_facts,
    seconds_to,
    span,
    takes_about,
)
from taskengine.core.rules import Counters, Evaluation, evaluate
from taskengine.models.enums import TriggerRule
from taskengine.models.explanation import Fact
from taskengine.models.task import Task

_RULES = {
    TriggerRule.ALL_SUCCESS: "when all of its dependencies completed",
    TriggerRule.ALL_DONE: "when all of its dependencies are over, however they end",
    TriggerRule.ALL_FAILED: "when all of its dependencies failed",
    TriggerRule.ONE_SUCCESS: "when one of its dependencies completes",
    TriggerRule.ONE_FAILED: "when one of its dependencies fails",
    TriggerRule.NONE_FAILED: "when all of its dependencies are over and none failed",
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: "when all are over, none failed and one completed",
    TriggerRule.ALWAYS: "at once",
}


def pending(task: Task, inputs: ExplainInputs) -> Iterator[Fact]:
    now = inputs.queue_view
    evaluation = evaluate(task.trigger_rule, _counters(task, now))
    if evaluation is Evaluation.WAIT and inputs.blockers:
        yield from _waits(task, inputs)
    elif evaluation is Evaluation.NEVER:
        yield _closing(task, now)
        yield from nobody_leads(now, "nobody decides about it")
    if now.held:
        yield Fact(kind="held", text=f"it is held; {remedy.execute_held(task.id)}")
    if now.due is not None:
        wait = span(seconds_to(now.due, now.now))
        when = f"its scheduled time is {clock(now.due)} (in {wait}){held_back(now, now.due)}"
        yield Fact(kind="scheduled", text=when, details={"at": now.due.isoformat()})
        yield from nobody_leads(now, "it will not start by itself")
    if evaluation is not Evaluation.NEVER and not (now.held or now.due or inputs.blockers):
        yield Fact(kind="undecided", text="what it waited for is over, and it is about to become ready")
        yield from nobody_leads(now, "it may stay so")
    yield from pause_facts(now)


def _counters(task: Task, now: QueueView) -> Counters:
    gone = now.waiting + now.failed + now.skipped
    return Counters(now.waiting, now.failed, now.skipped, max(0, len(task.depends_on) - gone))


def _closing(task: Task, now: QueueView) -> Fact:
    ways = ((now.failed, "failed (or a failure came before it)"), (now.skipped, "were cancelled"))
    ends = [f"{n} {how}" for n, how in ways if n]
    of = counted(len(task.depends_on), "dependency", "dependencies")
    return Fact(
        kind="undecided",
        text=f"of its {of} {' and '.join(ends) or 'none is left'}, so by its rule {task.trigger_rule.value} it cannot "
        "start any more; the coordinator is about to close it",
        details={"failed": now.failed, "cancelled": now.skipped, "trigger_rule": task.trigger_rule.value},
    )


def _waits(task: Task, inputs: ExplainInputs) -> Iterator[Fact]:
    count = inputs.queue_view.waiting
    named = ", ".join(f"{one.name!r} ({one.status.value}{takes_about(inputs, one)})" for one in inputs.blockers)
    more = f" and {count - len(inputs.blockers)} more" if count > len(inputs.blockers) else ""
    blockers = [
        {
            "id": str(one.id), "name": one.name, "status": one.status.value,
            "seconds": inputs.seconds.get(one.id),
        }
        for one in inputs.blockers
    ]  # fmt: skip
    of = counted(len(task.depends_on), "dependency", "dependencies")
    yield Fact(
        kind="dependencies",
        text=f"it waits for {count} of its {of}: {named}{more}",
        details={"waiting": count, "of": len(task.depends_on), "named": blockers},
    )
    if task.trigger_rule is not TriggerRule.ALL_SUCCESS:
        yield Fact(
            kind="rule",
            text=f"it starts by its trigger rule {task.trigger_rule.value}: {_RULES[task.trigger_rule]}",
            details={"trigger_rule": task.trigger_rule.value},
        )
