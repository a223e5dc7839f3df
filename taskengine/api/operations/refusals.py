"""Why the state of a task forbids something, told with what happened to it so far."""

from __future__ import annotations

from taskengine.api.context import OperationContext
from taskengine.errors import NotAllowedError
from taskengine.models import Event, Task
from taskengine.store.call import Operation
from taskengine.store.history import history_of

#: Events told; the latest ones.
_EVENTS = 12


def not_allowed(context: OperationContext, task: Task, why: str) -> Operation[NotAllowedError]:
    """Return the error that says *why* about a task, with the end of its history."""
    events = yield from history_of(context.keys, str(task.run_id), str(task.id), _EVENTS)
    message = f"task {task.name!r} ({task.id}) {why}"
    return NotAllowedError(message, id=task.id, history=[_line(event) for event in events])


def _line(event: Event) -> str:
    return f"{event.at:%H:%M:%S} {event.what}" + (f" ({event.note})" if event.note else "")
