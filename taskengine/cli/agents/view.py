"""Agents as a terminal shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli.place import nothing
from taskengine.cli.text import first_line, json_text, moment, plain
from taskengine.models import AgentStatus
from taskengine.models.agent import AgentInfo, AgentRecord

_STYLES = {
    AgentStatus.ONLINE: "green", AgentStatus.BUSY: "bold blue", AgentStatus.PAUSED: "yellow",
    AgentStatus.DRAINING: "yellow", AgentStatus.OFFLINE: "bold red",
}  # fmt: skip


def as_json(info: AgentInfo) -> dict[str, Any]:
    """Return an agent for programs: its record's fields beside what it is doing."""
    found = info.model_dump(mode="json")
    record = found.pop("record")
    record["capabilities"] = sorted(record["capabilities"])
    return {**record, **found}


def status(info: AgentInfo) -> Text:
    """Return what it is doing, in its colour."""
    return Text(str(info.status), style=_STYLES[info.status])


def line(info: AgentInfo) -> Text:
    """Return an agent in one line."""
    since = f" since {moment(info.since)}" if info.since else ""
    return Text.assemble(plain(info.record.id), ": ", status(info), plain(f"{since}: {info.reason}"))


def table(found: Sequence[AgentInfo]) -> RenderableType:
    """Return a table of agents."""
    if not found:
        return nothing("no agent is registered; register one: taskengine agents register ID TYPE CAPABILITY")
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Agent", "Type", "Status", "Running", "Slots", "Capabilities", "Why"):
        shown.add_column(heading, overflow="fold")
    for info in found:
        record = info.record
        most = f" of {record.max_concurrency}" if record.max_concurrency else ""
        shown.add_row(
            plain(record.id), plain(record.type), status(info), f"{info.running}{most}", str(info.slots),
            plain(", ".join(sorted(record.capabilities))), plain(first_line(info.reason)),
        )  # fmt: skip
    return shown


def picture(info: AgentInfo) -> RenderableType:
    """Return all that is known of an agent."""
    shown = Table.grid(padding=(0, 2))
    shown.add_column(style="bold")
    shown.add_column(overflow="fold")
    for name, text in _rows(info):
        shown.add_row(name, text)
    parts: list[RenderableType] = [line(info), "", shown]
    if info.record.config:
        parts += ["", Text("Config", style="bold"), json_text(info.record.config)]
    return Group(*parts)


def _rows(info: AgentInfo) -> list[tuple[str, Text]]:
    record = info.record
    rows = [
        ("Type", record.type),
        ("Capabilities", ", ".join(sorted(record.capabilities))),
        ("Description", record.description),
        ("Running", f"{info.running}" + (f" of {record.max_concurrency} at most" if record.max_concurrency else "")),
        ("Workers", ", ".join(info.workers) or "none"),
        ("Start again", ", ".join(info.outdated)),
        ("Slots", str(info.slots)),
        ("Last seen", moment(info.seen_at)),
        ("Paused", str(info.pause or "")),
        ("Drained by", record.draining or ""),
        ("Until", moment(info.until)),
        *fields_of(record),
        ("Used", info.used),
        ("Made by", "code that a worker imported" if record.origin == "code" else "register_agent"),
        ("Revision", f"{record.revision} of {moment(record.updated_at)}, known since {moment(record.created_at)}"),
    ]
    return [(name, plain(text)) for name, text in rows if text]


def fields_of(record: AgentRecord) -> list[tuple[str, str]]:
    """Return what is told of a record, where it is not the default."""
    drain = "" if record.drain_seconds is None else f"{record.drain_seconds:g} s"
    return [
        ("Executor", record.executor or ""),
        ("Limits", ", ".join(record.limits)),
        ("Reserves", ", ".join(f"{name}={share:g}" for name, share in sorted(record.resources.items()))),
        ("Secret", record.secret or ""),
        (
            "Preference",
            "" if record.preference == AgentRecord.model_fields["preference"].default else str(record.preference),
        ),
        ("Drains in", drain),
    ]
