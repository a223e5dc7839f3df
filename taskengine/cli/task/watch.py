"""``taskengine task watch``: tasks as they go, a table on a terminal, a line for each change elsewhere."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from taskengine.api import BlockingTaskAPI
from taskengine.cli import completion, whole_ids
from taskengine.cli.guide import command
from taskengine.cli.options import AnyUser, Once, WaitTimeout
from taskengine.cli.output import OutputOption, console, wants_json
from taskengine.cli.place import asking, nothing
from taskengine.cli.task import values
from taskengine.cli.task.live import Watched, shown
from taskengine.cli.task.options import AnyAgent, AnyCapability, AnyPriority, AnyRun, AnyStatus, AnyType, Metadata
from taskengine.core.lifecycle import REOPENABLE, TERMINAL
from taskengine.errors import InvalidInputError, WaitTimeoutError
from taskengine.models import TaskStatus

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
_OPEN = tuple(each for each in TaskStatus if each not in TERMINAL)


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
        with shown(seen.found, once=once) as show:
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
