"""``taskengine run events`` and ``run graph``: what happened in a run, and what waits for what there."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli import whole_ids
from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.options import Limit
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.text import moment, plain, status
from taskengine.models import Event

app = typer.Typer()

#: Tasks in a picture; -o json has all.
_DRAWN = 500
Which = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="Its id, a beginning of it, or its name: the newest of that name.",
        callback=whole_ids.run_or_name, autocompletion=offers("runs"),
    ),
]
After = Annotated[int, typer.Option(min=0, metavar="SEQUENCE", help="Only what came behind this one.")]


@command(app, "taskengine run events nightly", "taskengine run events nightly --after 1000 -o json | jq '.[].what'")
def events(which: Which, after: After = 0, limit: Limit = 1000, output: OutputOption = None) -> None:
    """Tell what happened in a run, oldest first; each has a number, by which the next question goes on."""
    with asking() as api:
        found = api.get_events(which, after, limit)
    answer([_data(each) for each in found], _events(found) if found else nothing("no event is kept behind that"))


@command(app, "taskengine run graph nightly", "taskengine run graph nightly -o json | jq '.edges | length'")
def graph(which: Which, output: OutputOption = None) -> None:
    """Show the tasks of a run and what each of them waits for."""
    with asking() as api:
        found = api.get_dependency_graph(which)
    answer(found, _graph(found["nodes"], found["edges"]))


def _data(event: Event) -> dict[str, Any]:
    return {
        "sequence": event.sequence, "at": event.at.isoformat(), "what": event.what,
        "task_id": event.task_id and str(event.task_id), "note": event.note,
    }  # fmt: skip


def _events(events: Sequence[Event]) -> Table:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("No.", "When", "What", "Task", "Details"):
        shown.add_column(heading, overflow="fold", justify="right" if heading == "No." else "left")
    for each in events:
        shown.add_row(
            Text(str(each.sequence), style="dim"), Text(moment(each.at), style="dim"), Text(each.what, style="bold"),
            Text(str(each.task_id or "")), plain(each.note),
        )  # fmt: skip
    return shown


def _graph(nodes: Sequence[Any], edges: Sequence[Any]) -> RenderableType:
    """Names, how they stand, and the names of what they wait for."""
    names = {node["id"]: node["name"] for node in nodes}
    before: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        before[edge["target"]].append(names.get(edge["source"], edge["source"]))
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("ID", "Name", "Status", "Waits for"):
        shown.add_column(heading, overflow="fold", no_wrap=heading == "ID")
    for node in nodes[:_DRAWN]:
        shown.add_row(
            Text(node["id"]), plain(node["name"]), status(node["status"]), plain(", ".join(before[node["id"]]))
        )
    return Group(shown, *_rest(len(nodes)))


def _rest(count: int) -> Iterator[Text]:
    if count > _DRAWN:
        yield Text(f"and {count - _DRAWN} more; -o json has all", style="dim")
