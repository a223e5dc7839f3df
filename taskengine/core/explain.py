"""Why a task is where it is: from what is known around it to facts, the most telling first.

Pure: the caller gathers, here is only checked and said. Sentences are clauses that may follow "is pending:", for a
tired operator: what stands in the way, since or until when, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never
from uuid import UUID

from taskengine.core import remedy
from taskengine.core.lifecycle import NOT_STARTED
from taskengine.core.rules import Counters, Evaluation, evaluate
from taskengine.models.enums import TaskPriority, TaskStatus, TriggerRule
from taskengine.models.execution import TaskExecution
from taskengine.models.explanation import Explanation, Fact
from taskengine.models.pause import Pause
from taskengine.models.task import Task

#: Dependencies, queues and causes that a sentence names.
NAMED = 20
_POISON = "poison"
_NOT_NOW = "not_now"
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


@dataclass(frozen=True, slots=True)
class Server:
    """A living worker node that offers a task's queue."""

    node: str
    slots: int
    held: int
    #: Why it drains, or ''.
    draining: str
    #: Times in a row that it took nothing of what it was granted.
    untaken: int = 0
    #: Whether it is therefore granted one task a minute and no more.
    is_distrusted: bool = False
    #: Slots that agents hold which do not return after their end; not among *slots*.
    stuck: int = 0


@dataclass(frozen=True, slots=True)
class QueueView:
    """What stands around a task and is not in its record."""

    #: On the server's clock.
    now: datetime
    queue: str
    #: Dependencies not over, and those that count as failed and as skipped.
    waiting: int
    failed: int
    skipped: int
    #: Its schedule or its next attempt.
    due: datetime | None
    held: bool
    #: Its graph was committed a moment ago.
    settling: bool
    #: Scope under which it is parked, or ''.
    park: str
    #: Why its cancel was asked; None when nobody did.
    cancel: str | None
    #: Until when the worker that it was offered to may take it; None unless a slot was offered.
    claim_by: datetime | None
    #: How many stand before it in its queue; -1 when it does not stand there.
    position: int
    #: READY tasks of its queue that wait, and that were offered to a worker.
    ready: int
    granted: int
    servers: tuple[Server, ...]
    #: What living workers offer, 100 at most.
    queues: tuple[str, ...]
    #: The coordinator that leads, or ''.
    leader: str
    #: The priority among whose tasks it stands by waiting; None while it stands among its own.
    aged_to: TaskPriority | None = None
    #: One that it feels, or None.
    pause: Pause | None = None
    #: Of a slotless execution the worker that asks its service, and until when it said it would; '' for none ever.
    poller: str = ""
    polled_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExplainInputs:
    """All that an explanation rests on."""

    queue_view: QueueView
    #: Some of the dependencies that are not over, :data:`NAMED` at most.
    blockers: Sequence[Task] = ()
    #: What the task and its blockers will take, by id, where anybody knows.
    seconds: Mapping[UUID, float] = field(default_factory=dict)
    #: What tasks of its queue take, or None.
    queue_seconds: float | None = None
    #: The latest execution.
    execution: TaskExecution | None = None
    #: Whose end closed it, that one's cause, and so on up to the root.
    causes: Sequence[Task] = ()


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
            yield from _pending(task, inputs)
        case TaskStatus.READY:
            yield from _ready(task, inputs)
        case TaskStatus.RUNNING:
            yield from _running(task, inputs)
        case TaskStatus.RETRYING:
            yield from _retrying(task, inputs.queue_view)
            yield from _traceback(inputs.execution)
        case TaskStatus.PAUSED:
            why = task.reason or "it was paused by name"
            yield Fact(kind="paused", text=f"{why}; let it go: {remedy.resume_call(task.id)}")
        case TaskStatus.COMPLETED:
            yield _completed(task)
        case TaskStatus.FAILED:
            yield from _failed(task)
            yield from _traceback(inputs.execution)
        case TaskStatus.CANCELLED:
            yield _cancelled(task, inputs.causes)
        case _:
            assert_never(task.status)
    yield from _expiry(task, inputs.queue_view.now)
    yield from _deadline(task, inputs.queue_view.now)


def _expiry(task: Task, now: datetime) -> Iterator[Fact]:
    if task.expires_at is None or task.status not in NOT_STARTED or task.attempt:
        return
    left = _left(task.expires_at, now)
    if left > 0:
        text = f"it is cancelled unless it starts by {clock(task.expires_at)} (in {span(left)})"
        yield Fact(kind="expires", text=text, details={"at": task.expires_at.isoformat()})


