"""``taskengine queue …``: tasks by state, what waits for each capability, and what holds it back."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.text import plain, status

app = typer.Typer(name="queue", no_args_is_help=True, help="What waits, by capability.")

Queue = Annotated[
    str,
    typer.Argument(metavar="QUEUE", help="A capability, or @ and an agent.", autocompletion=offers("capabilities")),
]

#: Status words in the order of a task's life.
_STATUSES = ("pending", "ready", "running", "retrying", "paused", "completed", "failed", "cancelled")


@command(app, "taskengine queue stats", "taskengine queue stats -o json | jq .open_tasks")
def stats(output: OutputOption = None) -> None:
    """Count tasks by state, and what waits for each capability."""
    with asking() as api:
        found = api.get_queue_statistics()
    answer(found, queues_picture(found))


@command(app, "taskengine queue demand lint", "taskengine queue demand @reviewer -o json | jq .demand")
def demand(queue: Queue, output: OutputOption = None) -> None:
    """Say how many slots a queue could use now: what an autoscaler asks."""
    with asking() as api:
        found = api.get_queue_demand(queue)
    parts = f"{found['ready']} ready, {found['parked']} parked, {found['granted']} offered, {found['running']} running"
    paused = f"; what waits is held back: {found['paused']}" if found["paused"] else ""
    answer(found, plain(f"{found['demand']}: {parts}{paused}"))


def queues_picture(found: Mapping[str, Any]) -> RenderableType:
    """Return what ``get_queue_statistics`` says: counts, queues, and what holds tasks back."""
    return Group(_counts(found), *_queues(found), *_rest(found))


def _counts(found: Mapping[str, Any]) -> Text:
    words = [Text.assemble(f"{found[f'{each}_tasks']} ", status(each)) for each in _STATUSES if found[f"{each}_tasks"]]
    return Text("Tasks: ").append_text(Text(", ").join(words)) if words else nothing("no task")


def _queues(found: Mapping[str, Any]) -> list[RenderableType]:
    if not found["queues"]:
        return []
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Capability", "Ready", "Offered", "Running", "Workers", "Paused"):
        words = heading in ("Capability", "Paused")
        table.add_column(heading, overflow="fold", justify="left" if words else "right")
    for name, queue in found["queues"].items():
        nobody = queue["ready"] and not queue["workers"]
        workers = Text(str(queue["workers"]), style="bold red" if nobody else "")
        counts = (str(queue[each]) for each in ("ready", "granted", "running"))
        table.add_row(plain(name), *counts, workers, plain(queue["paused"] or ""))
    return ["", table]


def _rest(found: Mapping[str, Any]) -> list[RenderableType]:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Tasks", justify="right")
    table.add_column("What keeps them", overflow="fold")
    for scope, count in found["parked"].items():
        table.add_row(str(count), plain(_keeps(scope)))
    if found["timers"]:
        table.add_row(str(found["timers"]), "a moment to come: a retry, a schedule, the end of a pause")
    if found["dead_letters"]:
        table.add_row(str(found["dead_letters"]), "dead letters, each lost several workers: taskengine dead list")
    parts: list[RenderableType] = [plain(f"Paused: {pause}") for pause in found["pauses"]]
    if parts:
        parts.insert(0, "")
    return [*parts, "", table] if table.row_count else parts


def _keeps(scope: str) -> str:
    """Return why READY tasks are put aside, as the server notes it, in words."""
    kind, _, name = scope.partition(":")
    if kind == "offer":
        return f"no worker offers agent {name!r}"
    if kind == "room":
        return f"no host has room for what tasks of {name.partition('|')[0]!r} demand"
    words = {"all": "everything", "cap": "capability", "agent": "agent", "run": "run"}
    return f"the pause of {words[kind]} {name}".rstrip() if kind in words else scope
