"""What agents log and print: read from where one left off, and followed until the task is over."""

from __future__ import annotations

from uuid import UUID

from taskengine.api.arguments import Id, id_text, number, seconds
from taskengine.api.context import OperationContext
from taskengine.core.identity import execution_id
from taskengine.core.lifecycle import EXECUTION_TERMINAL, TERMINAL
from taskengine.errors import InvalidInputError, NotFoundError
from taskengine.models import LogPage
from taskengine.store import executions, tasks
from taskengine.store.call import Operation
from taskengine.store.executions import AttemptLogs
from taskengine.store.fields import TaskField

MAX_LINES = 1000
#: Seconds between two looks of a follower: lines come every quarter of a second at most.
_LOOK_SECONDS = 0.4


def get_logs(
    context: OperationContext, task_id: Id, execution: Id | int | None, after: str | None, limit: int
) -> Operation[LogPage]:
    """Return the next lines behind *after*, of one execution or of each that there is."""
    id, most = id_text(task_id), number(limit, "limit", 1, MAX_LINES)
    attempt, line = _place(after)
    only = None if execution is None else (yield from _attempt(context, id, execution))
    if only is not None and after is not None and attempt != only:
        raise InvalidInputError("after and execution name two attempts; pass one of them", field="after")
    while True:
        said = yield from executions.logs(id, only or attempt, line, most)
        if said is None:
            raise NotFoundError("task", id)
        if only is not None and only > said.latest:
            raise NotFoundError("execution", f"{only} of task {id}")
        page = _page(said, line, only)
        # A later attempt goes on where an earlier one ended.
        if page or page.is_over or only is not None or not _is_over(said) or said.attempt >= said.latest:
            return page
        attempt, line = said.attempt + 1, 0


def follow_logs(
    context: OperationContext, task_id: Id, execution: Id | int | None, after: str | None, timeout: float | None
) -> Operation[LogPage]:
    """Return the next lines as soon as there are any, or nothing once all was said or *timeout* is over."""
    id, limit = id_text(task_id), seconds(timeout)
    deadline = None if limit is None else context.clock() + limit
    only = 0 if execution is None else (yield from _attempt(context, id, execution))
    yield from executions.watch_logs(id, only)
    while True:
        page = yield from get_logs(context, id, execution, after, MAX_LINES)
        pause = _LOOK_SECONDS if deadline is None else min(_LOOK_SECONDS, deadline - context.clock())
        if page or page.is_over or pause <= 0:
            return page
        after = page.cursor
        yield from tasks.watch(id)
        yield from tasks.until_done(context.keys, id, pause)


def _page(said: AttemptLogs, after: int, only: int | None) -> LogPage:
    last = said.lines[-1].number or 0 if said.lines else max(after, 0)
    ended = said.status in TERMINAL and said.attempt >= said.latest
    return LogPage(
        said.lines,
        attempt=said.attempt if said.execution_status else 0,
        execution_id=UUID(said.execution_id) if said.execution_status else None,
        cursor=f"{max(1, said.attempt)}.{last}",
        missed=said.missed,
        is_over=last >= said.last and (ended or (only is not None and _is_over(said))),
    )


def _is_over(said: AttemptLogs) -> bool:
    return said.execution_status is None or said.execution_status in EXECUTION_TERMINAL


def _attempt(context: OperationContext, task_id: str, execution: Id | int) -> Operation[int]:
    """Return the number of an execution that is given as such or by its id."""
    if isinstance(execution, int):
        return number(execution, "execution", 1, 2**31)
    wanted = id_text(execution, "execution")
    latest = (yield from tasks.fields(context.keys, task_id, TaskField.attempts))[TaskField.attempts]
    for attempt in range(int(latest or 0), 0, -1):
        if str(execution_id(task_id, attempt)) == wanted:
            return attempt
    raise NotFoundError("execution", f"{wanted} of task {task_id}")


def _place(cursor: str | None) -> tuple[int, int]:
    """Attempt and line that a cursor stands for; the latest attempt's beginning without one."""
    if cursor is None:
        return 0, 0
    attempt, _, line = cursor.partition(".") if isinstance(cursor, str) else ("", "", "")
    if not (attempt.isdecimal() and line.isdecimal() and 0 < len(attempt) < 10 and len(line) < 16):
        raise InvalidInputError(
            f"after is {cursor!r:.80}; pass the .cursor of the page before, or None for the beginning", field="after"
        )
    return int(attempt), int(line)
