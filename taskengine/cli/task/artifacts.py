"""``taskengine task artifacts``: what executions left beside their results."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from taskengine.cli.guide import command
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.task.options import Id
from taskengine.cli.text import moment, plain
from taskengine.models import Artifact

app = typer.Typer()


@command(
    app,
    "taskengine task artifacts ID",
    "taskengine task artifacts ID --get fix.diff > fix.diff",
)
def artifacts(
    id: Id,
    get: Annotated[
        str | None,
        typer.Option("--get", metavar="NAME", help="Write this one to standard output.", show_default=False),
    ] = None,
    output: OutputOption = None,
) -> None:
    """List the files, diffs and transcripts that a task's executions left, or write one out."""
    if get is not None:
        with asking() as api:
            body = api.get_artifact(id, get)
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    with asking() as api:
        found = api.list_artifacts(id)
    answer([one.model_dump(mode="json") for one in found], _table(found) if found else nothing("no artifact of it"))


def _table(artifacts: Sequence[Artifact]) -> Table:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Name", "Kind", "Bytes", "When", "Execution"):
        shown.add_column(heading, overflow="fold", justify="right" if heading == "Bytes" else "left")
    for one in artifacts:
        size = f"{one.size:,}" + (" (middle left out)" if one.is_cut else "")
        shown.add_row(
            plain(one.name), Text(one.kind.value), Text(size), Text(moment(one.created_at)), Text(str(one.execution_id))
        )
    return shown
