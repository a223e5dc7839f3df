"""The command line, by noun.

A noun is one module, or one small package: the signature of each of its commands with its examples, what the command
asks, and how the answer is shown. A new one is that module, with its commands in ``app``, and its line in
:data:`COMMANDS`; :mod:`taskengine.cli.lazy` imports it when somebody names it.
"""

from __future__ import annotations

import errno
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from taskengine.cli import streams
from taskengine.cli.guide import examples
from taskengine.cli.interrupts import ignore_hang_ups
from taskengine.cli.lazy import LazyGroup, Outline
from taskengine.cli.output import OutputOption, begin, choose, complain
from taskengine.cli.reach import UrlOption
from taskengine.cli.tie import tie_to
from taskengine.errors import TaskEngineError

__all__ = ["app", "main"]

#: Every command, in the order of ``--help``.
COMMANDS = {
    "demo": Outline("demo", "Analyse a Python code base as a graph of tasks, on a fleet of its own."),
    "up": Outline(
        "up",
        "Run everything on this machine in the foreground: Valkey (if embedded), coordinator, workers, page, Flower.",
    ),
    "coordinator": Outline(
        "coordinator",
        "Run a coordinator: it grants, fires timers, rescues what dead workers held, and decides.",
        first=ignore_hang_ups,
    ),
    "worker": Outline(
        "worker", "Run a worker: it takes tasks whose capability its agents offer.", first=ignore_hang_ups
    ),
    "flower": Outline("worker", "Show workers and executions in a browser, on the loopback interface."),
    "server": Outline(
        "server",
        "Serve every verb over HTTP: REST under /api/v1, its description at /docs and /openapi.json.",
        extra="server",
    ),
    "keys": Outline("keys", "Keys for the server of REST: make, list and revoke them."),
    "pause": Outline("pause", "Let nothing of it start any more; what runs goes on."),
    "resume": Outline(
        "pause",
        "End the pause of exactly that; exit code 1 when it was not paused. Other pauses go on to hold.",
    ),
    "pauses": Outline("pause", "List what is paused: who, why, since when, until when, and what still runs."),
    "workers": Outline("worker", "List the workers: slots, what they hold, what they offer."),
    "status": Outline(
        "status", "Show queues, workers, pauses, failures and what 'doctor' would look at first, on one screen."
    ),
    "doctor": Outline("doctor", "Examine server, coordinator, workers and stored state, and say what to do."),
    "task": Outline("task", "Submit tasks, look at them, cancel and retry them."),
    "run": Outline("run", "Runs: graphs that were submitted together."),
    "agents": Outline("agents", "Agents by name: register them, look at them, steer and try them."),
    "workflow": Outline("workflow", "Workflows: run them from a file, look at them, steer them."),
    "queue": Outline("queue", "What waits, by capability."),
    "graph": Outline("graph", "A graph of tasks in a file: JSON, or YAML."),
    "dead": Outline("dead", "Dead letters: tasks that lost one worker after another."),
    "quarantine": Outline(
        "quarantine", "Messages that no worker could read, kept apart with their reason."
    ),
}


class _Root(LazyGroup):
    outlines = COMMANDS


app = typer.Typer(
    cls=_Root,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "taskengine demo                         analyse a code base and look at it",
        "taskengine up --import my_agents        everything on this machine",
        "taskengine -o json task list            answers for programs",
        "taskengine --url https://HOST task list over HTTP, with the key in TASKENGINE_API_KEY",
    ),
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"taskengine {version('taskengine')}")
        raise typer.Exit


@app.callback()
def root(
    output: OutputOption = None,
    url: UrlOption = None,  # noqa: ARG001  # its callback notes it
    tied_to: Annotated[int | None, typer.Option(hidden=True, help="End when this parent process ends.")] = None,
    version: Annotated[  # noqa: ARG001  # its callback answers
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Durable task graphs on a Celery fleet."""
    begin()
    choose(output)
    if tied_to is not None:
        tie_to(tied_to)


def main() -> None:
    """The entry point. A foreseeable mistake is one sentence on stderr and exit code 1; wrong usage is 2."""
    streams.repair()
    try:
        app(prog_name="taskengine")
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
