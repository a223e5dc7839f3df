"""Why the state of a task forbids something, told with what happened to it so far."""

from __future__ import annotations

from taskengine.api.scope import Scope
from taskengine.errors import NotAllowedError
from taskengine.models import Event, Task
from taskengine.store.call import Story
from taskengine.store.history import story_of

#: Events told; the latest ones.
_EVENTS = 12


def not_allowed(scope: Scope, task: Task, why: str) -> Story[NotAllowedError]:
    """The error that says *why* about a task, with the end of its story."""
    events = yield from story_of(scope.keys, str(task.run_id), str(task.id), _EVENTS)
    message = f"task {task.name!r} ({task.id}) {why}"
    return NotAllowedError(message, id=task.id, story=[_line(event) for event in events])


def _line(event: Event) -> str:
    return f"{event.at:%H:%M:%S} {event.what}" + (f" ({event.note})" if event.note else "")
