"""What worker slots say: claim, report, log, and the ways in which a run ends without a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from taskengine.core.identity import execution_id
from taskengine.errors import NotFoundError
from taskengine.models import ExecutionLog, ExecutionStatus, TaskExecution, TaskStatus
from taskengine.store.call import Call, Operation
from taskengine.store.codec import pairs
from taskengine.store.execution_record import execution_from, numbered, traceback_line
from taskengine.store.fields import ExecutionField, TaskField
from taskengine.store.keys import Keys
from taskengine.store.replies import Assignment, AssignmentReply, Reply, assignment, replies, reply
from taskengine.store.verb import Row, Verb

#: Log lines kept of one execution, and bytes of them as JSON; older ones go first.
MAX_LOG_LINES = 1000
MAX_LOG_BYTES = 1024 * 1024
#: Executions looked at in one script.
_HEADS = 256


@dataclass(frozen=True, slots=True)
class Slot:
    """One Celery message in hand."""

    node: str
    #: Made anew when the Celery task starts.
    nonce: str
    message: str
    pid: int
    #: ``queue=agent`` words of what the node consumes and who would run it.
    queues: str


class Report(NamedTuple):
    """How an attempt ended, as its worker tells it. (A tuple: one is made for each task.)"""

    task_id: str
    #: The attempt.
    token: int
    #: completed, failed, retry, not_now, agent_not_now, credential_not_now or cancelled.
    disposition: str
    agent: str
    output: str = ""
    error: str = ""
    error_kind: str = ""
    retry_ms: int = 0
    usage: str = ""
    #: Bytes of an output that lies by reference, or 0.
    big: int = 0
    #: When it was to be over, as its worker was told: milliseconds on the server's clock; None is never.
    deadline_ms: int | None = None
    #: Where an error came from, whole and in short; both or neither.
    traceback: str = ""
    last_frame: str = ""
    #: JSON of what few have, such as a question or what it used of a service; '' where there is nothing.
    more: str = ""
    #: Id of the execution, which is worked out of task and attempt where this is ''.
    execution: str = ""


@dataclass(frozen=True, slots=True)
class BatchHint:
    """What a slot ran last, which says how many tasks of that kind it would take at once."""

    #: As :func:`taskengine.core.estimates.kind_of` names it.
    kind: str = ""
    #: Microseconds that one of it occupied the slot, with all that is around it.
    each_us: int = 1
    #: How many it would take; 1 where tasks of it go alone.
    most: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a claim or report came to."""

    #: Of a claim: ok, nothing or refused. Of a report: ok.
    word: str
    #: The slot's next executions, in the order in which it runs them; several where they are short.
    batch: tuple[Assignment, ...] = ()
    #: Why a claim was refused.
    detail: str = ""
    #: What became of each reported outcome: ok, overdue, missing, or the status of an execution
    #: that this slot lost before.
    outcomes: tuple[str, ...] = ()
    #: What each task became, unless it COMPLETED; '' also when that was told by whoever took the execution away.
    became: tuple[str, ...] = ()

    @property
    def assignment(self) -> Assignment | None:
        """The first of the slot's next executions, if there is one."""
        return self.batch[0] if self.batch else None


#: Of a slot that takes one at a time.
_ALONE = BatchHint()


def answer(raw: Sequence[Any]) -> Answer:
    """Decode what a claim, a report or a detach came to."""
    word = raw[0]
    if word != "ok":
        return Answer(word, detail=raw[1] if len(raw) > 1 else "")
    return Answer("ok", tuple(assignment(one) for one in raw[3]), outcomes=tuple(raw[1]), became=tuple(raw[2]))


_CLAIM = Verb("claim", answer, assignment=AssignmentReply)
_REPORT = Verb("report", answer, assignment=AssignmentReply)
_REPORT_SEVERAL = Verb("report", answer, is_long=True, assignment=AssignmentReply)
_TIME_OUT = Verb("time_out", reply)
_END_CANCELLED = Verb("end_cancelled", reply)
_HAND_BACK = Verb("hand_back", replies)
_APPEND_LOGS = Verb("append_logs", reply)
_PUT_PAYLOAD = Verb("put_payload", reply)


def claim(slot: Slot, request: str, execution: str, token: int) -> Call[Answer]:
    """Take the granted *execution* if its token holds, else the best READY task; the same *request* repeats."""
    return _CLAIM(
        node=slot.node, slot=slot.nonce, request=request, message=slot.message, pid=slot.pid, execution=execution,
        token=token, queues=slot.queues,
    )  # fmt: skip


