"""Options that say when and on what a task starts, and how long it may take: at submit, and of a stored task."""

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli.lazy import offers
from taskengine.models.enums import TriggerRule as Rule

_WHEN = "in 90s, 30m, 2h or 1d, or a time such as 2030-01-31T12:00:00Z"

TriggerRule = Annotated[
    str | None,
    typer.Option(
        "--trigger-rule",
        metavar="RULE",
        help=f"When it starts: {', '.join(Rule)}.",
        show_default="all_success",
        autocompletion=offers("trigger_rules"),
    ),
]
ScheduledAt = Annotated[
    str | None, typer.Option(metavar="WHEN", help=f"Not before: {_WHEN}.", show_default=False)
]
ExpiresAt = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Cancelled unless it started by then.", show_default=False)
]
Deadline = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Earlier ones start first; nothing is cancelled.", show_default=False)
]
Hold = Annotated[bool, typer.Option("--hold", help="It waits until somebody executes it.")]
Timeout = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", help="One attempt may take so long.", show_default="TASKENGINE_DEFAULT_TIMEOUT"
    ),
]
QueueTimeout = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Failed when no worker takes it so long.", show_default="for ever"),
]
HeartbeatTimeout = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="An attempt may say nothing so long.", show_default="for ever"),
]
TotalTimeout = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="All attempts together may take so long.", show_default="for ever"),
]

_NEW_WHEN = "In 90s, 30m, 2h, 1d, a date with its zone, or none"

NewTriggerRule = Annotated[
    str | None,
    typer.Option(
        "--trigger-rule",
        metavar="RULE",
        help="Only before its first attempt.",
        show_default=False,
        autocompletion=offers("trigger_rules"),
    ),
]
NewDeadline = Annotated[
    str | None, typer.Option("--deadline", metavar="WHEN", help=f"{_NEW_WHEN}.", show_default=False)
]
NewScheduledAt = Annotated[
    str | None,
    typer.Option(
        "--scheduled-at", metavar="WHEN", help=f"{_NEW_WHEN}; before its first attempt.", show_default=False
    ),
]
NewExpiresAt = Annotated[
    str | None,
    typer.Option("--expires-at", metavar="WHEN", help=f"{_NEW_WHEN}; before its first attempt.", show_default=False),
]
NewTimeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", metavar="SECONDS", help="One attempt may take so long, from the next one on.", show_default=False
    ),
]
NewQueueTimeout = Annotated[
    float | None, typer.Option("--queue-timeout", metavar="SECONDS", help="Counts at once.", show_default=False)
]
NewHeartbeatTimeout = Annotated[
    float | None,
    typer.Option("--heartbeat-timeout", metavar="SECONDS", help="From the next attempt on.", show_default=False),
]
NewTotalTimeout = Annotated[
    float | None, typer.Option("--total-timeout", metavar="SECONDS", help="Counts at once.", show_default=False)
]
