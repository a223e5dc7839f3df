"""``taskengine task submit``."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated, Any

import typer

from taskengine.cli import whole_ids
from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.options import WaitTimeout
from taskengine.cli.output import OutputOption, answer, say, split
from taskengine.cli.place import submitting
from taskengine.cli.task import values, view
from taskengine.cli.task.follow import follow
from taskengine.cli.task.options import Metadata, Priority, Wait
from taskengine.cli.task.when import (
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
from taskengine.models import TaskCreateRequest

app = typer.Typer()

Capability = Annotated[
    str | None,
    typer.Option(
        "--capability", "-C", help="What a worker must offer.", show_default="the type",
        autocompletion=offers("capabilities"),
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
Description = Annotated[
    str | None,
    typer.Option(
        "--description", "-d", metavar="TEXT", show_default=False,
        help="What is to be done: the prompt of an agent that reads one; @FILE reads it, - takes stdin.",
    ),
]
Template = Annotated[
    bool, typer.Option("--template", help="${…} in input and description stands for results and inputs.")
]
Type = Annotated[str | None, typer.Option("--type", "-t", help="code_analysis, testing, …", show_default="custom")]
HowMuch = Annotated[Priority, typer.Option("--priority", "-p", case_sensitive=False)]
DependsOn = Annotated[
    list[str] | None,
    typer.Option(
        "--depends-on", metavar="IDS", help="Not before these completed; several with commas, or again.",
        callback=whole_ids.tasks, autocompletion=offers("task_ids"),
    ),
]
AssignedTo = Annotated[
    str | None, typer.Option(
        metavar="AGENT", help="Only this agent may run it.", show_default=False, autocompletion=offers("agents")
    ),
]
MaxRetries = Annotated[int | None, typer.Option(help="Failed attempts that are tried again.", show_default="3")]
OutputSchema = Annotated[
    str | None,
    typer.Option(metavar="JSON", help="JSON Schema that its result must fit; @FILE reads it.", show_default=False),
]
MaxTotalTokens = Annotated[
    int | None, typer.Option(help="What all its attempts may use; then it fails as 'limit'.", show_default=False)
]
OwnId = Annotated[
    str | None,
    typer.Option("--id", help="A UUID of your own: the same again submits nothing twice.", show_default=False),
]
Key = Annotated[
    str | None,
    typer.Option("--idempotency-key", help="Any text of your own, to the same end.", show_default=False),
]


@command(
    app,
    'taskengine task submit --capability lint --input \'{"path": "a.py"}\' --wait',
    "taskengine task submit --capability lint --input @job.json --priority high --depends-on ID1,ID2",
    "taskengine task submit --capability clean --depends-on ID1,ID2 --trigger-rule all_done --expires-at 2h",
    "taskengine task submit --type testing --assigned-to ci-bot --metadata team=core -o json | jq -r .id",
)
def submit(
    capability: Capability = None,
    input: Input = None,
    name: Name = "",
    description: Description = None,
    template: Template = False,
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
    max_retries: MaxRetries = None,
    output_schema: OutputSchema = None,
    max_total_tokens: MaxTotalTokens = None,
    id: OwnId = None,
    idempotency_key: Key = None,
    wait: Wait = False,
    wait_timeout: WaitTimeout = None,
    output: OutputOption = None,
) -> None:
    """Submit one task and say its id."""
    fields = {
        "capability": capability, "name": name, "template": template or None,
        "description": description and values.given_text(description, "--description"),
        "task_type": type, "assigned_to": assigned_to,
        "timeout": timeout, "queue_timeout": queue_timeout, "heartbeat_timeout": heartbeat_timeout,
        "total_timeout": total_timeout, "trigger_rule": trigger_rule, "hold": hold or None, "id": id,
        "idempotency_key": idempotency_key, "max_retries": max_retries,
        "output_schema": output_schema and values.arguments(output_schema, "--output-schema"),
        "max_total_tokens": max_total_tokens,
    }  # fmt: skip
    given: dict[str, Any] = {key: value for key, value in fields.items() if value is not None}
    given |= {"priority": values.priority(priority)}
    given |= {
        "depends_on": split(depends_on),
        "metadata": values.metadata(metadata),
        "input": values.arguments(input),
        **values.moments(scheduled_at=scheduled_at, expires_at=expires_at, deadline=deadline),
    }
    raise typer.Exit(_submit(TaskCreateRequest(**given), wait=wait, timeout=wait_timeout))


def _submit(request: TaskCreateRequest, *, wait: bool, timeout: float | None) -> int:
    with submitting() as api:
        stored = api.create_task(request)
        if not wait:
            note = f" ({stored.reason})" if stored.reason else ""
            answer(view.as_json(stored), f"{stored.id} {stored.status.value}{note}")
            return 0
        say(f"{stored.id} submitted")
        return follow(api, stored, timeout)
