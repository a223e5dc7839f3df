"""``taskengine run …``: what was submitted together, by its id or its name."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli import completion, whole_ids
from taskengine.cli.guide import add
from taskengine.cli.output import OutputOption
from taskengine.cli.task_commands import AnyUser, Cursor, Limit, Once, WaitTimeout

run = typer.Typer(no_args_is_help=True, help="Runs: graphs that were submitted together.")


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.add_typer(run, name="run")
    add(
        run,
        list_,
        "taskengine run list",
        "taskengine run list --name nightly --open",
        "taskengine run list -o json | jq -r '.runs[].id'",
        name="list",
    )
    add(run, show, "taskengine run show nightly", "taskengine run show 3f2a -o json | jq .counts")
    add(
        run,
        watch,
        "taskengine run watch nightly            the newest of that name, to its end; exit code 1 if a task failed",
        "taskengine run watch 3f2a --once",
    )


Which = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="Its id, a beginning of it, or its name: the newest of that name.",
        callback=whole_ids.run_or_name, autocompletion=completion.runs,
    ),
]
AnyName = Annotated[str | None, typer.Option("--name", help="As it was submitted with.", show_default="any")]
Finished = Annotated[
    bool | None, typer.Option("--finished/--open", help="Without, or with, an open task.", show_default="both")
]


def list_(
    name: AnyName = None,
    created_by: AnyUser = None,
    finished: Finished = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    output: OutputOption = None,
) -> None:
    """List graphs, newest first: those of more than one task, or with a name. Lone tasks: 'task list'."""
    from taskengine.cli import runs

    runs.list_(name=name, created_by=created_by, finished=finished, limit=limit, cursor=cursor)


def show(which: Which, output: OutputOption = None) -> None:
    """Show a run: who made it, how its tasks stand, what failed, what runs."""
    from taskengine.cli import runs

    runs.show(which)


def watch(which: Which, once: Once = False, wait_timeout: WaitTimeout = None, output: OutputOption = None) -> None:
    """Watch a run until its tasks are over; of more than 2000 tasks only how many are how far.

    The exit code is 1 if one failed or was cancelled.
    """
    from taskengine.cli import runs

    raise typer.Exit(runs.watch(which, once=once, timeout=wait_timeout))