def report(slot: Slot, done: Sequence[Report], *, pull: bool, hint: BatchHint = _ALONE) -> Call[Answer]:
    """End attempts of one slot and, with *pull*, get its next ones; a repeat gets the same answer.

    Each outcome counts or not by itself: one whose execution the slot lost changes nothing, and the slot gets nothing.
    A slot that still holds others than these gets nothing either. ``overdue`` is what comes after its deadline: it is
    kept as late, and :func:`time_out` is what ends the attempt.
    """
    verb = _REPORT if len(done) == 1 else _REPORT_SEVERAL
    return verb(
        node=slot.node, slot=slot.nonce, queues=slot.queues if pull else "", message=slot.message, pid=slot.pid,
        kind=hint.kind, each_us=hint.each_us, most=hint.most, outcomes=[_outcome(one) for one in done],
    )  # fmt: skip


def _outcome(one: Report) -> Row:
    return {
        "task": one.task_id, "token": one.token, "disposition": one.disposition, "output": one.output,
        "error": one.error,
        "kind": one.error_kind, "retry_ms": one.retry_ms, "usage": one.usage, "agent": one.agent, "big": one.big or "",
        "deadline": one.deadline_ms or "", "trace": one.traceback, "last_frame": one.last_frame,
        "more": one.more, "execution": one.execution,
    }  # fmt: skip


def time_out(
    execution: str, token: int, *, retry_ms: int | None, error: str, silent: bool = False
) -> Call[Reply]:
    """End an attempt over its deadline; *retry_ms* None means no further attempt. ``ok`` comes with the task's status.

    *silent*: because it said nothing for too long; ``heard`` when it did meanwhile, and nothing ends.
    """
    disposition = "failed" if retry_ms is None else "retry"
    return _TIME_OUT(
        execution=execution, token=token, disposition=disposition, retry_ms=retry_ms or 0, error=error,
        silent="1" if silent else "",
    )  # fmt: skip


def end_cancelled(execution: str, token: int) -> Call[Reply]:
    """End a cancelled execution whose grace is over; ``ok`` comes with the task's status."""
    return _END_CANCELLED(execution=execution, token=token)


def hand_back(held: Iterable[tuple[str, int]], why: str) -> Call[list[Reply]]:
    """Give (execution, token) pairs back that run or were about to, 256 at most; neither a retry nor a loss is counted.

    What came of each: ok with the task's status, conflict with the status it has, or missing.
    """
    rows: list[Row] = [{"execution": id, "token": token} for id, token in held]
    return _HAND_BACK(why=why, executions=rows)


