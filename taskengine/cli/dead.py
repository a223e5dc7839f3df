"""``taskengine dead …``: tasks that lost one worker after another."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli import whole_ids
from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.moments import past
from taskengine.cli.options import Cursor, Limit
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.pages import filled
from taskengine.cli.place import asking, nothing
from taskengine.cli.task.view import as_json, executions_table, whole
from taskengine.cli.text import first_line, moment, offered, plain
from taskengine.models import DeadLetter, RequeuedLetters

app = typer.Typer(
    name="dead", no_args_is_help=True, help="Dead letters: tasks that lost one worker after another."
)

Id = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The task's id, or a beginning of it.", callback=whole_ids.task,
        autocompletion=offers("dead_ids"),
    ),
]
Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID…]", help="Ids of tasks, or beginnings of them.", show_default=False, callback=whole_ids.tasks,
        autocompletion=offers("dead_ids"),
    ),
]
Capability = Annotated[
    str | None,
    typer.Option(
        "--capability", "-C", help="Only those of it.", show_default=False, autocompletion=offers("capabilities")
    ),
]
Since = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Given up later: 90s, 2h, 1d ago, or a date.", show_default=False)
]
#: Letters that are told of.
_NAMED = 20
All = Annotated[bool, typer.Option("--all", help="Every one, without a filter.")]


@command(
    app, "taskengine dead list", "taskengine dead list --capability render --since 2h -o json", name="list"
)
def list_(
    capability: Capability = None, since: Since = None, limit: Limit = 50, cursor: Cursor = None,
    output: OutputOption = None,
) -> None:  # fmt: skip
    """List dead letters, newest first."""
    from_then = None if since is None else past(since, "--since")
    with asking() as api:
        found, after = filled(lambda most, at: api.list_dead_letters(capability, from_then, most, at), limit, cursor)
    letters = [{"at": letter.at.isoformat(), "task": as_json(letter.task)} for letter in found]
    answer({"dead_letters": letters, "cursor": after}, _table(found, after))


@command(app, "taskengine dead show ID          the executions that were lost, and all that happened")
def show(id: Id, output: OutputOption = None) -> None:
    """Tell the history of a dead letter: where and why it lost its workers, and all that happened to it."""
    with asking() as api:
        letter = api.get_dead_letter(id)
    answer({**letter.model_dump(mode="json"), "task": as_json(letter.task)}, _whole(letter))


@command(
    app,
    "taskengine dead requeue ID",
    "taskengine dead requeue --capability render --since 1d",
    "taskengine dead requeue --all",
)
def requeue(
    ids: Ids = None, capability: Capability = None, since: Since = None, all: All = False, output: OutputOption = None
) -> None:
    """Give dead letters another life, as 'task retry' does, with a fresh count of losses."""
    with asking() as api:
        done = api.requeue_dead_letters(**_chosen(ids, capability, since, everything=all))
    skipped = {str(id): why for id, why in done.skipped.items()}
    answer({"requeued": [str(id) for id in done], "skipped": skipped}, _requeued(done))
    raise typer.Exit(0 if done else 1)


@command(app, "taskengine dead drop ID", "taskengine dead drop --all")
def drop(
    ids: Ids = None, capability: Capability = None, since: Since = None, all: All = False, output: OutputOption = None
) -> None:
    """Strike dead letters off the list; their tasks stay failed, with their history, until they are pruned."""
    with asking() as api:
        done = api.drop_dead_letters(**_chosen(ids, capability, since, everything=all))
    answer({"dropped": [str(id) for id in done]}, _told("dropped", done))
    raise typer.Exit(0 if done else 1)


def _chosen(
    ids: Sequence[str] | None, capability: str | None, since: str | None, *, everything: bool
) -> dict[str, Any]:
    return {
        "task_ids": ids or None,
        "capability": capability,
        "since": None if since is None else past(since, "--since"),
        "everything": everything,
    }


def _requeued(done: RequeuedLetters) -> RenderableType:
    if not done.skipped:
        return _told("requeued", done)
    left = [plain(f"left as it is: {why}") for why in list(done.skipped.values())[:_NAMED]]
    more = [f"{len(done.skipped)} left as they are"] if len(done.skipped) > _NAMED else []
    return Group(*([_told("requeued", done)] if done else []), *left, *more)


def _told(what: str, done: Sequence[object]) -> RenderableType:
    if not done:
        return nothing("no dead letter")
    return "\n".join([*(f"{id} {what}" for id in done[:_NAMED]), *([f"{len(done)} {what}"] * (len(done) > _NAMED))])


def _table(letters: Sequence[DeadLetter], cursor: str | None) -> RenderableType:
    if not letters:
        return nothing("no dead letter")
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("ID", no_wrap=True, min_width=36)
    for heading in ("Name", "Capability", "Given up", "Why"):
        found.add_column(heading, overflow="fold")
    for letter in letters:
        task = letter.task
        found.add_row(
            Text(str(task.id)), plain(task.name), offered(task), Text(moment(letter.at)),
            plain(first_line(task.error_message or "")),
        )  # fmt: skip
    return Group(found, Text(f"more: --cursor {cursor}", style="dim")) if cursor else found


def _whole(letter: DeadLetter) -> RenderableType:
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
