"""``taskengine agents usage``: requests and tokens by agent, model or day."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from taskengine.cli.guide import command
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.text import plain
from taskengine.models.usage import AgentUsage

app = typer.Typer()


class By(StrEnum):
    """What a row is of."""

    AGENT = "agent"
    MODEL = "model"
    DAY = "day"


_NUMBERS = ("requests", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "tokens")


@command(
    app,
    "taskengine agents usage",
    "taskengine agents usage --by model --days 7",
    "taskengine agents usage --by day -o json | jq '.[-1].tokens'",
)
def usage(
    by: Annotated[By, typer.Option(help="What a row is of.")] = By.AGENT,
    days: Annotated[int, typer.Option(help="So many days, today included (UTC).")] = 30,
    output: OutputOption = None,
) -> None:
    """Show the requests and tokens that agents used, each execution counted once."""
    with asking() as api:
        found = api.get_agent_usage(by.value, days)
    data = [one.model_dump(mode="json", exclude_none=True) for one in found]
    answer(data, _table(by, found) if found else nothing(f"nothing was used in {days} days"))


def _table(by: By, rows: Sequence[AgentUsage]) -> Table:
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column(by.value.capitalize(), overflow="fold")
    for name in _NUMBERS:
        shown.add_column(name.removesuffix("_tokens").replace("_", " ").capitalize(), justify="right")
    for row in rows:
        shown.add_row(plain(str(getattr(row, by.value))), *(Text(f"{getattr(row, name):,}") for name in _NUMBERS))
    return shown
