"""Celery's task events of an execution, as JSON text: what its dispatcher would send, without its price.

A process notes what happens in a line of bytes; the events are made of it when they are sent. Celery builds each event
as a dict, and kombu walks through a list of them; a task has three. Written as text at once they cost a third. Every
receiver reads JSON, whatever ``event_serializer`` says, and takes a list of events under ``task.multi``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring_ascii as _text

from taskengine.models import TaskStatus
from taskengine.store.replies import Assignment
from workers.redaction import redacted

#: Characters of an error that are kept until it is sent.
_LONGEST_ERROR = 1_000
_NAME_LENGTH = 80
#: Between the words of a note; the last one is free text and may hold it.
_BETWEEN = "\x1f"
_STARTED = "started"
#: What the task became -> the event; else it goes on in another execution.
_EVENTS = {
    TaskStatus.COMPLETED.value: "task-succeeded", TaskStatus.FAILED.value: "task-failed",
    TaskStatus.CANCELLED.value: "task-revoked",
}  # fmt: skip
_SUCCEEDED, _REVOKED = _EVENTS[TaskStatus.COMPLETED], _EVENTS[TaskStatus.CANCELLED]
_GOES_ON = "task-retried"


def brief(text: str) -> str:
    """Return the first 80 characters of *text*, without obvious secrets."""
    return redacted(text)[:_NAME_LENGTH]


def started(assignment: Assignment, agent: str) -> bytes:
    """Note that an execution began."""
    return (
        f"{_STARTED}\x1f{int(time.time() * 1e6)}\x1f{assignment.execution_id}\x1f{agent}\x1f{assignment.task_id}\x1f"
        f"{assignment.run_id}\x1f{assignment.attempt}\x1f{assignment.retries}\x1f{assignment.name}"
    ).encode(errors="replace")


def ended(
    uuid: str, became: str, *, seconds: float = 0.0, is_terminated: bool = False, error: str = "", trace: str = ""
) -> bytes:
    """Note that an execution ended and its task *became* that."""
    kind, micros = _EVENTS.get(became, _GOES_ON), int(time.time() * 1e6)
    error = error[:_LONGEST_ERROR].replace(_BETWEEN, " ")
    terminated = "1" if is_terminated else ""
    note = f"{kind}\x1f{micros}\x1f{uuid}\x1f{seconds:.6f}\x1f{terminated}\x1f{error}\x1f{trace}"
    return note.encode(errors="replace")


def uuid_of(note: bytes) -> str:
    """Return the execution that a note is of; '' when it is none."""
    return "".join(note.decode(errors="replace").split(_BETWEEN, 3)[2:3])


def origin(hostname: str, utcoffset: int, pid: int) -> str:
    """Return the fields that say who sends an event."""
    return f'"hostname":{_text(hostname)},"utcoffset":{utcoffset:d},"pid":{pid:d}'


def rendered(note: bytes, origin: str, tick: Callable[[], int]) -> Iterator[str]:
    """Yield the events that tell a *note*, as JSON; ValueError when it is none. *tick* counts Celery's logical clock
    on.
    """
    kind, micros, uuid, rest = note.decode(errors="replace").split(_BETWEEN, 3)
    common = f'"uuid":{_text(uuid)},"timestamp":{int(micros) / 1e6!r},{origin}'
    if kind == _STARTED:
        for type, fields in (("task-received", f"{_received(rest)},"), ("task-started", "")):
            yield f'{{{fields}{common},"clock":{tick():d},"type":"{type}"}}'
    else:
        yield f'{{{_end(kind, rest)},{common},"clock":{tick():d},"type":{_text(kind)}}}'


def _received(rest: str) -> str:
    agent, task, run, attempt, retries, name = rest.split(_BETWEEN, 5)
    args = f"({brief(name)!r}, task={task}, run={run}, attempt={attempt})"
    return (
        f'"name":{_text(agent)},"args":{_text(args)},"kwargs":"{{}}","retries":{int(retries)},"root_id":{_text(run)}'
    )


def _end(kind: str, rest: str) -> str:
    seconds, terminated, error, trace = rest.split(_BETWEEN, 3)
    if kind == _SUCCEEDED:
        return f'"runtime":{float(seconds)!r},"result":"{{\\u2026}}"'
    if kind == _REVOKED:
        signal = '"SIGTERM"' if terminated else "null"
        return f'"terminated":{"true" if terminated else "false"},"signum":{signal},"expired":false'
    return f'"exception":{_text(brief(error))},"traceback":{_text(trace)}'
