"""``taskengine graph …``: a graph of tasks in a file."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli.guide import add
from taskengine.cli.output import OutputOption

graph = typer.Typer(no_args_is_help=True, help="A graph of tasks in a file: JSON, or YAML.")


def register(app: typer.Typer) -> None:
    """Add the commands to *app*."""
    app.add_typer(graph, name="graph")
    add(graph, show, "taskengine graph show nightly.yaml")
    add(graph, lint, "taskengine graph lint nightly.yaml     exit code 1 when it could not be submitted")
    add(graph, plan, "taskengine graph plan nightly.yaml", "taskengine graph plan nightly.json -o json | jq .waves")
    add(
        graph,
        submit,
        "taskengine graph submit nightly.yaml",
        "taskengine graph submit nightly.yaml --wait --wait-timeout 3600",
        "taskengine graph submit nightly.yaml --idempotency-key nightly-2030-01-31",
    )


File = Annotated[str, typer.Argument(metavar="FILE", help="The file; JSON when its name ends in .json, else YAML.")]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Watch to the end; exit code 1 if a task did not complete.")]
WaitTimeout = Annotated[
    float | None, typer.Option(min=0, metavar="SECONDS", help="Wait no longer.", show_default="for ever")
]
Key = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key", help="Names this graph: the same again submits nothing twice.", show_default=False
    ),
]


def show(file: File, output: OutputOption = None) -> None:
    """Draw the graph: each task under the first that it waits for, with the others that it waits for."""
    from taskengine.cli import graph

    graph.show(file)


def lint(file: File, output: OutputOption = None) -> None:
    """Find every fault, and what is allowed but probably not meant.

    Asks a server that runs which capabilities its workers offer.
    """
    from taskengine.cli import graph

    raise typer.Exit(graph.lint(file))


def plan(file: File, output: OutputOption = None) -> None:
    """Say in which waves the tasks can run, and which chain no number of workers shortens."""
    from taskengine.cli import graph

    graph.plan(file)


def submit(
    file: File, idempotency_key: Key = None, wait: Wait = False, wait_timeout: WaitTimeout = None,
    output: OutputOption = None,
) -> None:
    """Submit the graph, all of it or nothing, and say its run."""
    from taskengine.cli import graph

    raise typer.Exit(graph.submit(file, key=idempotency_key, wait=wait, timeout=wait_timeout))
