"""``taskengine agents limits …``: what agents that share a credential may use together."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.text import plain
from taskengine.models.limit import LimitInfo

limits = typer.Typer(
    name="limits", no_args_is_help=True, help="What agents that share a credential may use together: set, list, remove."
)
#: As the other parts of ``agents``: it adds one noun, not its commands.
app = typer.Typer()
app.add_typer(limits)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the limit.", autocompletion=offers("limits"))]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="Its name: letters, digits, dots, dashes, underscores.")]
InFlight = Annotated[int | None, typer.Option(min=1, help="Executions at once.", show_default="no bound")]
Requests = Annotated[int | None, typer.Option(min=1, help="Requests a minute.", show_default="no bound")]
Input = Annotated[int | None, typer.Option(min=1, help="Input tokens a minute.", show_default="no bound")]
Output = Annotated[int | None, typer.Option(min=1, help="Output tokens a minute.", show_default="no bound")]
Day = Annotated[int | None, typer.Option(min=1, help="Tokens of all kinds a day, in UTC.", show_default="no bound")]


@command(
    limits, "taskengine agents limits list", "taskengine agents limits list -o json | jq '.[] | select(.closed)'",
    name="list",
)  # fmt: skip
def list_(output: OutputOption = None) -> None:
    """List all limits: their bounds, what is in flight, today's tokens, and why one lets nothing start now."""
    with asking() as api:
        found = api.list_limits()
    answer([_as_json(info) for info in found], _table(found))


@command(
    limits,
    "taskengine agents limits set anthropic-prod --in-flight 50 --requests-per-minute 1000",
    "taskengine agents limits set anthropic-prod --input-tokens-per-minute 400000 --tokens-per-day 50000000",
    name="set",
)
def set_(
    name: NewName,
    in_flight: InFlight = None,
    requests_per_minute: Requests = None,
    input_tokens_per_minute: Input = None,
    output_tokens_per_minute: Output = None,
    tokens_per_day: Day = None,
    output: OutputOption = None,
) -> None:
    """Set all bounds of a limit at once, for the whole fleet: one that is left out is none. What runs goes on."""
    with asking() as api:
        info = api.set_limit(
            name, in_flight=in_flight, requests_per_minute=requests_per_minute,
            input_tokens_per_minute=input_tokens_per_minute, output_tokens_per_minute=output_tokens_per_minute,
            tokens_per_day=tokens_per_day,
        )  # fmt: skip
    shared = "" if info.agents else f"; no agent shares it yet: taskengine agents update ID --limit {name}"
    answer(_as_json(info), plain(f"{name}: {_bounds(info)}{shared}"))


@command(limits, "taskengine agents limits remove anthropic-prod")
def remove(name: Name, output: OutputOption = None) -> None:
    """Forget a limit; refused while agents name it, or executions count against it."""
    with asking() as api:
        api.remove_limit(name)
    answer({"name": name, "removed": True}, plain(f"{name} is no limit any more"))


def _as_json(info: LimitInfo) -> dict[str, Any]:
    found = info.model_dump(mode="json")
    bounds = found.pop("limit")
    return {"name": bounds.pop("name"), "bounds": bounds, **found}


def _bounds(info: LimitInfo) -> str:
    bounds = info.limit.model_dump(exclude={"name"}, exclude_none=True)
    return ", ".join(f"{bound.replace('_', ' ')} {value}" for bound, value in bounds.items())


def _table(found: Sequence[LimitInfo]) -> RenderableType:
    if not found:
        return nothing("there is no limit; set one: taskengine agents limits set NAME --in-flight N")
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Limit", "Bounds", "Agents", "In flight", "Tokens today", "Now"):
        shown.add_column(heading, overflow="fold")
    for info in found:
        most = f" of {info.limit.in_flight}" if info.limit.in_flight else ""
        now = Text("full", style="yellow") if info.closed else Text("open", style="green")
        if info.closed:
            now = Text.assemble(now, plain(f": {info.reason}"))
        shown.add_row(
            plain(info.limit.name), plain(_bounds(info)), str(info.agents), f"{info.in_flight}{most}",
            str(info.tokens_today), now,
        )  # fmt: skip
    return shown