def _pending(task: Task, inputs: ExplainInputs) -> Iterator[Fact]:
    now = inputs.queue_view
    evaluation = evaluate(task.trigger_rule, _counters(task, now))
    if evaluation is Evaluation.WAIT and inputs.blockers:
        yield from _waits(task, inputs)
    elif evaluation is Evaluation.NEVER:
        yield _closing(task, now)
        yield from _coordinator(now, "nobody decides about it")
    if now.held:
        yield Fact(kind="held", text=f"it is held; {remedy.execute_held(task.id)}")
    if now.due is not None:
        when = f"its scheduled time is {clock(now.due)} (in {span(_left(now.due, now.now))}){_held_back(now, now.due)}"
        yield Fact(kind="scheduled", text=when, details={"at": now.due.isoformat()})
        yield from _coordinator(now, "it will not start by itself")
    if evaluation is not Evaluation.NEVER and not (now.held or now.due or inputs.blockers):
        yield Fact(kind="undecided", text="what it waited for is over, and it is about to become ready")
        yield from _coordinator(now, "it may stay so")
    yield from _paused(now)


def _counters(task: Task, now: QueueView) -> Counters:
    gone = now.waiting + now.failed + now.skipped
    return Counters(now.waiting, now.failed, now.skipped, max(0, len(task.depends_on) - gone))


def _closing(task: Task, now: QueueView) -> Fact:
    ways = ((now.failed, "failed (or a failure came before it)"), (now.skipped, "were cancelled"))
    ends = [f"{n} {how}" for n, how in ways if n]
    of = _count(len(task.depends_on), "dependency", "dependencies")
    return Fact(
        kind="undecided",
        text=f"of its {of} {' and '.join(ends) or 'none is left'}, so by its rule {task.trigger_rule.value} it cannot "
        "start any more; the coordinator is about to close it",
        details={"failed": now.failed, "cancelled": now.skipped, "trigger_rule": task.trigger_rule.value},
    )


def _waits(task: Task, inputs: ExplainInputs) -> Iterator[Fact]:
    count = inputs.queue_view.waiting
    named = ", ".join(f"{one.name!r} ({one.status.value}{_takes(inputs, one)})" for one in inputs.blockers)
    more = f" and {count - len(inputs.blockers)} more" if count > len(inputs.blockers) else ""
    blockers = [
        {
            "id": str(one.id), "name": one.name, "status": one.status.value,
            "seconds": inputs.seconds.get(one.id),
        }
        for one in inputs.blockers
    ]  # fmt: skip
    yield Fact(
        kind="dependencies",
        text=f"it waits for {count} of its {_count(len(task.depends_on), 'dependency', 'dependencies')}: {named}{more}",
        details={"waiting": count, "of": len(task.depends_on), "named": blockers},
    )
    if task.trigger_rule is not TriggerRule.ALL_SUCCESS:
        yield Fact(
            kind="rule",
            text=f"it starts by its trigger rule {task.trigger_rule.value}: {_RULES[task.trigger_rule]}",
            details={"trigger_rule": task.trigger_rule.value},
        )


#: How the scopes of pauses begin.
_PAUSES = ("all", "cap:", "agent:", "run:")


def _ready(task: Task, inputs: ExplainInputs) -> Iterator[Fact]:
    now = inputs.queue_view
    able = [server for server in now.servers if not (server.draining or server.is_distrusted)]
    starved = not any(server.slots for server in able)
    yield from _paused(now)
    if starved:
        yield from _stuck(now.servers)
    if now.park.startswith(_PAUSES):
        if now.pause is None:
            yield Fact(kind="parked", text="what held it back was resumed a moment ago; it goes back by itself")
            yield from _coordinator(now, "it may stay so")
    elif now.park and not now.park.startswith("offer:"):
        yield Fact(kind="parked", text=task.reason or f"it is parked: {now.park}", details={"reason": now.park})
    elif not now.servers:
        yield _unoffered(now)
    elif now.claim_by is not None and not now.pause:
        yield Fact(
            kind="granted",
            text=f"a free slot was offered to it; its worker may take it until {clock(now.claim_by)}, "
            "then another is asked",
            details={"claim_by": now.claim_by.isoformat()},
        )
    elif now.position >= 0 and able:
        yield _queued(inputs, able)
    elif able and not now.pause:
        yield Fact(kind="queue", text="it is on its way from one place to the next; ask again in a moment")
    for server in now.servers:
        if server.draining:
            yield Fact(
                kind="draining",
                text=f"worker {server.node} offers {now.queue!r} and drains ({server.draining}): it takes nothing new",
                details={"node": server.node, "why": server.draining},
            )
        if server.is_distrusted:
            yield Fact(
                kind="untaken",
                text=f"worker {server.node} offers {now.queue!r} and took nothing of what it was granted "
                f"{server.untaken} times in a row: it is given one task a minute until it takes one; see its log, and "
                "whether its Redis user may subscribe",
                details={"node": server.node, "untaken": server.untaken},
            )
    if not starved:
        yield from _stuck(now.servers)
    if now.servers and not able:
        yield from _coordinator(now, "nobody looks after workers that stop")


