"""Commands that look at the fleet and change nothing."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli.guide import add
from taskengine.cli.output import OutputOption

queue = typer.Typer(no_args_is_help=True, help="What waits, by capability.")


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.add_typer(queue, name="queue")
    add(queue, stats, "taskengine queue stats", "taskengine queue stats -o json | jq .open_tasks")
    add(app, workers, "taskengine workers", "taskengine workers -o json | jq '.[].name'")
    add(
        app,
        status,
        "taskengine status",
        "taskengine status --check                       exit code 0 ok, 1 warning, 2 critical, 3 unknown",
        "*/5 * * * *  said=$(taskengine status --check) || echo \"$said\"   a crontab mails only trouble",
    )
    add(
        app,
        doctor,
        "taskengine doctor",
        "taskengine doctor --deep           read every task and check what must always hold",
        "taskengine doctor -o json | jq '.findings[] | select(.level == \"wrong\")'",
    )


def stats(output: OutputOption = None) -> None:
    """Count tasks by state, and what waits for each capability."""
    from taskengine.cli.fleet_view import show_queues

    show_queues()


def workers(output: OutputOption = None) -> None:
    """List the workers: slots, what they hold, what they offer."""
    from taskengine.cli.fleet_view import show_workers

    show_workers()


def status(
    check: Annotated[
        bool, typer.Option("--check", help="One line for monitoring; the exit code says how bad it is.")
    ] = False,
    output: OutputOption = None,
) -> None:
    """Show queues, workers, pauses, failures and what 'doctor' would look at first, on one screen.

    With --check the exit code is 0 when all is well, 1 when somebody should look (a pause, a dead letter), 2 when
    something does not work (no server, nobody coordinates, nobody works), 3 when a setting is wrong.
    """
    from taskengine.cli import status

    raise typer.Exit(status.check() if check else status.show())


def doctor(
    deep: Annotated[bool, typer.Option("--deep", help="Check the invariants of everything stored.")] = False,
    output: OutputOption = None,
) -> None:
    """Examine server, coordinator, workers and stored state, and say what to do.

    Starts nothing and changes nothing. The exit code is 1 when something is wrong.
    """
    from taskengine.cli.doctor import doctor

    raise typer.Exit(doctor(deep=deep))
