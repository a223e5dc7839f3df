"""Options of the commands for agents."""

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli.lazy import offers

Id = Annotated[str, typer.Argument(metavar="ID", help="Name of the agent.", autocompletion=offers("agents"))]
NewId = Annotated[str, typer.Argument(metavar="ID", help="Name of the agent: letters, digits, dots, dashes, colons.")]
Type = Annotated[
    str,
    typer.Argument(
        metavar="TYPE",
        help="function, claude, codegen, command, http, or one of a package.",
        autocompletion=offers("agent_types"),
    ),
]
Able = Annotated[
    list[str],
    typer.Argument(
        metavar="CAPABILITIES", help="What it can do; several with spaces.", autocompletion=offers("capabilities")
    ),
]
Capability = Annotated[
    list[str] | None,
    typer.Option(
        "--capability", "-C", help="All that it can do; again for each.", autocompletion=offers("capabilities")
    ),
]
Executor = Annotated[
    str | None,
    typer.Option(metavar="MODULE:NAME", help="The function that runs its tasks, when the type does not say."),
]
MaxConcurrency = Annotated[int | None, typer.Option(min=1, help="Executions at once on all its workers together.")]
Resource = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=NUMBER", help="What each execution reserves: memory_gb=2; again for each."),
]
Limit = Annotated[list[str] | None, typer.Option(metavar="NAME", help="A limit that it shares; again for each.")]
Secret = Annotated[
    str | None, typer.Option(metavar="NAME", help="Name of its credential, never the value: ANTHROPIC_API_KEY.")
]
Config = Annotated[str | None, typer.Option(metavar="JSON", help="What its type knows; @FILE reads it, - takes stdin.")]
Preference = Annotated[int | None, typer.Option(min=0, max=9, help="Lower is asked first.", show_default="5")]
DrainSeconds = Annotated[
    float | None,
    typer.Option(min=0, help="What its executions may take when a worker stops.", show_default="the worker's own"),
]
Description = Annotated[str | None, typer.Option(help="For people.", show_default=False)]
IfRevision = Annotated[int | None, typer.Option(min=1, help="Only if nobody changed it since that revision.")]
Unset = Annotated[
    list[str] | None, typer.Option(metavar="FIELD", help="Back to its default: max_concurrency; again for each.")
]
Reason = Annotated[str | None, typer.Option(help="Kept with it, and shown.", show_default=False)]
Until = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="Ends by itself: in 90s, 30m, 2h, 1d, or at a date with its time zone."),
]
Imports = Annotated[
    list[str] | None,
    typer.Option("--import", "-I", metavar="MODULE", help="Module with its function; several with commas, or again."),
]