def _stuck(servers: Sequence[Server]) -> Iterator[Fact]:
    for server in servers:
        if server.stuck:
            yield Fact(
                kind="stuck",
                text=f"{server.stuck} of {server.slots + server.stuck} slots of worker {server.node} are held by "
                "agents that do not return after their end; mend the agent, or run it in a prefork pool",
                details={"node": server.node, "stuck": server.stuck},
            )


def _paused(now: QueueView) -> Iterator[Fact]:
    if now.pause is None:
        return
    pause = now.pause
    call = remedy.resume_scope(pause.scope, pause.name)
    ends = "it ends by itself then, or sooner" if pause.until else "let it go"
    details = pause.model_dump(mode="json", exclude={"running", "state"})
    yield Fact(kind="paused", text=f"paused is {pause}; {ends}: {call}", details=details)


def _held_back(now: QueueView, due: datetime) -> str:
    """Return what a pause makes of a moment at which something would start."""
    if now.pause is None or (now.pause.until is not None and now.pause.until <= due):
        return ""
    return f", but not before its pause ends{f' at {clock(now.pause.until)}' if now.pause.until else ''}"


def _unoffered(now: QueueView) -> Fact:
    what = f"agent {now.queue[1:]!r}" if now.queue.startswith("@") else f"capability {now.queue!r}"
    offered = [queue for queue in now.queues if not queue.startswith("@")]
    shown = ", ".join(offered[:NAMED]) + (f" and {len(offered) - NAMED} more" if len(offered) > NAMED else "")
    others = f"those that live offer {shown}" if offered else "nor anything else"
    return Fact(
        kind="unoffered",
        text=f"no living worker offers {what} ({others}); {remedy.start_worker(now.queue)}",
        details={"queue": now.queue, "offered": list(now.queues)},
    )


def _queued(inputs: ExplainInputs, able: Sequence[Server]) -> Fact:
    now = inputs.queue_view
    slots, held = sum(server.slots for server in able), sum(server.held for server in able)
    workers = _count(len(able), "worker", "workers")
    busy = f"{held} of {slots} slots are busy on {workers}"
    start_in = _start_in(inputs, slots)
    soon = "" if start_in is None else f"; by what such tasks took it starts in about {span(start_in)}"
    aged = f"; by its waiting it stands among the {now.aged_to.name} ones" if now.aged_to else ""
    return Fact(
        kind="queue",
        text=f"it is number {now.position + 1} of {now.ready} that wait for {now.queue!r}; {busy}{soon}{aged}",
        details={
            "position": now.position + 1, "waiting": now.ready, "offered": now.granted, "slots": slots, "busy": held,
            "starts_in_seconds": start_in,
        },
    )  # fmt: skip


def _takes(inputs: ExplainInputs, task: Task) -> str:
    seconds = inputs.seconds.get(task.id)
    return "" if seconds is None else f", takes about {span(seconds)}"


def _start_in(inputs: ExplainInputs, slots: int) -> float | None:
    """Seconds until it starts if every slot serves its queue alone; None when nobody knows, as under a pause."""
    if inputs.queue_seconds is None or not slots or inputs.queue_view.pause:
        return None
    return round((inputs.queue_view.position + 1) * inputs.queue_seconds / slots, 1)


def _running(task: Task, inputs: ExplainInputs) -> Iterator[Fact]:
    now, run = inputs.queue_view, inputs.execution
    if now.cancel is not None:
        yield Fact(
            kind="cancel",
            text=f"its cancel was asked ({now.cancel}); its agent may clean up for its grace, then it is ended",
            details={"reason": now.cancel},
        )
    if run is None or run.started_at is None:
        yield Fact(kind="running", text=f"it runs, attempt {task.attempt}")
        return
    since = f"since {clock(run.started_at)} (for {span(-_left(run.started_at, now.now))})"
    takes = _takes(inputs, task)
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
        yield from _polled(run, now)
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


