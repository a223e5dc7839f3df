"""``taskengine quarantine …``: messages that no worker could read."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.options import Cursor, Limit
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.text import moment, plain
from taskengine.models import QuarantinedMessage, QuarantinePage

app = typer.Typer(
    name="quarantine", no_args_is_help=True, help="Messages that no worker could read, kept apart with their reason."
)

#: Bytes of a message shown in the list and alone.
_BRIEF, _WHOLE = 60, 4000
Id = Annotated[
    str,
    typer.Argument(metavar="ID", help="What 'list' calls the message.", autocompletion=offers("quarantined_ids")),
]
Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID…]", help="What 'list' calls the messages.", show_default=False,
        autocompletion=offers("quarantined_ids"),
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every one that is there now.")]


@command(app, "taskengine quarantine list", "taskengine quarantine list -o json", name="list")
def list_(limit: Limit = 50, cursor: Cursor = None, output: OutputOption = None) -> None:
    """List quarantined messages, newest first."""
    with asking() as api:
        page = api.list_quarantined(limit, cursor)
    # The messages themselves are for people, and cut.
    found = [{**one.model_dump(mode="json", exclude={"raw"}), "view": one.view(_BRIEF)} for one in page]
    answer({"messages": found, "cursor": page.cursor}, _table(page))


@command(app, "taskengine quarantine show ID", "taskengine quarantine show ID -o json | jq -r .raw")
def show(id: Id, output: OutputOption = None) -> None:
    """Show a message, escaped: whatever a stranger sent, it is safe to look at."""
    with asking() as api:
        found = api.get_quarantined(id)
    data: dict[str, Any] = {**found.model_dump(mode="json"), "view": found.view(_WHOLE)}
    answer(data, _whole(found))


@command(app, "taskengine quarantine drop ID", "taskengine quarantine drop --all")
def drop(ids: Ids = None, all: All = False, output: OutputOption = None) -> None:
    """Forget messages. No task depends on them: a lost wake-up is sent anew."""
    with asking() as api:
        count = api.drop_quarantined(ids or None, all)
    told = f"{count} message{'s' if count != 1 else ''} dropped"
    answer({"dropped": count}, told if count else nothing(told))
    raise typer.Exit(0 if count else 1)


def _table(page: QuarantinePage) -> RenderableType:
    if not page:
        return nothing("no message in quarantine")
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("ID", no_wrap=True)
    for heading in ("When", "Queue", "Bytes", "Reason", "Begins"):
        found.add_column(heading, overflow="fold", justify="right" if heading == "Bytes" else "left")
    for one in page:
        found.add_row(
            Text(one.id), Text(moment(one.at)), plain(one.queue), str(one.size), plain(one.reason),
            Text(one.view(_BRIEF), style="dim"),
        )  # fmt: skip
    return Group(found, Text(f"more: --cursor {page.cursor}", style="dim")) if page.cursor else found


def _whole(found: QuarantinedMessage) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in (
        ("id", found.id), ("when", moment(found.at)), ("queue", found.queue), ("bytes", str(found.size)),
        ("reason", found.reason), ("message", found.view(_WHOLE)),
    ):  # fmt: skip
        facts.add_row(name, plain(value))
    return facts