def append_logs(
    execution: str, token: int, *, number: int = 1, lines: Sequence[str] = (), progress: float | None = None,
    note: str = "",
) -> Call[Reply]:  # fmt: skip
    """Keep log lines and the progress of a running execution.

    *number* is that of the first line, counted from 1 in its execution: those that came before are not kept twice.
    """
    shown = "" if progress is None else repr(round(progress, 4))
    return _APPEND_LOGS(
        execution=execution, token=token, most=MAX_LOG_LINES, bytes=MAX_LOG_BYTES, progress=shown, note=note,
        number=number, lines=lines,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AttemptLogs:
    """Log lines of one attempt."""

    #: Of the task.
    status: TaskStatus
    #: The latest attempt that began; 0 before the first.
    latest: int
    attempt: int
    execution_id: str
    #: None when there is no such attempt.
    execution_status: ExecutionStatus | None
    lines: tuple[ExecutionLog, ...]
    #: Number of the last line that there is, which may lie behind these.
    last: int
    #: Lines behind the known one that are gone.
    missed: int


class _Logs(NamedTuple):
    """What ``read_logs`` says before the lines."""

    word: str
    status: str
    latest: int
    attempt: int
    execution_id: str
    #: '' where there is no such attempt.
    execution_status: str
    #: Numbers of the first line here, and of the last that there is.
    first: int
    last: int
    traceback: str
    ended_ms: str


_READ_LOGS = Verb("read_logs", reply, logs=_Logs)


def logs(task_id: str, attempt: int, after: int, most: int) -> Call[AttemptLogs | None]:
    """Lines behind the number *after* of an attempt (0: the latest); None when there is no such task.

    The traceback of one that ended with an error is its last line.
    """

    def decode(raw: Sequence[Any]) -> AttemptLogs | None:
        if raw[0] != "ok":
            return None
        width = len(_Logs._fields)
        found = _Logs._make(raw[:width])
        lines = numbered(raw[width:], found.first)
        missed = max(0, found.first - after - 1)
        number = found.last
        if found.traceback:
            number += 1
            if after < number == found.first + len(lines) and len(lines) < most:
                lines.append(traceback_line(found.traceback, found.ended_ms, number))
        return AttemptLogs(
            status=TaskStatus(found.status),
            latest=found.latest,
            attempt=found.attempt,
            execution_id=found.execution_id,
            execution_status=ExecutionStatus(found.execution_status) if found.execution_status else None,
            lines=tuple(lines),
            last=number,
            missed=missed,
        )

    return _READ_LOGS.read(decode, {"task": task_id, "attempt": attempt, "after": after, "most": most})


#: Milliseconds for which one look of a follower counts.
WATCH_MS = 15_000
_WATCH_LOGS = Verb("watch_logs", reply)


def watch_logs(task_id: str, attempt: int) -> Call[Reply]:
    """Say that somebody follows what an attempt (0: the latest) says: ok or missing."""
    return _WATCH_LOGS(task=task_id, attempt=attempt, for_ms=WATCH_MS)


def _executions(raw: Sequence[Sequence[Any]]) -> list[TaskExecution]:
    return [execution_from(entry[0], pairs(entry[1:])) for entry in raw]


_READ_EXECUTIONS = Verb("read_executions", _executions)
_READ_EXECUTION_HEADS: Verb[list[Any]] = Verb("read_execution_heads", list)


def of_task(task_id: str, most: int = 100) -> Call[list[TaskExecution]]:
    """Return the latest *most* executions of a task, oldest first, without logs."""
    return _READ_EXECUTIONS(task=task_id, most=most)


def read_heads(ids: Sequence[str]) -> Operation[list[TaskExecution | None]]:
    """Executions in the order asked, without outcomes and logs; None where there is none."""
    found: list[TaskExecution | None] = []
    while len(found) < len(ids):
        piece = tuple(ids[len(found) : len(found) + _HEADS])
        raw = yield from _READ_EXECUTION_HEADS(executions=piece)
        found += [execution_from(id, pairs(fields)) if fields else None for id, fields in zip(piece, raw, strict=True)]
    return found


def read(keys: Keys, id: str) -> Operation[TaskExecution | None]:
    """One execution with its logs and its output, also when that lies by reference; None when there is none."""
    fields = yield from Call("HGETALL", (keys.of("exec", id),), _mapping, command=True)
    if ExecutionField.task not in fields:
        return None
    texts = yield from Call("LRANGE", (keys.of("logs", id), 0, -1), list, command=True)
    if fields.get(ExecutionField.large_output):
        fields[ExecutionField.output] = (yield from payload(keys, id)) or ""
    return execution_from(id, fields, texts)


def output(keys: Keys, task_id: str) -> Operation[str | None]:
    """Output JSON of a COMPLETED task, fetched also when it is large; None when it has none.

    NotFoundError when it had one: nobody may go on with nothing instead.
    """
    asked = (keys.of("task", task_id), TaskField.status, TaskField.attempts)
    status, attempt = yield from Call("HMGET", asked, list, command=True)
    id = str(execution_id(task_id, int(attempt or 0)))
    asked = (keys.of("exec", id), ExecutionField.output, ExecutionField.large_output)
    inline, large = yield from Call("HMGET", asked, list, command=True)
    text = (yield from payload(keys, id)) if large else inline
    if text is None and (large or status is None):
        raise NotFoundError("result of task", task_id)
    return text or None


def payload(keys: Keys, name: str) -> Call[str | None]:
    """JSON that lies by reference; None when it is gone."""
    return Call("GET", (keys.of("payload", name),), _text, command=True)


def put_payload(name: str, text: str) -> Call[Reply]:
    """Lay JSON by reference; kept for an hour unless a verb takes it over, or did so before."""
    return _PUT_PAYLOAD(name=name, text=text)


def _mapping(raw: Any) -> dict[str, str]:
    return dict(raw) if isinstance(raw, dict) else pairs(raw)


def _text(raw: Any) -> str | None:
    return None if raw is None else str(raw)
