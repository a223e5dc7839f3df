"""Messages that nobody could read, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli.output import answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.task_view import moment, plain
from taskengine.models import QuarantinedMessage, QuarantinePage

#: Bytes of a message shown in the list and alone.
_BRIEF, _WHOLE = 60, 4000


def list_(*, limit: int, cursor: str | None) -> None:
    """List one page; the messages themselves only for people, and cut."""
    with asking() as api:
        page = api.list_quarantined(limit, cursor)
    found = [{**one.model_dump(mode="json", exclude={"raw"}), "view": one.view(_BRIEF)} for one in page]
    answer({"messages": found, "cursor": page.cursor}, _table(page))


def show(id: str) -> None:
    """Show one."""
    with asking() as api:
        found = api.get_quarantined(id)
    data: dict[str, Any] = {**found.model_dump(mode="json"), "view": found.view(_WHOLE)}
    answer(data, _whole(found))


def drop(ids: Sequence[str] | None, *, everything: bool) -> int:
    """Forget some; 1 if there was none."""
    with asking() as api:
        count = api.drop_quarantined(ids or None, everything)
    told = f"{count} message{'s' if count != 1 else ''} dropped"
    answer({"dropped": count}, told if count else nothing(told))
    return 0 if count else 1


def _table(page: QuarantinePage) -> RenderableType:
    if not page:
        return nothing("no message in quarantine")
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("ID", no_wrap=True)
    for heading in ("When", "Queue", "Bytes", "Reason", "Begins"):
        found.add_column(heading, overflow="fold", justify="right" if heading == "Bytes" else "left")
    for one in page:
        found.add_row(
            Text(one.id), Text(moment(one.at)), plain(one.queue), str(one.size), plain(one.reason),
            Text(one.view(_BRIEF), style="dim"),
        )  # fmt: skip
    return Group(found, Text(f"more: --cursor {page.cursor}", style="dim")) if page.cursor else found


def _whole(found: QuarantinedMessage) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in (
        ("id", found.id), ("when", moment(found.at)), ("queue", found.queue), ("bytes", str(found.size)),
        ("reason", found.reason), ("message", found.view(_WHOLE)),
    ):  # fmt: skip
        facts.add_row(name, plain(value))
    return facts
