"""``taskengine quarantine …``: messages that no worker could read."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli import completion
from taskengine.cli.guide import add
from taskengine.cli.output import OutputOption

quarantine = typer.Typer(no_args_is_help=True, help="Messages that no worker could read, kept apart with their reason.")


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.add_typer(quarantine, name="quarantine")
    add(quarantine, list_, "taskengine quarantine list", "taskengine quarantine list -o json", name="list")
    add(quarantine, show, "taskengine quarantine show ID", "taskengine quarantine show ID -o json | jq -r .raw")
    add(quarantine, drop, "taskengine quarantine drop ID", "taskengine quarantine drop --all")


Id = Annotated[
    str,
    typer.Argument(metavar="ID", help="What 'list' calls the message.", autocompletion=completion.quarantined_ids),
]
Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID…]", help="What 'list' calls the messages.", show_default=False,
        autocompletion=completion.quarantined_ids,
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every one that is there now.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)]
Cursor = Annotated[str | None, typer.Option(help="Where the last page ended.", show_default=False)]


def list_(limit: Limit = 50, cursor: Cursor = None, output: OutputOption = None) -> None:
    """List quarantined messages, newest first."""
    from taskengine.cli import quarantine

    quarantine.list_(limit=limit, cursor=cursor)


def show(id: Id, output: OutputOption = None) -> None:
    """Show a message, escaped: whatever a stranger sent, it is safe to look at."""
    from taskengine.cli import quarantine

    quarantine.show(id)


def drop(ids: Ids = None, all: All = False, output: OutputOption = None) -> None:
    """Forget messages. No task depends on them: a lost wake-up is sent anew."""
    from taskengine.cli import quarantine

    raise typer.Exit(quarantine.drop(ids, everything=all))
