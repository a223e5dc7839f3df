"""``taskengine pause``, ``resume`` and ``pauses``: from words to the API, and back to words."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli.moments import coming
from taskengine.cli.output import answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.task_view import moment, plain
from taskengine.models import Pause


def pause(*, reason: str | None, until: str | None, **scope: Any) -> None:
    """Pause a scope and say how it stands."""
    with asking() as api:
        made = api.pause(**scope, reason=reason, until=None if until is None else coming(until, "--until"))
    answer(made.model_dump(mode="json"), plain(f"paused: {made}; {standing(made)}"))


def resume(**scope: Any) -> int:
    """Resume a scope; 1 if it was not paused."""
    with asking() as api:
        done = api.resume(**scope)
        left = api.list_pauses()
    others = f"; still paused: {', '.join(map(str, left))}" if left else ""
    data = {"resumed": done, "paused": [one.model_dump(mode="json") for one in left]}
    answer(data, plain(("resumed" if done else str(nothing("it was not paused"))) + others))
    return 0 if done else 1


def show() -> None:
    """List what is paused."""
    with asking() as api:
        found = api.list_pauses()
    answer([one.model_dump(mode="json") for one in found], _table(found))


def standing(pause: Pause) -> str:
    """``drained``, or what still runs."""
    return f"{pause.state}: {pause.running} still run" if pause.running else str(pause.state)


def _table(pauses: list[Pause]) -> RenderableType:
    if not pauses:
        return nothing("nothing is paused")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Paused", "By", "Since", "Until", "State", "Why"):
        table.add_column(heading, overflow="fold")
    for one in pauses:
        table.add_row(
            plain(f"{one.scope} {one.name or ''}".strip()),
            plain(one.by),
            Text(moment(one.since)),
            Text(moment(one.until)),
            Text(standing(one), style="yellow" if one.running else "green"),
            plain(one.reason or ""),
        )
    return table
