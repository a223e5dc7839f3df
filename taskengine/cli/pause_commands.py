"""``taskengine pause``, ``resume`` and ``pauses``: hold back a capability, an agent, a run or everything."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli import completion, whole_ids
from taskengine.cli.guide import add
from taskengine.cli.output import OutputOption


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    add(
        app,
        pause,
        "taskengine pause --capability deploy --reason 'change freeze' --until 2h",
        "taskengine pause --run ID",
        "taskengine pause --everything             again: how many executions still run",
    )
    add(app, resume, "taskengine resume --capability deploy", "taskengine resume --everything")
    add(app, pauses, "taskengine pauses", "taskengine pauses -o json | jq '.[] | select(.state == \"draining\")'")


Capability = Annotated[
    str | None,
    typer.Option("--capability", "-C", help="Everything that asks for it.", autocompletion=completion.capabilities),
]
Agent = Annotated[
    str | None, typer.Option(help="Everything that this agent would run.", autocompletion=completion.agents)
]
Run = Annotated[
    str | None,
    typer.Option(metavar="ID", help="The tasks of one run.", callback=whole_ids.run, autocompletion=completion.run_ids),
]
Everything = Annotated[bool, typer.Option("--everything", help="All tasks of this engine.")]
Reason = Annotated[str | None, typer.Option(help="Shown with every task that waits for it.", show_default=False)]
Until = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="Ends by itself: in 90s, 30m, 2h, 1d, or at a date with its time zone."),
]


def pause(
    capability: Capability = None,
    agent: Agent = None,
    run: Run = None,
    everything: Everything = False,
    reason: Reason = None,
    until: Until = None,
    output: OutputOption = None,
) -> None:
    """Let nothing of it start any more; what runs goes on.

    Says whether it is drained, or how many executions still run; asking again counts anew. Timers stand still.
    """
    from taskengine.cli import pauses

    pauses.pause(
        capability=capability, agent_id=agent, run_id=run, everything=everything, reason=reason, until=until
    )


def resume(
    capability: Capability = None,
    agent: Agent = None,
    run: Run = None,
    everything: Everything = False,
    output: OutputOption = None,
) -> None:
    """End the pause of exactly that; exit code 1 when it was not paused. Other pauses go on to hold."""
    from taskengine.cli import pauses

    raise typer.Exit(
        pauses.resume(capability=capability, agent_id=agent, run_id=run, everything=everything)
    )


def pauses(output: OutputOption = None) -> None:
    """List what is paused: who, why, since when, until when, and what still runs."""
    from taskengine.cli import pauses

    pauses.show()
