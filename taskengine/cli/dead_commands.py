"""``taskengine dead …``: tasks that lost one worker after another."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli import completion, whole_ids
from taskengine.cli.guide import add
from taskengine.cli.output import OutputOption

dead = typer.Typer(no_args_is_help=True, help="Dead letters: tasks that lost one worker after another.")


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.add_typer(dead, name="dead")
    add(
        dead,
        list_,
        "taskengine dead list",
        "taskengine dead list --capability render --since 2h -o json",
        name="list",
    )
    add(dead, show, "taskengine dead show ID          the executions that were lost, and all that happened")
    add(
        dead,
        requeue,
        "taskengine dead requeue ID",
        "taskengine dead requeue --capability render --since 1d",
        "taskengine dead requeue --all",
    )
    add(dead, drop, "taskengine dead drop ID", "taskengine dead drop --all")


Id = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The task's id, or a beginning of it.", callback=whole_ids.task,
        autocompletion=completion.dead_ids,
    ),
]
Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID…]", help="Ids of tasks, or beginnings of them.", show_default=False, callback=whole_ids.tasks,
        autocompletion=completion.dead_ids,
    ),
]
Capability = Annotated[
    str | None,
    typer.Option(
        "--capability", "-C", help="Only those of it.", show_default=False, autocompletion=completion.capabilities
    ),
]
Since = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Given up later: 90s, 2h, 1d ago, or a date.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="Every one, without a filter.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)]
Cursor = Annotated[str | None, typer.Option(help="Where the last page ended.", show_default=False)]


def list_(
    capability: Capability = None, since: Since = None, limit: Limit = 50, cursor: Cursor = None,
    output: OutputOption = None,
) -> None:  # fmt: skip
    """List dead letters, newest first."""
    from taskengine.cli import dead

    dead.list_(capability=capability, since=since, limit=limit, cursor=cursor)


def show(id: Id, output: OutputOption = None) -> None:
    """Tell the story of a dead letter: where and why it lost its workers, and all that happened to it."""
    from taskengine.cli import dead

    dead.show(id)


def requeue(
    ids: Ids = None, capability: Capability = None, since: Since = None, all: All = False, output: OutputOption = None
) -> None:
    """Give dead letters another life, as 'task retry' does, with a fresh count of losses."""
    from taskengine.cli import dead

    raise typer.Exit(dead.requeue(ids, capability=capability, since=since, everything=all))


def drop(
    ids: Ids = None, capability: Capability = None, since: Since = None, all: All = False, output: OutputOption = None
) -> None:
    """Strike dead letters off the list; their tasks stay failed, with their stories, until they are pruned."""
    from taskengine.cli import dead

    raise typer.Exit(dead.drop(ids, capability=capability, since=since, everything=all))
