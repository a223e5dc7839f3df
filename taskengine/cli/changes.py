"""Changes of stored tasks from the command line, and their history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from taskengine.cli import task_view, tasks
from taskengine.cli.follow import follow
from taskengine.cli.moments import coming
from taskengine.cli.output import answer
from taskengine.cli.place import asking, nothing
from taskengine.errors import InvalidInputError

#: How a command line takes a value away.
_NONE = "none"


def update(ids: Sequence[str], **given: Any) -> None:
    """Change the fields that are given."""
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise InvalidInputError("nothing to change; give --priority, --deadline or another option", field="changes")
    if "priority" in changes:
        changes["priority"] = tasks.priority(changes["priority"])
    for field in ("deadline", "scheduled_at", "expires_at"):
        if field in changes:
            changes[field] = None if changes[field] == _NONE else coming(changes[field], tasks.option(field))
    if "input" in changes:
        changes["input"] = tasks.arguments(changes["input"])
    with asking() as api:
        changed = [api.update_task(id, **changes) for id in ids]
    told = "\n".join(f"{task.id} {task.status.value}, priority {task.priority.name.lower()}" for task in changed)
    answer([task_view.as_json(task) for task in changed], told)


def execute(id: str, *, agent: str | None, wait: bool, timeout: float | None) -> int:
    """Start a task; the exit code."""
    with asking() as api:
        api.execute_task(id, agent, wait=False)
        task = api.get_task(id)
        if wait:
            return follow(api, task, timeout)
    note = f" ({task.reason})" if task.reason else ""
    answer(task_view.as_json(task), f"{task.id} {task.status.value}{note}")
    return 0


def delete(ids: Sequence[str], *, cascade: bool) -> int:
    """Delete tasks; 1 if one was not there."""
    with asking() as api:
        done = [{"id": id, "deleted": api.delete_task(id, cascade)} for id in ids]
    answer(done, "\n".join(f"{one['id']} {'deleted' if one['deleted'] else 'is not there'}" for one in done))
    return 0 if all(one["deleted"] for one in done) else 1


def events(id: str, *, limit: int) -> None:
    """Tell the history of a task."""
    with asking() as api:
        found = api.get_task_events(id, limit)
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("When", "What", "Details"):
        shown.add_column(heading, overflow="fold")
    for event in found:
        row = Text(task_view.moment(event.at), style="dim"), Text(event.what, style="bold"), task_view.plain(event.note)
        shown.add_row(*row)
    data = [
        {"sequence": event.sequence, "at": event.at.isoformat(), "what": event.what, "note": event.note}
        for event in found
    ]
    answer(data, shown if found else nothing("no event is kept of it"))
