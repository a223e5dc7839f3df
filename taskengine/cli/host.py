"""Machines on a screen: what each has, and what of it is reserved."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table

from taskengine.cli.text import plain
from taskengine.models.host import HostInfo


def hosts_picture(hosts: Sequence[HostInfo]) -> RenderableType:
    """Return a table of hosts, one row each."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Host", "Workers", "Executions", "Reserved"):
        table.add_column(heading, overflow="fold")
    for host in hosts:
        kept = f"; kept free for {host.kept_for}" if host.kept_for else ""
        row = (host.name, str(host.workers), str(host.executions), _reserved(host) + kept)
        table.add_row(*map(plain, row))
    return table


def most_reserved_first(host: HostInfo) -> tuple[int, str]:
    """Order hosts by how much runs there that reserves something."""
    return -host.executions, host.name


def _reserved(host: HostInfo) -> str:
    """Return ``2 of 16 cpu_cores, …``, also of what is reserved and is not there any more."""
    names = sorted(host.total.keys() | host.reserved.keys())
    return ", ".join(f"{host.reserved.get(name, 0):g} of {host.total.get(name, 0):g} {name}" for name in names)

