"""``taskengine task …``: submit, look, watch, ask why, cancel, retry, read logs."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from taskengine.cli import completion, whole_ids
from taskengine.cli.guide import add
from taskengine.cli.output import OutputOption, split
from taskengine.cli.when_options import (
    Deadline,
    ExpiresAt,
    HeartbeatTimeout,
    Hold,
    QueueTimeout,
    ScheduledAt,
    Timeout,
    TotalTimeout,
    TriggerRule,
)

task = typer.Typer(no_args_is_help=True, help="Submit tasks, look at them, cancel and retry them.")


class Priority(StrEnum):
    """How much a task matters."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"
    CRITICAL = "critical"


class Status(StrEnum):
    """Where a task is in its life."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    RETRYING = "retrying"


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.add_typer(task, name="task")
    add(
        task,
        submit,
        'taskengine task submit --capability lint --input \'{"path": "a.py"}\' --wait',
        "taskengine task submit --capability lint --input @job.json --priority high --depends-on ID1,ID2",
        "taskengine task submit --capability clean --depends-on ID1,ID2 --trigger-rule all_done --expires-at 2h",
        "taskengine task submit --type testing --assigned-to ci-bot --metadata team=core -o json | jq -r .id",
    )
    add(task, get, "taskengine task get ID", "taskengine task get ID -o json | jq .result")
    add(
        task,
        list_,
        "taskengine task list --status failed",
        "taskengine task list --metadata team=core --limit 100 -o json",
        "taskengine task list --cursor CURSOR      the next page, as the last one says",
        name="list",
    )
    add(task, why, "taskengine task why ID", "taskengine task why ID -o json | jq -r .headline")
    add(
        task,
        logs,
        "taskengine task logs ID                what the latest attempt logged and printed",
        "taskengine task logs ID -f             and what follows, until the task is over",
        "taskengine task logs ID --execution 1 -o json",
    )
    add(
        task,
        watch,
        "taskengine task watch                  everything that is open",
        "taskengine task watch ID1 ID2          to the end; exit code 1 if one did not complete",
        "taskengine task watch --run ID",
        "taskengine task watch --metadata team=core --once",
    )


Id = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The task's id, or a beginning of it.", callback=whole_ids.task,
        autocompletion=completion.task_ids,
    ),
]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Wait for its end; exit code 1 unless it completed.")]
WaitTimeout = Annotated[
    float | None, typer.Option(min=0, metavar="SECONDS", help="Wait no longer.", show_default="for ever")
]
Metadata = Annotated[
    list[str] | None,
    typer.Option("--metadata", "-m", metavar="KEY=VALUE", help="Again for more; VALUE is JSON or text."),
]
Capability = Annotated[
    str | None,
    typer.Option(
        "--capability", "-C", help="What a worker must offer.", show_default="the type",
        autocompletion=completion.capabilities,
    ),
]
Input = Annotated[
    str | None,
    typer.Option(
        "--input",
        "-i",
        metavar="JSON",
        help="The agent's arguments, an object; @FILE reads them, - takes stdin.",
        show_default="{}",
    ),
]
Name = Annotated[str, typer.Option(help="For people.", show_default="the capability")]
Type = Annotated[str | None, typer.Option("--type", "-t", help="code_analysis, testing, …", show_default="custom")]
HowMuch = Annotated[Priority, typer.Option("--priority", "-p", case_sensitive=False)]
DependsOn = Annotated[
    list[str] | None,
    typer.Option(
        "--depends-on", metavar="IDS", help="Not before these completed; several with commas, or again.",
        callback=whole_ids.tasks, autocompletion=completion.task_ids,
    ),
]
AssignedTo = Annotated[
    str | None, typer.Option(
        metavar="AGENT", help="Only this agent may run it.", show_default=False, autocompletion=completion.agents
    ),
]
MaxRetries = Annotated[int, typer.Option(help="Failed attempts that are tried again.")]
OwnId = Annotated[
    str | None,
    typer.Option("--id", help="A UUID of your own: the same again submits nothing twice.", show_default=False),
]
Key = Annotated[
    str | None,
    typer.Option("--idempotency-key", help="Any text of your own, to the same end.", show_default=False),
]
AnyStatus = Annotated[Status | None, typer.Option("--status", "-s", show_default="any")]
AnyType = Annotated[str | None, typer.Option("--type", "-t", show_default="any")]
AnyPriority = Annotated[Priority | None, typer.Option("--priority", "-p", case_sensitive=False, show_default="any")]
AnyAgent = Annotated[
    str | None, typer.Option(metavar="AGENT", show_default="anybody", autocompletion=completion.agents)
]
AnyUser = Annotated[str | None, typer.Option(metavar="USER", show_default="anybody")]
AnyRun = Annotated[
    str | None,
    typer.Option("--run", metavar="ID", show_default="any", callback=whole_ids.run, autocompletion=completion.run_ids),
]
AnyCapability = Annotated[
    str | None,
    typer.Option("--capability", "-C", show_default="any", autocompletion=completion.capabilities),
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)]
Cursor = Annotated[str | None, typer.Option(help="Where the last page ended.", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Kept with the task.", show_default=False)]

SomeIds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID…]", help="Ids of tasks, or beginnings of them.", show_default="all open", callback=whole_ids.tasks,
        autocompletion=completion.task_ids,
    ),
]
Once = Annotated[bool, typer.Option("--once", help="Show them now, and end.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on until the task is over.")]
Attempt = Annotated[int | None, typer.Option("--execution", min=1, metavar="N", help="Of attempt N alone.",
                                             show_default="the latest")]  # fmt: skip


def submit(
    capability: Capability = None,
    input: Input = None,
    name: Name = "",
    type: Type = None,
    priority: HowMuch = Priority.NORMAL,
    depends_on: DependsOn = None,
    assigned_to: AssignedTo = None,
    metadata: Metadata = None,
    trigger_rule: TriggerRule = None,
    scheduled_at: ScheduledAt = None,
    expires_at: ExpiresAt = None,
    deadline: Deadline = None,
    hold: Hold = False,
    timeout: Timeout = None,
    queue_timeout: QueueTimeout = None,
    heartbeat_timeout: HeartbeatTimeout = None,
    total_timeout: TotalTimeout = None,
    max_retries: MaxRetries = 3,
    id: OwnId = None,
    idempotency_key: Key = None,
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    output: OutputOption = None,
) -> None:
    """Submit one task and say its id."""
    from taskengine.cli import tasks

    fields = {
        "capability": capability, "name": name, "task_type": type, "assigned_to": assigned_to,
        "timeout": timeout, "queue_timeout": queue_timeout, "heartbeat_timeout": heartbeat_timeout,
        "total_timeout": total_timeout, "trigger_rule": trigger_rule, "hold": hold or None, "id": id,
        "idempotency_key": idempotency_key,
    }  # fmt: skip
    given: dict[str, Any] = {key: value for key, value in fields.items() if value is not None}
    given |= {"priority": priority.value, "max_retries": max_retries}
    given |= {
        "depends_on": split(depends_on),
        "metadata": tasks.metadata(metadata),
        "input": tasks.arguments(input),
        **tasks.moments(scheduled_at=scheduled_at, expires_at=expires_at, deadline=deadline),
    }
    raise typer.Exit(tasks.submit(given, wait=wait, timeout=wait_timeout))


def get(id: Id, output: OutputOption = None) -> None:
    """Show a task with its executions, its reason or error, and its result."""
    from taskengine.cli import tasks

    tasks.show(id)


def why(id: Id, output: OutputOption = None) -> None:
    """Say why a task is where it is: what it waits for, its place, its error, and what to do about it."""
    from taskengine.cli import tasks

    tasks.why(id)


def list_(
    status: AnyStatus = None,
    type: AnyType = None,
    priority: AnyPriority = None,
    assigned_to: AnyAgent = None,
    created_by: AnyUser = None,
    metadata: Metadata = None,
    run: AnyRun = None,
    capability: AnyCapability = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    output: OutputOption = None,
) -> None:
    """List tasks, newest first."""
    from taskengine.cli import tasks

    chosen = tasks.filters(status, type, priority, assigned_to, created_by, metadata, run, capability)
    tasks.list_(filters=chosen, limit=limit, cursor=cursor)


def logs(id: Id, follow: Follow = False, execution: Attempt = None, output: OutputOption = None) -> None:
    """Show what a task's agent logged and printed: the newest 1000 lines, 1 MiB, of an attempt.

    With -o json each line is an object on a line of its own.
    """
    from taskengine.cli import logs

    logs.show(id, follow=follow, execution=execution)


def watch(
    ids: SomeIds = None,
    run: AnyRun = None,
    capability: AnyCapability = None,
    status: AnyStatus = None,
    type: AnyType = None,
    priority: AnyPriority = None,
    assigned_to: AnyAgent = None,
    created_by: AnyUser = None,
    metadata: Metadata = None,
    once: Once = False,
    wait_timeout: WaitTimeout = None,
    output: OutputOption = None,
) -> None:
    """Watch tasks until all are over: state, progress, who runs them, since when.

    A table on a terminal; elsewhere, and with -o json, a line for each change. The exit code is 1 if one failed or
    was cancelled.
    """
    from taskengine.cli import tasks
    from taskengine.cli import watch as view

    chosen = tasks.filters(status, type, priority, assigned_to, created_by, metadata, run, capability)
    raise typer.Exit(view.watch(ids or [], filters=chosen, once=once, timeout=wait_timeout))
