"""Options that several commands of a task take."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from taskengine.cli import whole_ids
from taskengine.cli.lazy import offers


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


Id = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The task's id, or a beginning of it.", callback=whole_ids.task,
        autocompletion=offers("task_ids"),
    ),
]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Wait for its end; exit code 1 unless it completed.")]
Metadata = Annotated[
    list[str] | None,
    typer.Option("--metadata", "-m", metavar="KEY=VALUE", help="Again for more; VALUE is JSON or text."),
]
AnyStatus = Annotated[Status | None, typer.Option("--status", "-s", show_default="any")]
AnyType = Annotated[str | None, typer.Option("--type", "-t", show_default="any")]
AnyPriority = Annotated[Priority | None, typer.Option("--priority", "-p", case_sensitive=False, show_default="any")]
AnyAgent = Annotated[
    str | None, typer.Option(metavar="AGENT", show_default="anybody", autocompletion=offers("agents"))
]
AnyRun = Annotated[
    str | None,
    typer.Option("--run", metavar="ID", show_default="any", callback=whole_ids.run, autocompletion=offers("run_ids")),
]
AnyCapability = Annotated[
    str | None,
    typer.Option("--capability", "-C", show_default="any", autocompletion=offers("capabilities")),
]
CreatedAfter = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Then or later: 2h (ago), or with a time zone.", show_default="any")
]
CreatedBefore = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Earlier: 2h (ago), or with a time zone.", show_default="any")
]
ErrorKind = Annotated[
    str | None, typer.Option(metavar="KIND", help="Of the last failure: timeout, crash, …", show_default="any")
]
Reason = Annotated[str | None, typer.Option(help="Kept with the task.", show_default=False)]
