"""The command line.

The modules named ``*_commands`` hold what ``--help`` and shell completion need: names, options, examples.
Everything else is imported inside a command when it runs, because Celery, networkx and redis-py cost half
a second together and ``taskengine --help`` should take a tenth.
"""

from __future__ import annotations

import errno
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from taskengine.cli import (
    change_commands,
    dead_commands,
    graph_commands,
    look_commands,
    many_commands,
    pause_commands,
    quarantine_commands,
    run_commands,
    runs_commands,
    streams,
    task_commands,
)
from taskengine.cli.guide import examples
from taskengine.cli.output import OutputOption, begin, choose, complain
from taskengine.errors import NotFoundError, TaskEngineError

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "taskengine demo                         analyse a code base and look at it",
        "taskengine up --import my_agents        everything on this machine",
        "taskengine -o json task list            answers for programs",
    ),
)
run_commands.register(app)
task_commands.register(app)
change_commands.register(task_commands.task)
many_commands.register(task_commands.task)
pause_commands.register(app)
runs_commands.register(app)
look_commands.register(app)
graph_commands.register(app)
dead_commands.register(app)
quarantine_commands.register(app)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"taskengine {version('taskengine')}")
        raise typer.Exit


@app.callback()
def root(
    output: OutputOption = None,
    tied_to: Annotated[int | None, typer.Option(hidden=True, help="End when this parent process ends.")] = None,
    version: Annotated[  # noqa: ARG001  # its callback answers
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Durable task graphs on a Celery fleet."""
    begin()
    choose(output)
    if tied_to is not None:
        from taskengine.cli.tie import tie_to

        tie_to(tied_to)


def main() -> None:
    """The entry point. A foreseeable mistake is one sentence on stderr and exit code 1; wrong usage is 2."""
    streams.repair()
    try:
        app(prog_name="taskengine")
    except NotFoundError as exc:
        from taskengine.cli.place import place

        complain(f"{exc} ({place()})", kind=type(exc).__name__)
        sys.exit(1)
    except TaskEngineError as exc:
        complain(exc)
        sys.exit(1)
    except OSError as exc:
        if exc.errno != errno.ENOSPC or exc.filename is not None:
            raise
        streams.give_up()
        complain(f"standard output takes no more: {exc.strerror}", kind="OSError")
        sys.exit(1)
    finally:
        if (wrong := streams.finish()) is not None:
            complain(wrong, kind="OSError")
            sys.exit(1)
