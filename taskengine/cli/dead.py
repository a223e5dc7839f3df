"""Dead letters, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli.moments import past
from taskengine.cli.output import answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.task_view import as_json, executions_table, first_line, moment, plain, whole
from taskengine.models import DeadLetter, DeadLetterPage


def list_(*, capability: str | None, since: str | None, limit: int, cursor: str | None) -> None:
    """List one page."""
    from_then = None if since is None else past(since, "--since")
    with asking() as api:
        page = api.list_dead_letters(capability, from_then, limit, cursor)
    found = [{"at": letter.at.isoformat(), "task": as_json(letter.task)} for letter in page]
    answer({"dead_letters": found, "cursor": page.cursor}, _table(page))


def show(id: str) -> None:
    """Tell the story of one."""
    with asking() as api:
        letter = api.get_dead_letter(id)
    answer({**letter.model_dump(mode="json"), "task": as_json(letter.task)}, _story(letter))


def requeue(ids: Sequence[str] | None, *, capability: str | None, since: str | None, everything: bool) -> int:
    """Give some another life; 1 if there was none."""
    with asking() as api:
        done = api.requeue_dead_letters(**_chosen(ids, capability, since, everything))
    answer({"requeued": [str(id) for id in done]}, _told("requeued", done))
    return 0 if done else 1


def drop(ids: Sequence[str] | None, *, capability: str | None, since: str | None, everything: bool) -> int:
    """Strike some off the list; 1 if there was none."""
    with asking() as api:
        done = api.drop_dead_letters(**_chosen(ids, capability, since, everything))
    answer({"dropped": [str(id) for id in done]}, _told("dropped", done))
    return 0 if done else 1


def _chosen(ids: Sequence[str] | None, capability: str | None, since: str | None, everything: bool) -> dict[str, Any]:
    return {
        "task_ids": ids or None,
        "capability": capability,
        "since": None if since is None else past(since, "--since"),
        "everything": everything,
    }


def _told(what: str, done: Sequence[object]) -> RenderableType:
    if not done:
        return nothing("no dead letter")
    return "\n".join([*(f"{id} {what}" for id in done[:20]), *([f"{len(done)} {what}"] * (len(done) > 20))])


def _table(page: DeadLetterPage) -> RenderableType:
    if not page:
        return nothing("no dead letter")
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("ID", no_wrap=True, min_width=36)
    for heading in ("Name", "Capability", "Given up", "Why"):
        found.add_column(heading, overflow="fold")
    for letter in page:
        task = letter.task
        found.add_row(
            Text(str(task.id)), plain(task.name), plain(task.lane), Text(moment(letter.at)),
            plain(first_line(task.error_message or "")),
        )  # fmt: skip
    return Group(found, Text(f"more: --cursor {page.cursor}", style="dim")) if page.cursor else found


def _story(letter: DeadLetter) -> RenderableType:
    events = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("When", "What", "Details"):
        events.add_column(heading, overflow="fold")
    for event in letter.events:
        events.add_row(Text(moment(event.at), style="dim"), Text(event.what, style="bold"), plain(event.note))
    return Group(
        whole(letter.task, []), "", Text("Lost executions", style="bold"), executions_table(letter.lost), "",
        Text("What happened", style="bold"), events, "",
        Text(f"its last words: taskengine task logs {letter.task.id} --execution {letter.task.attempt}", style="dim"),
        Text(f"mend what ends the workers, then: taskengine dead requeue {letter.task.id}", style="dim"),
    )  # fmt: skip
