"""Options of ``taskengine task submit`` that say when and on what a task starts, and how long it may take."""

from __future__ import annotations

from typing import Annotated

import typer

_WHEN = "in 90s, 30m, 2h or 1d, or a time such as 2030-01-31T12:00:00Z"

TriggerRule = Annotated[
    str | None,
    typer.Option(
        "--trigger-rule",
        metavar="RULE",
        help="When it starts: all_success, all_done, all_failed, one_success, one_failed, none_failed, "
        "none_failed_min_one_success or always.",
        show_default="all_success",
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
MaxSeconds = Annotated[
    float | None,
    typer.Option(
        "--max-seconds",
        "--attempt-timeout",
        help="One attempt may take so long.",
        show_default="TASKENGINE_DEFAULT_TIMEOUT",
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
