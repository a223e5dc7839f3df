"""Records as Redis holds them, and back: the only place that writes or reads stored JSON.

A task's hash keeps what scripts decide by in fields of their own and everything else that the client set in ``doc``,
one JSON object. :mod:`taskengine.store.fields` is the dictionary of both.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from pydantic_core import from_json

from taskengine.core import remedy
from taskengine.core.demand import for_people, from_words
from taskengine.core.identity import execution_id
from taskengine.errors import InvalidInputError, PayloadTooLargeError
from taskengine.models import (
    ExecutionLog,
    ExecutionStatus,
    LogLevel,
    Pause,
    PausedBy,
    PauseScope,
    ResourceUsage,
    Task,
    TaskExecution,
    TaskStatus,
)
from taskengine.models.depth import MAX_DEPTH, refuse_deep
from taskengine.models.question import Question
from taskengine.models.task import STATE_FIELDS
from taskengine.settings import INLINE_LIMIT, REFERENCE_LIMIT
from taskengine.store.fields import ExecutionField, TaskField
from taskengine.store.keys import RULED, SERVICE

_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
#: How a pause is stored: its scope's prefix before the name of what is paused.
PAUSE_PREFIXES: Mapping[PauseScope, str] = {
    PauseScope.EVERYTHING: "all", PauseScope.CAPABILITY: "cap:", PauseScope.AGENT: "agent:", PauseScope.RUN: "run:",
    PauseScope.TASK: "task:",
}  # fmt: skip
_PAUSED_BY = {kind.value: kind for kind in PausedBy}
_PAUSE_SCOPES = {prefix.rstrip(":"): scope for scope, prefix in PAUSE_PREFIXES.items()}

#: Request fields that are stored in ``doc`` when they differ from these defaults.
_DEFAULTS = {
    name: field.get_default(call_default_factory=True)
    for name, field in Task.model_fields.items()
    if name not in STATE_FIELDS | {"id", "name", "depends_on", "idempotency_key", "created_by"}
}
#: Of these, the ones that can be filled in place: then pydantic does not know that they were set.
_CONTAINERS = tuple(name for name, default in _DEFAULTS.items() if isinstance(default, dict))
_CAPABILITY_ALONE = {"capability"}
_EMPTY = "{}"
_FIELDS = frozenset(Task.model_fields)
#: Kind of the error that a record says of itself when a part of it cannot be read.
UNREADABLE = "unreadable_record"
#: Where a log line that is no JSON holds its words, and its moment.
_SAID, _AT = re.compile(r'"message":("(?:[^"\\]|\\.)*")'), re.compile(r'"timestamp":"([0-9T:.+-]+)"\}?$')
#: One encoder for all: json.dumps makes a new one for each call with options.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def dumps(value: Any, field: str) -> str:
    """Canonical JSON of *value*; InvalidInputError names *field* when it is not JSON, or too deep."""
    text = canonical(value, field)
    if may_be_deep(text):
        refuse_deep(value, field)
    return text


def may_be_deep(text: str) -> bool:
    """Return whether JSON could be too deep, by the number of its brackets: for most it is far too small."""
    return text.count("[") + text.count("{") > MAX_DEPTH


def canonical(value: Any, field: str) -> str:
    """Canonical JSON of *value*, which may be as deep as earlier releases took it."""
    try:
        text = _encode(value)
        if not text.isascii():
            text.encode()  # a lone surrogate is refused here, with the field's name
        return text
    except (TypeError, ValueError, RecursionError) as exc:
        refuse_deep(value, field)
        raise InvalidInputError(f"{field} is not JSON: {exc}; pass plain JSON values", field=field) from exc


def readable(text: str) -> str:
    """*text* as UTF-8 can carry it: a lone surrogate (``os.fsdecode`` makes them) is spelled out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def loads(text: str | bytes) -> Any:
    """Return the value of stored JSON; ValueError when it cannot be read."""
    return from_json(text)


