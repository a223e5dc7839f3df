"""``taskengine doctor``: examines everything, starts and changes nothing, and says what to do.

One module for each part of the body; each yields findings. A part that can not be asked is itself a
finding, and the others are still examined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from taskengine.cli.doctor import fleet, machine, messages, server
from taskengine.cli.doctor.finding import Finding, Level, wrong
from taskengine.cli.output import answer
from taskengine.cli.task_view import plain
from taskengine.errors import StoreError
from taskengine.settings import Settings, current
from taskengine.store import nodes
from taskengine.store.sync import SyncStore
from taskengine.transport import template

__all__ = ["doctor", "findings", "shown"]

_STYLES = {Level.OK: "green", Level.NOTICE: "yellow", Level.WRONG: "bold red"}


def doctor(*, deep: bool) -> int:
    """Examine, and show what was found; 1 if something is wrong."""
    found = list(findings(current(), deep=deep))
    healthy = all(one.level is not Level.WRONG for one in found)
    answer({"healthy": healthy, "findings": [one.as_json() for one in found]}, shown(found))
    return 0 if healthy else 1


def findings(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """What is found, part by part; StoreError never: a server that does not answer is a finding."""
    yield from machine.examine()
    url, known = server.address(settings)
    yield from known
    if url is None:
        return
    store = SyncStore(url, settings, template())
    try:
        if not (yield from server.examine(store)):
            return
        yield from fleet.examine(store.run(nodes.fleet()))
        yield from messages.examine(store)
        if deep:
            from taskengine.cli.doctor import deep as deep_check

            yield from deep_check.examine(store)
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
