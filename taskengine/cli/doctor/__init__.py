"""``taskengine doctor``: examines everything, starts and changes nothing, and says what to do.

What the store knows is examined by the operation behind ``TaskAPI.examine``, here or where the server of REST is.
What only this machine can tell is examined here: a module for each, which yields findings.
"""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from taskengine.cli.doctor import machine, remote
from taskengine.cli.doctor.embedded import address
from taskengine.cli.guide import command
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import CommandLine, here, place
from taskengine.cli.text import plain
from taskengine.models.finding import Finding, FindingLevel
from taskengine.settings import Settings
from taskengine.store.sync import SyncStore

__all__ = ["app", "findings", "shown"]

app = typer.Typer()

_STYLES = {FindingLevel.OK: "green", FindingLevel.NOTICE: "yellow", FindingLevel.WRONG: "bold red"}


@command(
    app,
    "taskengine doctor",
    "taskengine doctor --deep           read every task and check what must always hold",
    "taskengine --url https://tasks.example.org doctor",
    "taskengine doctor -o json | jq '.findings[] | select(.level == \"wrong\")'",
)
def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Check the invariants of everything stored.")] = False,
    output: OutputOption = None,
) -> None:
    """Examine server, coordinator, workers and stored state, and say what to do.

    Starts nothing and changes nothing. The exit code is 1 when something is wrong. With --url the server examines what
    it serves; --deep wants a key with the scope admin there.
    """
    found = list(findings(here(), deep=deep))
    healthy = all(one.level is not FindingLevel.WRONG for one in found)
    told = [one.model_dump(mode="json") for one in found]
    answer({"healthy": healthy, "server": place(), "findings": told}, Group(plain(place()), "", shown(found)))
    raise typer.Exit(0 if healthy else 1)


def findings(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Yield what is found, part by part; StoreError never: a server that does not answer is a finding."""
    yield from machine.examine()
    if settings.url is not None:
        yield from remote.examine(settings, deep=deep)
        return
    url, known = address(settings)
    yield from known
    if url is None:
        return
    with AnyStore(settings=settings.model_copy(update={"redis_url": url})) as api:
        yield from api.examine(deep)


class AnyStore(CommandLine):
    """A client that also asks a server which others refuse, as it is the one to say what is wrong there."""

    def _connect(self) -> SyncStore:
        return SyncStore(self._address(), self.settings, self._envelope)


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
    counts = [sum(found.level is level for found in findings) for level in (FindingLevel.WRONG, FindingLevel.NOTICE)]
    end = (
        Text("All is well.", style="bold green")
        if not any(counts)
        else Text(f"{counts[0]} wrong, {counts[1]} to look at")
    )
    return Group(table, "", end)
