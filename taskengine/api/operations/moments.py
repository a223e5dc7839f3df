"""Moments that clients give and that are over already: refused by the server's clock, the engine's only one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from taskengine.api.context import OperationContext
from taskengine.errors import InvalidInputError
from taskengine.models import Task
from taskengine.store import tasks
from taskengine.store.call import Operation
from taskengine.store.codec import moment
from taskengine.store.coordination import server_ms
from taskengine.store.idempotency import owners

#: A time to start that is over is none of these: it means at once.
_AHEAD = ("deadline", "expires_at")


def refuse_past(context: OperationContext, new: Iterable[Task]) -> Operation[None]:
    """Raise InvalidInputError for a new task whose deadline or time to expire is over. Costs a trip where one has such.

    One that is stored already is let through: its submit is a repeat, and means the stored one.
    """
    for task, field, at, now in (yield from _over([(task, _AHEAD) for task in new])):
        if not (yield from _is_stored(context, task)):
            raise _refusal(task, field, at, now)


def refuse_past_change(changed: Task, fields: Iterable[str]) -> Operation[None]:
    """Raise InvalidInputError if one of these new *fields* of a stored task is a moment that is over."""
    names = tuple(name for name in _AHEAD if name in set(fields))
    for task, field, at, now in (yield from _over([(changed, names)])):
        raise _refusal(task, field, at, now)


def _over(
    looked_at: Iterable[tuple[Task, Iterable[str]]],
) -> Operation[list[tuple[Task, str, datetime, datetime]]]:
    given = list(_given(looked_at))
    if not given:
        return []
    now = moment((yield from server_ms()))
    assert now is not None
    return [(task, field, at, now) for task, field, at in given if at <= now]


def _given(looked_at: Iterable[tuple[Task, Iterable[str]]]) -> Iterator[tuple[Task, str, datetime]]:
    for task, names in looked_at:
        for name in names:
            at = getattr(task, name)
            if at is not None:
                yield task, name, at


def _is_stored(context: OperationContext, task: Task) -> Operation[bool]:
    if (yield from tasks.statuses([str(task.id)]))[0]:
        return True
    key = task.idempotency_key
    return bool(key and (yield from owners(context.keys, [key])))


def _refusal(task: Task, field: str, at: datetime, now: datetime) -> InvalidInputError:
    return InvalidInputError(
        f"task {task.name!r} ({task.id}): {field} is {at.isoformat()}, and the server's clock says "
        f"{now.isoformat(timespec='seconds')}: it is over; give a later one or none",
        field=field,
    )
