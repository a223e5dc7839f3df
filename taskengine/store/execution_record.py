"""An execution and its log as Redis holds them, read back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from taskengine.models import ExecutionLog, ExecutionStatus, LogLevel, ResourceUsage, TaskExecution
from taskengine.store.codec import EPOCH, UNREADABLE, leniently, loads, loads_object, moment
from taskengine.store.fields import ExecutionField
from taskengine.store.keys import SERVICE

#: Where a log line that is no JSON holds its words, and its moment.
_SAID, _AT = re.compile(r'"message":("(?:[^"\\]|\\.)*")'), re.compile(r'"timestamp":"([0-9T:.+-]+)"\}?$')


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
        said = leniently(found[1]) if found else ""
        message = f"{said} (this line cannot be read as a whole: {exc})".lstrip()
        at = _AT.search(text)
        return ExecutionLog(timestamp=_moment_of(at[1] if at else ""), message=message, number=number)


def _moment_of(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return EPOCH


def traceback_line(text: str, end: str, number: int) -> ExecutionLog:
    """Return a traceback as the last line of its execution's log."""
    at = moment(end)
    assert at is not None
    return ExecutionLog(timestamp=at, level=LogLevel.ERROR, message=text, logger="traceback", number=number)


def _object(text: str | None) -> Any:
    return loads(text) if text else None
