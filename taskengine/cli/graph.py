"""``taskengine graph …``: pictures, doubts and plans of a file, and its way to the server."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from taskengine.builders.document import Document
from taskengine.builders.graph_file import TaskGraph, examine, load_graph
from taskengine.builders.lint import lint_warnings
from taskengine.cli import run as runs
from taskengine.cli.guide import command
from taskengine.cli.nearby import offered_queues
from taskengine.cli.options import WaitTimeout
from taskengine.cli.output import OutputOption, answer, clean, say, wants_json
from taskengine.cli.place import submitting
from taskengine.cli.task.view import as_json
from taskengine.cli.task.watch import MAX_WATCHED, follow
from taskengine.cli.text import offered, plain
from taskengine.core import graph
from taskengine.core.lifecycle import REOPENABLE
from taskengine.errors import InvalidInputError
from taskengine.models import Task, TaskPriority

app = typer.Typer(name="graph", no_args_is_help=True, help="A graph of tasks in a file: JSON, or YAML.")

#: Tasks drawn, and names told of a wave; -o json has all.
_DRAWN, _TOLD = 500, 20
File = Annotated[str, typer.Argument(metavar="FILE", help="The file; JSON when its name ends in .json, else YAML.")]
Wait = Annotated[bool, typer.Option("--wait", "-w", help="Watch to the end; exit code 1 if a task did not complete.")]
Key = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key", help="Names this graph: the same again submits nothing twice.", show_default=False
    ),
]


@command(app, "taskengine graph show nightly.yaml")
def show(file: File, output: OutputOption = None) -> None:
    """Draw the graph: each task under the first that it waits for, with the others that it waits for."""
    found = load_graph(Path(file))
    nodes = []
    for task in found.tasks:
        before = [found.names[id] for id in found.parents[str(task.id)]]
        nodes.append({"name": task.name, "queue": offered(task).plain, "depends_on": before})
    answer({"name": found.name, "tasks": nodes}, _picture(found, file))


@command(app, "taskengine graph lint nightly.yaml     exit code 1 when it could not be submitted")
def lint(file: File, output: OutputOption = None) -> None:
    """Find every fault, and what is allowed but probably not meant.

    Asks a server that runs which capabilities its workers offer.
    """
    try:
        document = Document.of(Path(file))
        found, faults = examine(document)
    except InvalidInputError as exc:
        found, faults = None, [exc]
    doubtful = [] if found is None else list(lint_warnings(found, datetime.now(UTC), offered_queues()))
    data = {
        "errors": [{"field": fault.field, "says": str(fault)} for fault in faults],
        "warnings": [{"rule": one.rule, "place": one.place, "says": one.says} for one in doubtful],
    }
    lines = [Text.assemble(("error   ", "bold red"), clean(str(fault))) for fault in faults]
    lines += [
        Text.assemble(("warning ", "yellow"), clean(f"{one.place}: {one.says} [{one.rule}]"))
        for one in doubtful
    ]
    if found is not None:
        lines.append(Text(f"{len(found.tasks)} tasks, no error, {_count(len(doubtful), 'warning')}", style="green"))
    answer(data, Group(*lines))
    raise typer.Exit(1 if faults else 0)


@command(app, "taskengine graph plan nightly.yaml", "taskengine graph plan nightly.json -o json | jq .waves")
def plan(file: File, output: OutputOption = None) -> None:
    """Say in which waves the tasks can run, and which chain no number of workers shortens."""
    found = load_graph(Path(file))
    seconds = {str(task.id): task.estimated_seconds for task in found.tasks}
    waves = [[found.names[id] for id in wave] for wave in graph.waves(found.parents)]
    path = graph.critical_path(found.parents, seconds)
    total = sum(seconds[id] for id in path)
    names = [found.names[id] for id in path]
    data = {"waves": waves, "critical_path": names, "critical_path_seconds": total}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Wave", "Tasks", ""):
        table.add_column(heading, overflow="fold", justify="left" if not heading or heading == "Wave" else "right")
    for number, wave in enumerate(waves[:_DRAWN], 1):
        table.add_row(str(number), str(len(wave)), plain(_names(wave)))
    on_path = " → ".join(_some(names))
    answer(data, Group(table, "", plain(f"critical path, {total:g} s of estimated_seconds: {on_path}")))


@command(
    app,
    "taskengine graph submit nightly.yaml",
    "taskengine graph submit nightly.yaml --wait --wait-timeout 3600",
    "taskengine graph submit nightly.yaml --idempotency-key nightly-2030-01-31",
)
def submit(
    file: File, idempotency_key: Key = None, wait: Wait = False, wait_timeout: WaitTimeout = None,
    output: OutputOption = None,
) -> None:
    """Submit the graph, all of it or nothing, and say its run."""
    raise typer.Exit(_submit(file, key=idempotency_key, wait=wait, timeout=wait_timeout))


def _submit(file: str, *, key: str | None, wait: bool, timeout: float | None) -> int:
    """Submit a graph; the exit code."""
    found = load_graph(Path(file))
    with submitting() as api:
        stored = api.create_tasks(found.tasks, idempotency_key=key, name=found.name)
        run = stored[0].run_id
        if not wait:
            answer(
                {"run_id": run, "tasks": [as_json(task) for task in stored]},
                f"run {run}: {_count(len(stored), 'task')} submitted\nwatch it: taskengine run watch {run}",
            )
            return 0
        say(f"run {run}: {_count(len(stored), 'task')} submitted")
        ids = [str(task.id) for task in stored]
        if not wants_json():
            return follow(api, ids, timeout) if len(ids) <= MAX_WATCHED else runs.follow(api, str(run), timeout=timeout)
        ended = api.wait(ids, timeout)
        answer({"run_id": run, "tasks": [as_json(task) for task in ended]}, "")
        return 1 if any(task.status in REOPENABLE for task in ended) else 0


def _picture(found: TaskGraph, file: str) -> RenderableType:
    """Return each task once, under the first that it waits for."""
    tasks = {str(task.id): task for task in found.tasks}
    tree = Tree(Text(found.name or Path(file).name, style="bold"))
    places = {"": tree}
    below: dict[str, list[str]] = {}
    for id, wanted in found.parents.items():
        below.setdefault(wanted[0] if wanted else "", []).append(id)
    line, drawn = deque([""]), 0
    while line and drawn < _DRAWN:
        above = line.popleft()
        for id in below.get(above, ()):
            places[id] = places[above].add(_node(tasks[id], found))
            line.append(id)
            drawn += 1
    edges = sum(map(len, found.parents.values()))
    end = f"{_count(len(tasks), 'task')}, {_count(edges, 'edge')}, {_count(len(graph.waves(found.parents)), 'wave')}"
    more = f"; {len(tasks) - drawn} not drawn" if drawn < len(tasks) else ""
    return Group(tree, Text(end + more, style="dim"))


def _node(task: Task, found: TaskGraph) -> Text:
    parts: list[Any] = [(clean(task.name), "bold")]
    if task.name != offered(task).plain:
        parts.append((f"  {offered(task)}", "cyan"))
    if task.priority is not TaskPriority.NORMAL:
        parts.append((f"  {task.priority.name.lower()}", "yellow"))
    others = [clean(found.names[id]) for id in found.parents[str(task.id)][1:]]
    others += [str(id) for id in sorted(task.depends_on) if UUID(str(id)) not in found.places]
    if others:
        parts.append((f"  also after {', '.join(others[:_TOLD])}", "dim"))
    return Text.assemble(*parts)


def _some(names: list[str]) -> list[str]:
    return names if len(names) <= _TOLD else [*names[: _TOLD - 2], f"… {len(names) - _TOLD + 1} more …", names[-1]]


def _names(names: list[str]) -> str:
    return ", ".join(_some(names))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"
