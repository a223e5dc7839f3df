"""``taskengine pause``, ``resume`` and ``pauses``: hold back a capability, an agent, a run or everything."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli import whole_ids
from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.moments import coming
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.text import moment, plain
from taskengine.models import Pause

app = typer.Typer()

Capability = Annotated[
    str | None,
    typer.Option("--capability", "-C", help="Everything that asks for it.", autocompletion=offers("capabilities")),
]
Agent = Annotated[
    str | None, typer.Option(help="Everything that this agent would run.", autocompletion=offers("agents"))
]
Run = Annotated[
    str | None,
    typer.Option(metavar="ID", help="The tasks of one run.", callback=whole_ids.run, autocompletion=offers("run_ids")),
]
Everything = Annotated[bool, typer.Option("--everything", help="All tasks of this engine.")]
Reason = Annotated[str | None, typer.Option(help="Shown with every task that waits for it.", show_default=False)]
Until = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="Ends by itself: in 90s, 30m, 2h, 1d, or at a date with its time zone."),
]


@command(
    app,
    "taskengine pause --capability deploy --reason 'change freeze' --until 2h",
    "taskengine pause --run ID",
    "taskengine pause --everything             again: how many executions still run",
)
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
    then = None if until is None else coming(until, "--until")
    with asking() as api:
        made = api.pause(capability, agent, run, everything, reason, then)
    answer(made.model_dump(mode="json"), plain(f"paused: {made}; {_standing(made)}"))


@command(app, "taskengine resume --capability deploy", "taskengine resume --everything")
def resume(
    capability: Capability = None,
    agent: Agent = None,
    run: Run = None,
    everything: Everything = False,
    output: OutputOption = None,
) -> None:
    """End the pause of exactly that; exit code 1 when it was not paused. Other pauses go on to hold."""
    with asking() as api:
        done = api.resume(capability, agent, run, everything)
        left = api.list_pauses()
    others = f"; still paused: {', '.join(map(str, left))}" if left else ""
    data = {"resumed": done, "paused": [one.model_dump(mode="json") for one in left]}
    answer(data, plain(("resumed" if done else str(nothing("it was not paused"))) + others))
    raise typer.Exit(0 if done else 1)


@command(app, "taskengine pauses", "taskengine pauses -o json | jq '.[] | select(.state == \"draining\")'")
def pauses(output: OutputOption = None) -> None:
    """List what is paused: who, why, since when, until when, and what still runs."""
    with asking() as api:
        found = api.list_pauses()
    answer([one.model_dump(mode="json") for one in found], _table(found))


def _standing(pause: Pause) -> str:
    """``drained``, or what still runs."""
    return f"{pause.state}: {pause.running} still run" if pause.running else str(pause.state)


def _table(pauses: list[Pause]) -> RenderableType:
    if not pauses:
        return nothing("nothing is paused")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Paused", "By", "Since", "Until", "State", "Why"):
        table.add_column(heading, overflow="fold")
    for one in pauses:
        table.add_row(
            plain(f"{one.scope} {one.name or ''}".strip()),
            plain(one.by),
            Text(moment(one.since)),
            Text(moment(one.until)),
            Text(_standing(one), style="yellow" if one.running else "green"),
            plain(one.reason or ""),
        )
    return table
