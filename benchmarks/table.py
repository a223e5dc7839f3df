"""The figures as a table for people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure, rounded

_MET = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}


def show(figures: Iterable[Figure]) -> None:
    """Print them, also those that were measured before one failed."""
    table = Table("figure", "value", "unit", "peer", "beside", "ratio", "must", "met")
    try:
        for figure in figures:
            beside = str(figure.config.get("peer", ""))
            numbers = [_text(figure.value), figure.unit, _text(figure.peer), beside, _text(figure.ratio)]
            table.add_row(figure.name, *numbers, str(figure.must or ""), _MET[figure.met])
    finally:
        Console(width=150).print(table)


def _text(number: float | None) -> str:
    return "" if number is None else f"{rounded(number):,}"
