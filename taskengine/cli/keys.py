"""``taskengine keys``: who may ask the server of REST for what."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.api.operations.keys import id_of
from taskengine.cli.guide import command
from taskengine.cli.moments import coming
from taskengine.cli.output import OutputOption, answer, console, wants_json
from taskengine.cli.place import asking, nothing
from taskengine.cli.text import moment, plain
from taskengine.errors import NotFoundError
from taskengine.models.enums import KeyScope
from taskengine.models.key import ApiKey

app = typer.Typer(name="keys", no_args_is_help=True, help="Keys for the server of REST: make, list and revoke them.")


Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose it is: what is done with it stands under this name.")]
Id = Annotated[str, typer.Argument(metavar="KEY", help="The key's id, as 'keys list' shows it, or the whole key.")]
Scope = Annotated[
    KeyScope,
    typer.Option(help="read asks, submit stores work, operate steers it, admin changes agents, limits and keys."),
]
Expires = Annotated[
    str | None, typer.Option(metavar="WHEN", help="In 12h, 90d, or at a date with its time zone.", show_default="never")
]
Rate = Annotated[int, typer.Option(min=0, metavar="N", help="Requests a minute; 0: any number.")]


@command(
    app,
    "taskengine keys create ci --scope submit --expires 90d",
    "taskengine keys create grafana --rate 120",
    "KEY=$(taskengine -o json keys create bot --scope operate | jq -r .key)",
)
def create(
    name: Name, scope: Scope = KeyScope.READ, expires: Expires = None, rate: Rate = 0, output: OutputOption = None
) -> None:
    """Make a key and show it, this once: nobody can show it again."""
    ends = None if expires is None else coming(expires, "--expires")
    with asking() as api:
        made = api.create_key(name, scope=scope, expires_at=ends, rate=rate)
    answer(made.model_dump(mode="json"), plain(made.key))
    if not wants_json():
        until = f", and valid until {moment(made.expires_at)}" if made.expires_at else ""
        console(stderr=True).print(f"send it as Authorization: Bearer KEY; it is shown only now{until}", style="dim")


@command(app, "taskengine keys list", "taskengine keys list -o json | jq '.[] | select(.used_at == null)'", name="list")
def list_(output: OutputOption = None) -> None:
    """List the keys: whose, what each may do, until when, when it was used. Their secrets are stored nowhere."""
    with asking() as api:
        found = api.list_keys()
    answer([each.model_dump(mode="json") for each in found], _table(found))


@command(app, "taskengine keys revoke 3f9a1c20b7de")
def revoke(id: Id, output: OutputOption = None) -> None:
    """Forget a key: from the next request on it lets nobody in, on no server."""
    with asking() as api:
        if not api.revoke_key(name := id_of(id)):  # who mistyped one must not believe that it is gone
            raise NotFoundError("key", name, says=f"there is no key {name!r}; taskengine keys list shows their ids")
    answer({"revoked": True}, plain("revoked"))


def _end(key: ApiKey) -> str:
    if key.expires_at is None:
        return "never"
    return moment(key.expires_at) + (" (a server renews it)" if key.is_local else "")


def _table(keys: list[ApiKey]) -> RenderableType:
    if not keys:
        return nothing("there are no keys")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Id", "Name", "Scope", "Made", "Expires", "A minute", "Used"):
        table.add_column(heading, overflow="fold")
    now = datetime.now(UTC)
    for key in keys:
        is_over = key.expires_at is not None and key.expires_at <= now
        table.add_row(
            key.id,
            plain(key.name),
            key.scope.value,
            Text(moment(key.created_at)),
            Text(_end(key), style="red" if is_over else ""),
            str(key.rate or "any"),
            Text(moment(key.used_at) if key.used_at else "never"),
        )
    return table
