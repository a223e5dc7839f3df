"""``taskengine task update|execute|events``: change a stored task, and read what happened to it."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli import completion, whole_ids
from taskengine.cli.guide import add
from taskengine.cli.output import OutputOption
from taskengine.cli.task_commands import Id, Priority, Wait, WaitTimeout
from taskengine.cli.when_options import (
    NewDeadline,
    NewExpiresAt,
    NewHeartbeatTimeout,
    NewQueueTimeout,
    NewScheduledAt,
    NewTimeout,
    NewTotalTimeout,
    NewTriggerRule,
)


def register(task: typer.Typer) -> None:
    """Add the commands to those of a task."""
    add(
        task,
        update,
        "taskengine task update ID --priority critical",
        "taskengine task update ID1 ID2 --deadline 2h --timeout 600",
        "taskengine task update ID --trigger-rule all_done --expires-at 2h",
        "taskengine task update ID --deadline none     it has none any more",
    )
    add(task, execute, "taskengine task execute ID", "taskengine task execute ID --agent ci-bot --wait")
    add(task, events, "taskengine task events ID", "taskengine task events ID -o json | jq -r '.[].what'")


OpenIds = Annotated[
    list[str],
    typer.Argument(
        metavar="ID…", help="Ids of tasks, or beginnings of them.", callback=whole_ids.tasks,
        autocompletion=completion.meant_ids,
    ),
]
Name = Annotated[str | None, typer.Option(help="For people.", show_default=False)]
NewPriority = Annotated[
    Priority | None, typer.Option("--priority", "-p", case_sensitive=False, help="Counts at once.", show_default=False)
]
MaxRetries = Annotated[
    int | None, typer.Option(help="Failed attempts that are tried again.", show_default=False)
]
Input = Annotated[
    str | None,
    typer.Option("--input", "-i", metavar="JSON", help="Only before its first attempt.", show_default=False),
]
Agent = Annotated[
    str | None, typer.Option(metavar="AGENT", help="On this one.", show_default=False, autocompletion=completion.agents)
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)]


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
    input: Input = None,
    output: OutputOption = None,
) -> None:
    """Change what is given of tasks that are not over; priority and deadline count at once."""
    from taskengine.cli import changes

    changes.update(
        ids, name=name, priority=priority and priority.value, deadline=deadline, timeout=timeout,
        max_retries=max_retries, input=input, trigger_rule=trigger_rule, scheduled_at=scheduled_at,
        expires_at=expires_at, queue_timeout=queue_timeout, heartbeat_timeout=heartbeat_timeout,
        total_timeout=total_timeout,
    )  # fmt: skip


def execute(
    id: Id, agent: Agent = None, wait: Wait = False, wait_timeout: WaitTimeout = None, output: OutputOption = None
) -> None:
    """Start a task as soon as it may, whatever its schedule or hold says."""
    from taskengine.cli import changes

    raise typer.Exit(changes.execute(id, agent=agent, wait=wait, timeout=wait_timeout))


def events(id: Id, limit: Limit = 100, output: OutputOption = None) -> None:
    """Tell what happened to a task, oldest first."""
    from taskengine.cli import changes

    changes.events(id, limit=limit)