def _polled(run: TaskExecution, now: QueueView) -> Iterator[Fact]:
    if now.polled_until is None or now.polled_until <= now.now:
        since = f" since {clock(now.polled_until)}" if now.polled_until else ""
        yield Fact(
            kind="unpolled",
            text=f"nobody polls agent {run.executor_id!r}{since}: what its service says is heard when a worker that "
            f"serves it lives; {remedy.start_worker(f'@{run.executor_id}')}",
            details={"agent": run.executor_id, "since": now.polled_until.isoformat() if now.polled_until else None},
        )
    else:
        note = f"; it said: {run.progress_note}" if run.progress_note and run.progress is None else ""
        yield Fact(kind="polled", text=f"worker {now.poller} asks its service{note}", details={"node": now.poller})


def _retrying(task: Task, now: QueueView) -> Iterator[Fact]:
    due = now.due or now.now
    when = f"attempt {task.attempt + 1} starts at {clock(due)} (in {span(_left(due, now.now))}){_held_back(now, due)}"
    details = {"at": due.isoformat(), "attempt": task.attempt + 1, "error": task.error_message}
    if task.error_kind == _NOT_NOW:
        text = f"its agent said not now ({task.error_message}); {when}, no retry is spent"
        yield Fact(kind="not_now", text=text, details=details)
    else:
        spent = f"retry {task.retry_count} of {task.max_retries}"
        text = f"{when}, {spent}, because of: {task.error_message}"
        details |= {"retries": task.retry_count, "max_retries": task.max_retries}
        yield Fact(kind="retry", text=text, details=details)
    yield from _paused(now)
    yield from _coordinator(now, "the attempt will not start by itself")


def _coordinator(now: QueueView, so: str) -> Iterator[Fact]:
    if not now.leader:
        yield Fact(kind="coordinator", text=f"no coordinator leads, so {so}; start one: taskengine coordinator")


def _completed(task: Task) -> Fact:
    at = f" at {clock(task.completed_at)}" if task.completed_at else ""
    after = f" after {task.attempt} attempts" if task.attempt > 1 else ""
    return Fact(
        kind="completed",
        text=f"it completed{at}{after}",
        details={"attempts": task.attempt, "at": task.completed_at.isoformat() if task.completed_at else None},
    )


def _failed(task: Task) -> Iterator[Fact]:
    attempts = _count(task.attempt, "attempt", "attempts")
    yield Fact(
        kind="failed",
        text=f"after {attempts} it failed: {task.error_message}; open it again: {remedy.reopen_call(task.id)}",
        details={"attempts": task.attempt, "error": task.error_message, "error_kind": task.error_kind},
    )
    if task.error_kind == _POISON:
        letter = remedy.named(f"get_task_executions('{task.id}')", f"taskengine dead show {task.id}")
        yield Fact(
            kind="dead_letter",
            text=f"it is a dead letter, its executions tell how each worker was lost: {letter}",
            details={"lost": task.lost_count},
        )


def _traceback(run: TaskExecution | None) -> Iterator[Fact]:
    if run is not None and run.traceback:
        yield Fact(
            kind="traceback",
            text=f"attempt {run.attempt} raised:\n{run.traceback.rstrip()}",
            details={"attempt": run.attempt, "traceback": run.traceback},
        )


def _cancelled(task: Task, causes: Sequence[Task]) -> Fact:
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
        f"open them all again: {remedy.reopen_call(root.id)}",
        details={
            "root": str(root.id), "chain": [str(one.id) for one in causes], "reason": task.reason,
        },
    )  # fmt: skip


def _ended(task: Task) -> str:
    return "failed" if task.error_kind else f"was {task.status.value}"


def _deadline(task: Task, now: datetime) -> Iterator[Fact]:
    if task.deadline is None:
        return
    details = {"at": task.deadline.isoformat()}
    if task.completed_at is not None:
        if task.completed_at > task.deadline:
            late = span(-_left(task.deadline, task.completed_at))
            yield Fact(kind="deadline", text=f"it ended {late} behind its deadline", details=details)
        return
    left = _left(task.deadline, now)
    text = f"its deadline {clock(task.deadline)} is in {span(left)}"
    if task.deadline_at_risk_since is not None:
        since = task.deadline_at_risk_since
        text += f", and since {clock(since)} it is expected to miss it, by what such tasks took"
        details["at_risk_since"] = since.isoformat()
    if left < 0:
        text = f"its deadline {clock(task.deadline)} passed {span(-left)} ago"
    yield Fact(kind="deadline", text=text, details=details)


def _left(at: datetime, now: datetime) -> float:
    return (at - now).total_seconds()


def _count(n: int, one: str, many: str) -> str:
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