def loads_object(text: str | bytes) -> dict[str, Any]:
    """Return the object of stored JSON; ValueError when it is none."""
    found = from_json(text)
    if not isinstance(found, dict):
        raise ValueError(f"it is a {type(found).__name__}, not an object")
    return found


def note(text: str) -> dict[str, Any]:
    """Return what a worker says of itself to people; of what cannot be read, that."""
    try:
        return loads_object(text) if text else {}
    except ValueError as exc:
        return {"unreadable": str(exc)}


def digest(*parts: str) -> str:
    """22 characters that stand for the parts: 132 bits of their sha256."""
    return urlsafe_b64encode(sha256("\0".join(parts).encode()).digest())[:22].decode()


def check_size(field: str, text: str) -> bool:
    """Whether *text* must lie by reference; PayloadTooLargeError beyond that limit."""
    if len(text) * 4 <= INLINE_LIMIT:
        return False
    size = len(text.encode())
    if size > REFERENCE_LIMIT:
        raise PayloadTooLargeError(field, size, REFERENCE_LIMIT)
    return size > INLINE_LIMIT


def millis(moment: datetime | None) -> int | None:
    """Milliseconds since 1970, the next whole one: nothing that waits for a moment happens before it."""
    return None if moment is None else -((_EPOCH - moment) // _MILLISECOND)


def moment(ms: str | int | float | None) -> datetime | None:
    """Return the moment of milliseconds since 1970; None and '' mean none."""
    return None if ms is None or ms == "" else datetime.fromtimestamp(float(ms) / 1000, UTC)


def content(task: Task) -> dict[str, Any]:
    """Return what the client asked for, as JSON values, without what is stored apart; InvalidInputError if not JSON.

    A default that was given is a default: a task read back from JSON has every field set and is the same task. Who
    asked (``created_by``) is not content either: its default differs between machines that ask for the same.
    """
    values = task.__dict__
    # Only what was set can differ from its default: looking at all of them took a third of a submit.
    names = {name for name in task.model_fields_set if name in _DEFAULTS and values[name] != _DEFAULTS[name]}
    names.update(name for name in _CONTAINERS if values[name])
    if names == _CAPABILITY_ALONE:
        return {"capability": values["capability"]}
    try:
        return task.model_dump(mode="json", include=names, warnings="error")
    except (ValueError, RecursionError) as exc:  # pydantic's serialisation errors are ValueErrors
        for name in sorted(names):
            refuse_deep(getattr(task, name), name, where=f"task {task.name!r}: ")
        reason = str(exc).strip().splitlines()[-1].strip()
        raise InvalidInputError(
            f"task {task.name!r} ({task.id}) holds something that is not JSON: {reason}; pass plain JSON values",
            field="input",
        ) from exc


def task_from(id: str, fields: Mapping[str, str]) -> Task:
    """Return the task of a stored hash; fields that this version does not know are left out.

    A listing never fails because of one record: of a document that cannot be read the task shows what is left, and
    says so as its error, of the kind ``unreadable_record``.
    """
    try:
        return _task(id, fields, loads_object(fields.get(TaskField.doc, _EMPTY)))
    except (ValueError, InvalidInputError) as exc:
        why = f"its record cannot be read: {exc}; delete it once it is over"
        return _task(id, {**fields, TaskField.error: why, TaskField.error_kind: UNREADABLE}, _rest(fields))


def _rest(fields: Mapping[str, str]) -> dict[str, Any]:
    """Return what can be told of a document that cannot be read: its plain values, as far as this version knows
    them.
    """
    queue = fields.get(TaskField.queue, "")
    try:
        found = json.loads(fields[TaskField.doc])
    except (ValueError, RecursionError):
        found = None
    doc = found if isinstance(found, dict) else {}
    plain = {name: value for name, value in doc.items() if not isinstance(value, dict | list)}
    known = {name: value for name, value in plain.items() if name in _FIELDS and _is_known(name, value)}
    return known if queue.startswith("@") else {"capability": queue, **known}


def _is_known(name: str, value: Any) -> bool:
    try:
        Task(**{name: value})
    except InvalidInputError:
        return False
    return True


def with_fault(task: Task, what: str, exc: Exception) -> Task:
    """Return the task without *what* of it cannot be read, which it says as its error."""
    says = f"its {what} cannot be read: {exc}"
    return BaseModel.model_copy(task, update={"error_kind": UNREADABLE, "error_message": says})


def _task(id: str, fields: Mapping[str, str], stored: Mapping[str, Any]) -> Task:
    doc = {k: v for k, v in stored.items() if k in _FIELDS}
    queue = fields.get(TaskField.queue, "")
    if queue.startswith("@"):
        doc["assigned_to"] = queue[1:]
    if TaskField.held in fields or "hold" in doc:
        doc["hold"] = TaskField.held in fields
    status = TaskStatus(fields[TaskField.status])
    due = moment(fields.get(TaskField.due))
    attempt = int(fields.get(TaskField.attempts, 0)) - (TaskField.granted in fields)
    return Task(
        **doc,
        id=UUID(id),
        name=fields.get(TaskField.name, ""),
        depends_on={UUID(d) for d in fields.get(TaskField.depends_on, "").split()},
        status=status,
        run_id=UUID(fields[TaskField.run]),
        attempt=attempt,
        execution_id=execution_id(id, attempt) if attempt else None,
        retry_count=int(fields.get(TaskField.retries, 0)),
        lost_count=int(fields.get(TaskField.lost, 0)),
        created_at=moment(fields.get(TaskField.created)),
        ready_at=moment(fields.get(TaskField.ready)),
        started_at=moment(fields.get(TaskField.started)),
        completed_at=moment(fields.get(TaskField.finished)),
        deadline_at_risk_since=moment(fields.get(TaskField.at_risk)),
        next_attempt_at=due if status is TaskStatus.RETRYING else None,
        error_message=fields.get(TaskField.error),
        error_kind=fields.get(TaskField.error_kind),
        reason=_reason(id, status, fields),
        closed_by=UUID(fields[TaskField.closed_by]) if fields.get(TaskField.closed_by) else None,
        cancel_requested=TaskField.cancel in fields,
        pause_requested=status is TaskStatus.RUNNING and TaskField.pause_asked in fields,
        question=question_from(fields.get(TaskField.question)),
    )


def question_from(record: str | None) -> Question | None:
    """Return a stored question; None without one. ValueError or InvalidInputError when it cannot be read."""
    if not record:
        return None
    ms, _, text = record.partition(" ")
    return Question(**loads_object(text), asked_at=moment(ms))


def _reason(id: str, status: TaskStatus, fields: Mapping[str, str]) -> str | None:
    reason = _own_reason(id, status, fields)
    if "paused" not in fields:
        return reason
    scope, _, record = fields["paused"].partition(" ")
    paused = f"paused: {pause_from(scope, record)}"
    return f"{reason}; {paused}" if reason else paused


def _own_reason(id: str, status: TaskStatus, fields: Mapping[str, str]) -> str | None:
    if status is TaskStatus.READY:
        return _ready_reason(fields)
    if status is TaskStatus.RETRYING:
        refused = fields.get(TaskField.error_kind) == "not_now"
        why = "its agent said not now" if refused else "waits for its next attempt because of"
        return f"{why}: {fields.get(TaskField.error, 'an error')}"
    if status is TaskStatus.PENDING:
        return _pending_reason(id, fields)
    if status is TaskStatus.PAUSED and (asked := question_from(fields.get(TaskField.question))):
        behind = "; stays paused behind the answer" if TaskField.pause_asked in fields else ""
        return f"asks: {asked.text}; {remedy.answer(id)}{behind}"
    if status is TaskStatus.PAUSED:
        return f"paused: {pause_from('task:', fields[TaskField.pause])}"
    if status is TaskStatus.RUNNING and TaskField.pause_asked in fields:
        return f"makes no further attempt, paused: {pause_from('task:', fields[TaskField.pause_asked])}"
    return fields.get(TaskField.reason) or fields.get(TaskField.cancel)


def _ready_reason(fields: Mapping[str, str]) -> str | None:
    park = fields.get(TaskField.parked)
    if "paused" in fields or (park and park.partition(":")[0] in _PAUSE_SCOPES):
        return None  # what was resumed a moment ago goes back by itself
    if park and park.startswith("offer:"):
        return f"no worker offers agent {park[6:]!r}; {remedy.start_worker(f'@{park[6:]}')}"
    if park and park.startswith("room:"):
        demand = for_people(from_words(park.partition("|")[2].replace("*", "")))
        return f"no host has room for it now{f' ({demand})' if demand else ''}"
    if park:
        return f"parked: {park}"
    if fields.get("offers") == "0":
        queue = fields[TaskField.queue]
        what = f"agent {queue[1:]!r}" if queue.startswith("@") else f"capability {queue!r}"
        return f"no worker offers {what}; {remedy.start_worker(queue)}"
    return None


def _pending_reason(id: str, fields: Mapping[str, str]) -> str | None:
    rule, waiting = fields.get(TaskField.rule), int(fields.get(TaskField.waiting, 0))
    if rule and waiting + RULED > 0 and not fields.keys() & {TaskField.held, TaskField.due}:
        return f"waits for {rule} of its dependencies; {waiting + RULED} are open"
    if waiting > 0:
        return f"waits for {waiting} of its dependencies"
    if TaskField.held in fields:
        return f"held; {remedy.execute_held(id)}"
    return "waits for its scheduled time" if TaskField.due in fields else None


def execution_from(id: str, fields: Mapping[str, str], logs: Sequence[str] = ()) -> TaskExecution:
    """Return the execution of a stored hash; of one that cannot be read in all parts what is left, with that as its
    error.
    """
    try:
        return _execution(id, fields, logs)
    except ValueError as exc:  # pydantic's errors are ValueErrors
        documents = {ExecutionField.usage, ExecutionField.output, ExecutionField.late_output}
        left = {name: text for name, text in fields.items() if name not in documents}
        why = f"its result or usage cannot be read: {exc}"
        return _execution(id, {**left, ExecutionField.error: why, ExecutionField.error_kind: UNREADABLE}, logs)


def _execution(id: str, fields: Mapping[str, str], logs: Sequence[str]) -> TaskExecution:
    usage = loads(fields[ExecutionField.usage]) if fields.get(ExecutionField.usage) else {}
    late = None
    if ExecutionField.late_disposition in fields:
        late = {
            "disposition": fields[ExecutionField.late_disposition],
            "output": _object(fields.get(ExecutionField.late_output)),
            "error": fields.get(ExecutionField.late_error),
        }
    return TaskExecution(
        id=UUID(id),
        task_id=UUID(fields[ExecutionField.task]),
        executor_id=fields.get(ExecutionField.agent),
        node=None if fields.get(ExecutionField.node) == SERVICE else fields.get(ExecutionField.node),
        is_detached=fields.get(ExecutionField.node) == SERVICE,
        reference=_object(fields.get(ExecutionField.reference, "").partition(" ")[2]),
        status=ExecutionStatus(fields[ExecutionField.status]),
        attempt=int(fields[ExecutionField.attempt]),
        token=int(fields[ExecutionField.attempt]),
        queued_at=moment(fields.get(ExecutionField.queued)),
        started_at=moment(fields.get(ExecutionField.started)),
        completed_at=moment(fields.get(ExecutionField.ended)),
        deadline=moment(fields.get(ExecutionField.deadline)),
        progress=float(fields[ExecutionField.progress]) if ExecutionField.progress in fields else None,
        progress_note=fields.get(ExecutionField.progress_note) or None,
        pid=int(fields[ExecutionField.pid]) if fields.get(ExecutionField.pid, "").isdecimal() else None,
        resource_usage=ResourceUsage(**usage),
        result=_object(fields.get(ExecutionField.output)),
        error_message=fields.get(ExecutionField.error),
        error_kind=fields.get(ExecutionField.error_kind),
        traceback=fields.get(ExecutionField.traceback) or fields.get(ExecutionField.last_frame),
        late_outcome=late,
        cancel_requested=ExecutionField.cancel in fields,
        logs=numbered(logs, int(fields.get(ExecutionField.log_lines, 0)) - len(logs) + 1),
    )


def numbered(texts: Sequence[str], first: int) -> list[ExecutionLog]:
    """Stored log lines, the first of which has the number *first* in its execution."""
    return [_line(text, first + at) for at, text in enumerate(texts)]


def _line(text: str, number: int) -> ExecutionLog:
    try:
        return ExecutionLog(**loads_object(text), number=number)
    except ValueError as exc:
        found = _SAID.search(text)
        said = json.loads(found[1]) if found else ""
        message = f"{said} (this line cannot be read as a whole: {exc})".lstrip()
        at = _AT.search(text)
        return ExecutionLog(timestamp=_moment_of(at[1] if at else ""), message=message, number=number)


def _moment_of(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return _EPOCH


def traceback_line(text: str, end: str, number: int) -> ExecutionLog:
    """Return a traceback as the last line of its execution's log."""
    at = moment(end)
    assert at is not None
    return ExecutionLog(timestamp=at, level=LogLevel.ERROR, message=text, logger="traceback", number=number)


def pause_terms(by: str, reason: str | None, until: datetime | None) -> tuple[str, int | str]:
    """Who, why and until when, as a client's pause is stored, and its end in ms or ''."""
    ends = millis(until)
    record = {"by": by, "kind": PausedBy.CLIENT, "until": ends, "why": reason}
    return dumps(record, "reason"), "" if ends is None else ends


def pause_from(scope: str, record: str, running: int = 0) -> Pause:
    """Return a pause as it is stored."""
    since, _, text = record.partition(" ")
    terms = loads(text)
    kind, _, name = scope.partition(":")
    at = moment(since)
    assert at is not None
    return Pause(
        scope=_PAUSE_SCOPES[kind],
        name=name or None,
        by=terms["by"],
        by_kind=_PAUSED_BY.get(terms.get("kind"), PausedBy.CLIENT),
        reason=terms["why"],
        since=at,
        until=moment(terms.get("until")),
        running=running,
    )


def _object(text: str | None) -> Any:
    return loads(text) if text else None


def pairs(flat: Sequence[Any]) -> dict[str, str]:
    """Return a hash reply ``[field, value, …]`` as a dict."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


#: The field of a task's document that says what its worker puts into it; the last in the order of keys.
_BINDING = "workflow"
#: The same for the prompt of one whose description was put in before.
_PROMPT = "prompt"


def with_binding(doc: str, tasks: Sequence[tuple[Sequence[str], str]], values: Mapping[str, Any]) -> str:
    """Return a task's document that also says what its worker puts in: results of *tasks*, by names and ids, and
    *values*.
    """
    binding = dumps({"tasks": [[list(names), id] for names, id in tasks], "values": dict(values)}, "template")
    return f'{doc[:-1]},"{_BINDING}":{binding}}}'


def with_prompt(doc: str, template: str, values: Mapping[str, Any], made_by: Mapping[str, str]) -> str:
    """Return a task's document that also says of what its description was made: for an agent to which it is a prompt.

    *made_by*: keys of its input that hold what other tasks made, and their names.
    """
    said = dumps({"template": template, "values": dict(values), "input": dict(made_by)}, "template")
    return f'{doc[:-1]},"{_PROMPT}":{said}}}'


def prompt_binding(doc: str) -> dict[str, Any] | None:
    """Return what :func:`with_prompt` put into a document; None where nothing was."""
    if f'"{_PROMPT}":' not in doc:
        return None
    found = loads_object(doc).get(_PROMPT)
    return found if isinstance(found, dict) else None


def worker_binding(doc: str) -> dict[str, Any] | None:
    """Return what :func:`with_binding` put into a document; None where nothing was."""
    if f'"{_BINDING}":' not in doc:
        return None
    found: dict[str, Any] | None = loads_object(doc).get(_BINDING)
    return found
