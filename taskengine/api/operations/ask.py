"""Questions about tasks, their executions and their history; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from taskengine.api.arguments import (
    Id,
    capability_name,
    cursor,
    id_text,
    id_texts,
    instant,
    mapping,
    member,
    number,
    text,
)
from taskengine.api.context import OperationContext
from taskengine.core.containment import contains
from taskengine.errors import NotFoundError
from taskengine.models import Event, Task, TaskExecution, TaskFilter, TaskPage, TaskPriority, TaskStatus, TaskType
from taskengine.store import executions, history, tasks
from taskengine.store.call import Operation
from taskengine.store.codec import millis
from taskengine.store.results import whole

#: Tasks that one page may hold.
MAX_PAGE = 1000
MAX_EVENTS = 10_000
#: Scripts that search for one page, some 5 ms each at most; and tasks read beyond it, whose metadata may be others'.
MAX_SEARCHES, MAX_READ = 10, 256
_LATEST = 100


def get_task(context: OperationContext, task_id: Id) -> Operation[Task]:
    """One task with its input and its result."""
    return (yield from required(context, id_text(task_id)))


def required(context: OperationContext, id: str) -> Operation[Task]:
    """One task, or NotFoundError."""
    found = yield from whole(context.keys, id)
    if found is None:
        raise NotFoundError("task", id)
    return found


def get_tasks(task_ids: Iterable[Id] | Id) -> Operation[list[Task]]:
    """Tasks in the order asked, without results and large inputs; NotFoundError names one that is not there."""
    ids = id_texts(task_ids)
    found = []
    for id, task in zip(ids, (yield from tasks.read(ids)), strict=True):
        if task is None:
            raise NotFoundError("task", id)
        found.append(task)
    return found


def get_execution(context: OperationContext, task_id: Id) -> Operation[TaskExecution | None]:
    """Return the latest execution of a task with its logs and its result; None when it never had one."""
    id = id_text(task_id)
    latest = yield from executions.of_task(id, 1)
    if latest:
        return (yield from executions.read(context.keys, str(latest[-1].id)))
    yield from required(context, id)
    return None


def get_executions(context: OperationContext, task_id: Id) -> Operation[list[TaskExecution]]:
    """Return the latest 100 executions of a task, oldest first."""
    id = id_text(task_id)
    found = yield from executions.of_task(id, _LATEST)
    if not found:
        yield from required(context, id)
    return found


def get_latest_executions(task_ids: Iterable[Id] | Id) -> Operation[list[TaskExecution | None]]:
    """Return the latest execution of each task, without outcomes and logs."""
    seen = yield from tasks.read(id_texts(task_ids))
    latest = [str(task.execution_id) if task and task.execution_id else "" for task in seen]
    found = yield from executions.read_heads([id for id in latest if id])
    by_id = {str(one.id): one for one in found if one is not None}
    return [by_id.get(id) for id in latest]


def get_events(context: OperationContext, run_id: Id, after: int, limit: int) -> Operation[list[Event]]:
    """Return the next events of a run."""
    run = id_text(run_id, "run_id")
    most = number(limit, "limit", 1, MAX_EVENTS)
    found = yield from history.events(context.keys, run, number(after, "after", 0, 2**53), most)
    if not found and not (yield from history.run_exists(context.keys, run)):
        raise NotFoundError("run", run)
    return found


def get_task_events(context: OperationContext, task_id: Id, limit: int) -> Operation[list[Event]]:
    """Return the latest events of one task, oldest first."""
    id, most = id_text(task_id), number(limit, "limit", 1, MAX_PAGE)
    task = yield from required(context, id)
    return (yield from history.history_of(context.keys, str(task.run_id), id, most))


def list_tasks(
    *,
    status: TaskStatus | str | None,
    task_type: TaskType | str | None,
    priority: TaskPriority | int | str | None,
    assigned_to: str | None,
    created_by: str | None,
    metadata: Mapping[str, Any] | None,
    run_id: Id | None,
    capability: str | None,
    asking: bool,
    limit: int,
    after: str | None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    error_kind: str | None = None,
) -> Operation[TaskPage]:
    """One page of the tasks that meet every filter, newest first; short where it would search for longer."""
    below, most = cursor(after), number(limit, "limit", 1, MAX_PAGE)
    indexes = indexes_of(
        TaskFilter(
            status=None if status is None else member(TaskStatus, status, "status"),
            task_type=None if task_type is None else member(TaskType, task_type, "task_type"),
            priority=None if priority is None else member(TaskPriority, priority, "priority"),
            assigned_to=None if assigned_to is None else text(assigned_to, "assigned_to"),
            created_by=None if created_by is None else text(created_by, "created_by"),
            run_id=None if run_id is None else UUID(id_text(run_id, "run_id")),
            capability=None if capability is None else capability_name(capability),
            created_after=None if created_after is None else instant(created_after, "created_after"),
            created_before=None if created_before is None else instant(created_before, "created_before"),
            error_kind=None if error_kind is None else text(error_kind, "error_kind"),
        )
    )
    indexes += ["q:1"] if asking else []
    wanted = None if metadata is None else mapping(metadata, "metadata")
    indexes += [] if wanted is None else tasks.holding(wanted)
    found: list[tasks.Placed] = []
    more, searches, read = True, 0, 0
    # One more than asked tells whether there is a next page.
    while more and len(found) <= most and searches < MAX_SEARCHES and read <= most + MAX_READ:
        below, ids = yield from tasks.find(below, most + 1, indexes)
        seen = yield from tasks.read_placed(ids)
        found += [one for one in seen if one and (wanted is None or contains(one.task.metadata, wanted))]
        more, searches, read = below > 0, searches + 1, read + len(ids)
    if len(found) > most:
        # The place was read with the task: asked for afterwards, it would be gone with a task that is deleted by then.
        return TaskPage((one.task for one in found[:most]), str(found[most - 1].place))
    return TaskPage((one.task for one in found), str(below) if more else None)


def indexes_of(where: TaskFilter) -> list[str]:
    """Return what tasks carry that meet every field of *where* but the metadata."""
    values = (
        ("s", where.status and where.status.value),
        ("t", where.task_type and where.task_type.value),
        ("p", where.priority and int(where.priority)),
        ("a", where.assigned_to),
        ("b", where.created_by),
        ("r", where.run_id),
        ("c", where.capability),
        (">", millis(where.created_after)),
        ("<", millis(where.created_before)),
        ("e", where.error_kind),
    )
    return [f"{kind}:{value}".replace("\n", " ") for kind, value in values if value is not None]
