"""``taskengine doctor``: examines everything, starts and changes nothing, and says what to do.

One module for each part of the body; each yields findings. A part that cannot be asked is itself a
finding, and the others are still examined.
"""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from taskengine.cli.doctor import alike, fleet, machine, messages, remote, server
from taskengine.cli.doctor import deep as everything_stored
from taskengine.cli.doctor.finding import Finding, Level, wrong
from taskengine.cli.guide import command
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import here
from taskengine.cli.text import plain
from taskengine.errors import StoreError
from taskengine.settings import Settings
from taskengine.store import nodes
from taskengine.store.sync import SyncStore
from taskengine.transport import template

__all__ = ["app", "findings", "shown"]

app = typer.Typer()

_STYLES = {Level.OK: "green", Level.NOTICE: "yellow", Level.WRONG: "bold red"}


@command(
    app,
    "taskengine doctor",
    "taskengine doctor --deep           read every task and check what must always hold",
    "taskengine doctor -o json | jq '.findings[] | select(.level == \"wrong\")'",
)
def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Check the invariants of everything stored.")] = False,
    output: OutputOption = None,
) -> None:
    """Examine server, coordinator, workers and stored state, and say what to do.

    Starts nothing and changes nothing. The exit code is 1 when something is wrong.
    """
    found = list(findings(here(), deep=deep))
    healthy = all(one.level is not Level.WRONG for one in found)
    answer({"healthy": healthy, "findings": [one.as_json() for one in found]}, shown(found))
    raise typer.Exit(0 if healthy else 1)


def findings(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Yield what is found, part by part; StoreError never: a server that does not answer is a finding."""
    yield from machine.examine()
    if settings.url is not None:
        yield from remote.examine(settings, deep=deep)
        return
    url, known = server.address(settings)
    yield from known
    if url is None:
        return
    store = SyncStore(url, settings, template())
    try:
        if not (yield from server.examine(store)):
            return
        seen = store.run(nodes.fleet())
        yield from fleet.examine(seen)
        yield from alike.examine(store, seen)
        yield from messages.examine(store)
        if deep:
            yield from everything_stored.examine(store)
    except StoreError as exc:
        yield wrong("server", str(exc), "start it, or correct TASKENGINE_REDIS_URL")
    finally:
        store.close()


def shown(findings: Sequence[Finding]) -> Group:
    """Findings in rows, and how many are bad."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(style="bold", overflow="fold")
    table.add_column(overflow="fold")
    for found in findings:
        says = plain(found.says)
        if found.do:
            says.append(f"\n→ {found.do}", style="cyan")
        table.add_row(Text(found.level.value, style=_STYLES[found.level]), plain(found.about), says)
    counts = [sum(found.level is level for found in findings) for level in (Level.WRONG, Level.NOTICE)]
    end = (
        Text("All is well.", style="bold green")
        if not any(counts)
        else Text(f"{counts[0]} wrong, {counts[1]} to look at")
    )
    return Group(table, "", end)
