"""``taskengine run …``: what was submitted together, in rows, one with what failed and what runs, and as it goes."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from taskengine.api import BlockingTaskAPI
from taskengine.cli import run_history
from taskengine.cli.guide import command
from taskengine.cli.options import AnyUser, Cursor, Limit, Once, WaitTimeout
from taskengine.cli.output import OutputOption, answer, complain, console, json_line, wants_json
from taskengine.cli.pages import filled
from taskengine.cli.place import asking, nothing
from taskengine.cli.run_history import Which
from taskengine.cli.task import watch as tasks_view
from taskengine.cli.task.live import spoken
from taskengine.cli.task.view import as_json
from taskengine.cli.text import first_line, moment, plain, status
from taskengine.core.lifecycle import REOPENABLE
from taskengine.errors import WaitTimeoutError
from taskengine.models import Run, Task, TaskStatus

app = typer.Typer(name="run", no_args_is_help=True, help="Runs: graphs that were submitted together.")
app.add_typer(run_history.app)

#: Tasks of each kind that are named.
_NAMED = 10
#: The statuses of which some are named.
_TOLD = (TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.RUNNING, TaskStatus.RETRYING)
_LOOK_SECONDS = 1.0
AnyName = Annotated[str | None, typer.Option("--name", help="As it was submitted with.", show_default="any")]
Finished = Annotated[
    bool | None, typer.Option("--finished/--open", help="Without, or with, an open task.", show_default="both")
]


@command(
    app,
    "taskengine run list",
    "taskengine run list --name nightly --open",
    "taskengine run list -o json | jq -r '.runs[].id'",
    name="list",
)
def list_(
    name: AnyName = None,
    created_by: AnyUser = None,
    finished: Finished = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    output: OutputOption = None,
) -> None:
    """List graphs, newest first: those of more than one task, or with a name. Lone tasks: 'task list'."""
    with asking() as api:
        found, after = filled(lambda most, at: api.list_runs(name, created_by, finished, most, at), limit, cursor)
    data = {"runs": [run.model_dump(mode="json") for run in found], "cursor": after}
    answer(data, _table(found, after))


@command(app, "taskengine run show nightly", "taskengine run show 3f2a -o json | jq .counts")
def show(which: Which, output: OutputOption = None) -> None:
    """Show a run: who made it, how its tasks stand, what failed, what runs."""
    with asking() as api:
        run = api.get_run(which)
        named = {each: _some(api, run, each) for each in _TOLD}
    data = {**run.model_dump(mode="json"), **{each.value: [as_json(task) for task in named[each]] for each in named}}
    answer(data, _whole(run, named))


@command(
    app,
    "taskengine run watch nightly            the newest of that name, to its end; exit code 1 if a task failed",
    "taskengine run watch 3f2a --once",
)
def watch(which: Which, once: Once = False, wait_timeout: WaitTimeout = None, output: OutputOption = None) -> None:
    """Watch a run until its tasks are over; of more than 2000 tasks only how many are how far.

    The exit code is 1 if one failed or was cancelled.
    """
    raise typer.Exit(_watch(which, once=once, timeout=wait_timeout))


def _watch(id: str, *, once: bool, timeout: float | None) -> int:
    with asking() as api:
        run = api.get_run(id)
    if run.total_tasks <= tasks_view.MAX_WATCHED:
        return tasks_view.watch_tasks([], filters={"run_id": id}, once=once, timeout=timeout)
    with asking() as api:
        return follow(api, id, once=once, timeout=timeout)


def follow(api: BlockingTaskAPI, id: str, *, once: bool = False, timeout: float | None = None) -> int:
    """Watch by its counts alone; the exit code."""
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        with _view(once=once) as show:
            while True:
                run = api.get_run(id)
                show(run)
                if once or not run.open_tasks:
                    return 1 if run.counts.keys() & REOPENABLE else 0
                if deadline is not None and time.monotonic() >= deadline:
                    says = f"{run.open_tasks} of {run.total_tasks} tasks of run {id} did not end within {timeout:g} s"
                    complain(says, kind=WaitTimeoutError.__name__)
                    return 1
                time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        return 130


def _some(api: BlockingTaskAPI, run: Run, status: TaskStatus) -> list[Task]:
    if not run.counts.get(status):
        return []
    found, _ = filled(lambda most, at: api.list_tasks(status=status, run_id=run.id, limit=most, cursor=at), _NAMED)
    return found


def _table(runs: Sequence[Run], cursor: str | None) -> RenderableType:
    if not runs:
        return nothing("no run; a lone task without a name is in 'taskengine task list'")
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("ID", no_wrap=True, min_width=36)
    for heading in ("Name", "By", "Created", "Took", "Tasks", "Stand"):
        found.add_column(heading, overflow="fold", justify="right" if heading == "Tasks" else "left")
    for run in runs:
        found.add_row(
            Text(str(run.id)), plain(run.name or ""), plain(run.created_by or ""), Text(moment(run.created_at)),
            Text(_took(run)), Text(str(run.total_tasks)), stand(run.counts),
        )  # fmt: skip
    return Group(found, Text(f"more: --cursor {cursor}", style="dim")) if cursor else found


def stand(counts: Mapping[TaskStatus, int]) -> Text:
    """Tasks by status, each in its colour."""
    words = [Text.assemble(f"{count} ", status(each.value)) for each, count in counts.items()]
    return Text(", ").join(words) if words else Text("no task", style="dim")


def _took(run: Run) -> str:
    end = run.finished_at or datetime.now(UTC)
    length = spoken(max(0.0, (end - run.created_at).total_seconds()))
    return length if run.finished_at else f"{length} so far"


def _whole(run: Run, named: Mapping[TaskStatus, Sequence[Task]]) -> RenderableType:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("id", Text(str(run.id)))
    facts.add_row("name", plain(run.name or ""))
    facts.add_row("created", plain(f"{moment(run.created_at)} by {run.created_by or 'nobody known'}"))
    if run.finished_at:
        facts.add_row("finished", Text(moment(run.finished_at)))
    facts.add_row("took", Text(_took(run)))
    facts.add_row("tasks", stand(run.counts))
    parts: list[RenderableType] = [facts]
    for each, tasks in named.items():
        if tasks:
            count = run.counts[each]
            head = f"{count} {each.value}" + (f", the newest {len(tasks)}" if count > len(tasks) else "")
            parts += ["", Text(head, style="bold"), tasks_in_lines(tasks)]
    if run.open_tasks:
        parts += ["", Text(f"as it goes: taskengine run watch {run.id}", style="dim")]
    return Group(*parts)


def tasks_in_lines(tasks: Sequence[Task]) -> Table:
    """Ids, names and why they are where they are."""
    found = Table.grid(padding=(0, 2))
    for column in ("ID", "Name", "Why"):
        found.add_column(no_wrap=column == "ID", overflow="fold")
    for task in tasks:
        found.add_row(Text(str(task.id)), plain(task.name), plain(first_line(task.error_message or task.reason or "")))
    return found


@contextmanager
def _view(*, once: bool) -> Iterator[Callable[[Run], None]]:
    """What shows a run as it stands now: a bar on a terminal, elsewhere a line when it changed."""
    out = console()
    if once or wants_json() or not out.is_terminal:
        before: list[Any] = [None]

        def show(run: Run) -> None:
            if before[0] != run.counts:
                before[0] = run.counts
                if wants_json():
                    json_line({"at": datetime.now(UTC).isoformat(), **run.model_dump(mode="json")})
                else:
                    out.print(_line(run), soft_wrap=True)

        yield show
    else:
        with Live(console=out, auto_refresh=False) as live:
            yield lambda run: live.update(_bar(run), refresh=True)


def _line(run: Run) -> Text:
    over = run.total_tasks - run.open_tasks
    now = datetime.now().astimezone()
    text = plain(f"{now:%H:%M:%S} {run.name or run.id} {over} of {run.total_tasks} over: ")
    return text.append_text(stand(run.counts))


def _bar(run: Run) -> RenderableType:
    bar = ProgressBar(total=run.total_tasks, completed=run.total_tasks - run.open_tasks, width=40)
    return Group(_line(run), bar)
