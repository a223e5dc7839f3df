"""``taskengine task update``, ``execute``, ``depend`` and ``events``: change a stored task, read its past."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from taskengine.cli import whole_ids
from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.moments import coming
from taskengine.cli.options import Limit, WaitTimeout
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.task import values, view
from taskengine.cli.task.follow import follow
from taskengine.cli.task.options import Id, Priority, Wait
from taskengine.cli.task.when import (
    NewDeadline,
    NewExpiresAt,
    NewHeartbeatTimeout,
    NewQueueTimeout,
    NewScheduledAt,
    NewTimeout,
    NewTotalTimeout,
    NewTriggerRule,
)
from taskengine.cli.text import moment, plain
from taskengine.errors import InvalidInputError
from taskengine.models import Event

app = typer.Typer()
#: How a command line takes a value away.
_NONE = "none"

OpenIds = Annotated[
    list[str],
    typer.Argument(
        metavar="ID…", help="Ids of tasks, or beginnings of them.", callback=whole_ids.tasks,
        autocompletion=offers("meant_ids"),
    ),
]
On = Annotated[
    list[str],
    typer.Option(
        metavar="ID", help="What it is to wait for; may be repeated.", callback=whole_ids.tasks,
        autocompletion=offers("meant_ids"),
    ),
]
Name = Annotated[str | None, typer.Option(help="For people.", show_default=False)]
NewPriority = Annotated[
    Priority | None, typer.Option("--priority", "-p", case_sensitive=False, help="Counts at once.", show_default=False)
]
MaxRetries = Annotated[
    int | None, typer.Option(help="Failed attempts that are tried again.", show_default=False)
]
MaxTotalTokens = Annotated[
    int | None, typer.Option(help="What all its attempts together may use.", show_default=False)
]
Input = Annotated[
    str | None,
    typer.Option("--input", "-i", metavar="JSON", help="Only before its first attempt.", show_default=False),
]
Agent = Annotated[
    str | None, typer.Option(metavar="AGENT", help="On this one.", show_default=False, autocompletion=offers("agents"))
]


@command(
    app,
    "taskengine task update ID --priority critical",
    "taskengine task update ID1 ID2 --deadline 2h --timeout 600",
    "taskengine task update ID --trigger-rule all_done --expires-at 2h",
    "taskengine task update ID --deadline none     it has none any more",
)
def update(
    ids: OpenIds,
    name: Name = None,
    priority: NewPriority = None,
    trigger_rule: NewTriggerRule = None,
    scheduled_at: NewScheduledAt = None,
    expires_at: NewExpiresAt = None,
    deadline: NewDeadline = None,
    timeout: NewTimeout = None,
    queue_timeout: NewQueueTimeout = None,
    heartbeat_timeout: NewHeartbeatTimeout = None,
    total_timeout: NewTotalTimeout = None,
    max_retries: MaxRetries = None,
    max_total_tokens: MaxTotalTokens = None,
    input: Input = None,
    output: OutputOption = None,
) -> None:
    """Change what is given of tasks that are not over; priority and deadline count at once."""
    changes = _changes(
        name=name, priority=priority, deadline=deadline, timeout=timeout, max_retries=max_retries, input=input,
        trigger_rule=trigger_rule, scheduled_at=scheduled_at, expires_at=expires_at, queue_timeout=queue_timeout,
        heartbeat_timeout=heartbeat_timeout, total_timeout=total_timeout, max_total_tokens=max_total_tokens,
    )  # fmt: skip
    with asking() as api:
        changed = [api.update_task(id, **changes) for id in ids]
    told = "\n".join(f"{task.id} {task.status.value}, priority {task.priority.name.lower()}" for task in changed)
    answer([view.as_json(task) for task in changed], told)


def _changes(**given: Any) -> dict[str, Any]:
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise InvalidInputError("nothing to change; give --priority, --deadline or another option", field="changes")
    if "priority" in changes:
        changes["priority"] = values.priority(changes["priority"])
    for field in ("deadline", "scheduled_at", "expires_at"):
        if field in changes:
            changes[field] = None if changes[field] == _NONE else coming(changes[field], values.option(field))
    if "input" in changes:
        changes["input"] = values.arguments(changes["input"])
    return changes


@command(app, "taskengine task execute ID", "taskengine task execute ID --agent ci-bot --wait")
def execute(
    id: Id, agent: Agent = None, wait: Wait = False, wait_timeout: WaitTimeout = None, output: OutputOption = None
) -> None:
    """Start a task as soon as it may, whatever its schedule or hold says."""
    with asking() as api:
        api.execute_task(id, agent, wait=False)
        task = api.get_task(id)
        if wait:
            raise typer.Exit(follow(api, task, wait_timeout))
    note = f" ({task.reason})" if task.reason else ""
    answer(view.as_json(task), f"{task.id} {task.status.value}{note}")


@command(app, "taskengine task depend ID --on OTHER")
def depend(id: Id, on: On, output: OutputOption = None) -> None:
    """Make a task that has not started wait for other ones as well; a cycle is refused, with its path."""
    with asking() as api:
        for other in on:
            found = api.add_dependency(id, other)
    answer(view.as_json(found), f"{found.id} {found.status.value}")


@command(app, "taskengine task events ID", "taskengine task events ID -o json | jq -r '.[].what'")
def events(id: Id, limit: Limit = 100, output: OutputOption = None) -> None:
    """Tell what happened to a task, oldest first."""
    with asking() as api:
        found = api.get_task_events(id, limit)
    data = [
        {"sequence": event.sequence, "at": event.at.isoformat(), "what": event.what, "note": event.note}
        for event in found
    ]
    answer(data, _table(found) if found else nothing("no event is kept of it"))


def _table(events: Sequence[Event]) -> Table:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("When", "What", "Details"):
        shown.add_column(heading, overflow="fold")
    for event in events:
        shown.add_row(Text(moment(event.at), style="dim"), Text(event.what, style="bold"), plain(event.note))
    return shown
