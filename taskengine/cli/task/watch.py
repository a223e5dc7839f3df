"""``taskengine task watch``: tasks as they go, a table on a terminal, a line for each change elsewhere."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from taskengine.api import BlockingTaskAPI
from taskengine.cli import completion, whole_ids
from taskengine.cli.guide import command
from taskengine.cli.options import AnyUser, Once, WaitTimeout
from taskengine.cli.output import OutputOption, console, json_line, wants_json
from taskengine.cli.place import asking, nothing
from taskengine.cli.task import values
from taskengine.cli.task.options import AnyAgent, AnyCapability, AnyPriority, AnyRun, AnyStatus, AnyType, Metadata
from taskengine.cli.task.view import why
from taskengine.cli.text import first_line, plain, status
from taskengine.core.lifecycle import REOPENABLE, TERMINAL
from taskengine.errors import InvalidInputError, WaitTimeoutError
from taskengine.models import Task, TaskExecution, TaskStatus

app = typer.Typer()

SomeIds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID…]", help="Ids of tasks, or beginnings of them.", show_default="all open", callback=whole_ids.tasks,
        autocompletion=completion.task_ids,
    ),
]

#: Tasks that can be watched at once.
MAX_WATCHED = 2000
#: Seconds between two looks; with a thousand open tasks twice as many.
_LOOK_SECONDS = 0.5
#: Lines of a terminal that the rest of the picture takes.
_AROUND = 6
#: Columns from which on ids are shown whole.
_WIDE = 140
#: What is shown first.
_ORDER = (
    TaskStatus.RUNNING, TaskStatus.RETRYING, TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.PAUSED,
    TaskStatus.READY, TaskStatus.PENDING, TaskStatus.COMPLETED,
)  # fmt: skip
_RUNNING = frozenset({TaskStatus.RUNNING})
_DONE = frozenset({TaskStatus.COMPLETED})
_OPEN = tuple(each for each in TaskStatus if each not in TERMINAL)


@dataclass(slots=True)
class Watched:
    """A task, and its latest execution while it runs or when it ended."""

    task: Task
    execution: TaskExecution | None

    @property
    def progress(self) -> float | None:
        """0 to 1, as its agent said last; what completed is all done."""
        said = None if self.execution is None else self.execution.progress
        return 1.0 if said is not None and self.task.status in _DONE else said

    @property
    def note(self) -> str:
        """What its agent said of it last while it runs; why it stands where it stands otherwise."""
        said = (self.execution.progress_note if self.execution else None) or ""
        stands = said if self.task.status in _RUNNING else why(self.task) or said
        return first_line("" if self.task.status in _DONE else stands)

    @property
    def seconds(self) -> float | None:
        """How long its latest attempt ran, or runs; None before the first."""
        begin = self.execution.started_at if self.execution else self.task.started_at
        if begin is None:
            return None
        end = self.task.completed_at if self.task.status in TERMINAL else datetime.now(UTC)
        return max(0.0, ((end or begin) - begin).total_seconds())

    def change(self) -> tuple[Any, ...]:
        """What makes a new line when it is another than before."""
        tenth = None if self.progress is None else int(self.progress * 10)
        return self.task.status, self.task.attempt, tenth, self.note

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        task, run = self.task, self.execution
        return {
            "at": datetime.now(UTC).isoformat(), "id": str(task.id), "name": task.name, "status": task.status.value,
            "progress": self.progress, "note": self.note or None, "agent": run and run.executor_id,
            "node": run and run.node, "seconds": self.seconds, "attempt": task.attempt, "retries": task.retry_count,
        }  # fmt: skip


@dataclass(slots=True)
class Watch:
    """The tasks that are watched; what is over is not read again."""

    api: BlockingTaskAPI
    found: dict[str, Watched] = field(default_factory=dict)

    def look(self, ids: Iterable[str]) -> None:
        """Read *ids* and what was open before."""
        wanted = dict.fromkeys(ids) | dict.fromkeys(self.open_ids)
        asked = [id for id in wanted if id not in self.found or id in self.open_ids]
        if len(self.found.keys() | wanted.keys()) > MAX_WATCHED:
            raise InvalidInputError(
                f"more than {MAX_WATCHED} tasks match; watch fewer: --run, --status running, --metadata KEY=VALUE, or "
                "taskengine queue stats",
                field="ids",
            )
        if asked:
            tasks, runs = self.api.get_tasks(asked), self.api.get_latest_executions(asked)
            self.found |= {str(task.id): Watched(task, run) for task, run in zip(tasks, runs, strict=True)}

    @property
    def open_ids(self) -> list[str]:
        """Those that are not over."""
        return [id for id, one in self.found.items() if one.task.status not in TERMINAL]

    @property
    def exit_code(self) -> int:
        """1 if one failed or was cancelled."""
        return 1 if any(one.task.status in REOPENABLE for one in self.found.values()) else 0


@command(
    app,
    "taskengine task watch                  everything that is open",
    "taskengine task watch ID1 ID2          to the end; exit code 1 if one did not complete",
    "taskengine task watch --run ID",
    "taskengine task watch --metadata team=core --once",
)
def watch(
    ids: SomeIds = None,
    run: AnyRun = None,
    capability: AnyCapability = None,
    status: AnyStatus = None,
    type: AnyType = None,
    priority: AnyPriority = None,
    assigned_to: AnyAgent = None,
    created_by: AnyUser = None,
    metadata: Metadata = None,
    once: Once = False,
    wait_timeout: WaitTimeout = None,
    output: OutputOption = None,
) -> None:
    """Watch tasks until all are over: state, progress, who runs them, since when.

    A table on a terminal; elsewhere, and with -o json, a line for each change. The exit code is 1 if one failed or
    was cancelled.
    """
    filters = values.filters(status, type, priority, assigned_to, created_by, metadata, run, capability)
    raise typer.Exit(watch_tasks(ids or [], filters=filters, once=once, timeout=wait_timeout))


def watch_tasks(ids: Sequence[str], *, filters: Mapping[str, Any], once: bool, timeout: float | None) -> int:
    """Watch tasks to their end; the exit code."""
    if ids and filters:
        raise InvalidInputError("ids and filters exclude each other; give one of them", field="ids")
    with asking() as api:
        choose = _chooser(api, ids, filters)
        return _follow(Watch(api), choose, once=once, timeout=timeout)


def follow(api: BlockingTaskAPI, ids: Sequence[str], timeout: float | None) -> int:
    """Watch the tasks of these ids, ``MAX_WATCHED`` at most, to their end; the exit code."""
    return _follow(Watch(api), lambda: ids, once=False, timeout=timeout)


def _chooser(api: BlockingTaskAPI, ids: Sequence[str], filters: Mapping[str, Any]) -> Callable[[], Sequence[str]]:
    if ids:
        return lambda: ids
    chosen = [dict(filters)] if filters else [{"status": each} for each in _OPEN]
    return lambda: [id for each in chosen for id in _listed(api, each)]


def _listed(api: BlockingTaskAPI, filters: Mapping[str, Any]) -> Iterator[str]:
    cursor, left = None, MAX_WATCHED + 1
    while left > 0:
        page = api.list_tasks(limit=min(1000, left), cursor=cursor, **filters)
        yield from (str(task.id) for task in page)
        cursor, left = page.cursor, left - len(page)
        if cursor is None:
            return


def _follow(seen: Watch, choose: Callable[[], Sequence[str]], *, once: bool, timeout: float | None) -> int:
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        with _view(seen, once=once) as show:
            while True:
                seen.look(choose())
                show()
                if once or not seen.open_ids:
                    break
                if deadline is not None and time.monotonic() >= deadline:
                    raise WaitTimeoutError(seen.open_ids, timeout or 0)
                time.sleep(_LOOK_SECONDS * (1 + len(seen.open_ids) / 1000))
    except KeyboardInterrupt:
        return 130
    if not seen.found and not wants_json():
        console().print(nothing("no task meets the filters" if once else "no open task"), soft_wrap=True)
    return seen.exit_code


@contextmanager
def _view(seen: Watch, *, once: bool) -> Iterator[Callable[[], None]]:
    """What shows the tasks as they are now; call it after each look."""
    out = console()
    if wants_json() or not (out.is_terminal or once):
        yield _Lines(seen).show
    elif once:
        yield lambda: out.print(_picture(seen, len(seen.found), out.width)) if seen.found else None
    else:
        with Live(console=out, auto_refresh=False) as live:
            yield lambda: live.update(_picture(seen, max(1, out.height - _AROUND), out.width), refresh=True)


class _Lines:
    def __init__(self, seen: Watch) -> None:
        self._seen = seen
        self._before: dict[str, tuple[Any, ...]] = {}
        self._console = console()

    def show(self) -> None:
        for id, one in self._seen.found.items():
            if self._before.get(id) != one.change():
                self._before[id] = one.change()
                if wants_json():
                    json_line(one.as_json())
                else:
                    self._console.print(_line(one), soft_wrap=True)


def _line(one: Watched) -> Text:
    far = "" if one.progress is None else f" {one.progress:.0%}"
    note = f" {one.note}" if one.note else ""
    now = datetime.now().astimezone()
    text = plain(f"{now:%H:%M:%S} {one.task.id} {one.task.name} ")
    return text.append_text(status(one.task.status.value)).append_text(plain(far + note))


def _picture(seen: Watch, rows: int, width: int) -> RenderableType:
    order = {each: at for at, each in enumerate(_ORDER)}
    shown = sorted(seen.found.values(), key=lambda one: order[one.task.status])
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    for heading in ("ID", "Name", "Status", "Progress", "", "Time", "Tries", "Agent", "Note"):
        right = heading in ("", "Time", "Tries")
        # What gives way where it is narrow is the note alone; see _cells.
        table.add_column(heading, no_wrap=heading != "Note", justify="right" if right else "left")
    for one in shown[:rows]:
        table.add_row(*_cells(one, width))
    counts = Counter(one.task.status for one in shown)
    total = Text(", ").join(Text.assemble(f"{counts[each]} ", status(each.value)) for each in _ORDER if counts[each])
    more = [Text(f"and {len(shown) - rows} more", style="dim")] if len(shown) > rows else []
    return Group(table, *more, "", total)


def _cells(one: Watched, width: int) -> Iterator[RenderableType]:
    task, run = one.task, one.execution
    yield Text(str(task.id) if width >= _WIDE else str(task.id)[:8])
    yield plain(task.name[:40])
    yield status(task.status.value)
    yield "" if one.progress is None else ProgressBar(total=1.0, completed=one.progress, width=12)
    yield "" if one.progress is None else f"{one.progress:.0%}"
    yield "" if one.seconds is None else spoken(one.seconds)
    yield str(task.attempt) if task.attempt else ""
    where = (run.node or "").partition("#")[0] if run else ""
    yield plain(f"{run.executor_id}@{where}" if run and run.executor_id and where else where)
    note = plain(one.note)
    note.no_wrap, note.overflow = True, "ellipsis"
    yield note


def spoken(seconds: float) -> str:
    """A length of time in a table: 4.2 s, 1:05, 2:03:04."""
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
