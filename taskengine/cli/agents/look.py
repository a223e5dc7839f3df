"""``taskengine agents list`` and ``show``."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli.agents.options import Id
from taskengine.cli.agents.view import as_json, picture, table
from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking
from taskengine.models import AgentStatus

app = typer.Typer()

Status = Annotated[AgentStatus | None, typer.Option(help="Only those.")]
Capability = Annotated[
    str | None,
    typer.Option("--capability", "-C", help="Only those that can do it.", autocompletion=offers("capabilities")),
]


@command(
    app,
    "taskengine agents list",
    "taskengine agents list --status offline --capability code_review",
    "taskengine agents list -o json | jq -r '.[] | select(.status == \"offline\") | .id'",
    name="list",
)
def list_(status: Status = None, capability: Capability = None, output: OutputOption = None) -> None:
    """List the agents that are registered, or that workers import: what each is doing and why."""
    with asking() as api:
        found = api.list_agents(status, capability)
    answer([as_json(info) for info in found], table(found))


@command(app, "taskengine agents show claude_agent_1", "taskengine agents show claude_agent_1 -o json | jq .config")
def show(id: Id, output: OutputOption = None) -> None:
    """Show an agent: its record, what it is doing, who serves it."""
    with asking() as api:
        info = api.get_agent(id)
    answer(as_json(info), picture(info))
