"""``taskengine task watch``: tasks as they go, a table on a terminal, a line for each change elsewhere."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

import typer

from taskengine.api import BlockingTaskAPI
from taskengine.cli import whole_ids
from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.options import AnyUser, Once, WaitTimeout
from taskengine.cli.output import OutputOption, console, wants_json
from taskengine.cli.place import CommandLine, asking, nothing
from taskengine.cli.task import values
from taskengine.cli.task.live import Watched, shown
from taskengine.cli.task.options import AnyAgent, AnyCapability, AnyPriority, AnyRun, AnyStatus, AnyType, Metadata
from taskengine.core.containment import contains
from taskengine.core.lifecycle import REOPENABLE, TERMINAL
from taskengine.errors import InvalidInputError, WaitTimeoutError
from taskengine.models import Task, TaskStatus
from taskengine.store import changes, tasks
from taskengine.store.changes import Changes, Position
from taskengine.store.keys import Keys

app = typer.Typer()

SomeIds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID…]", help="Ids of tasks, or beginnings of them.", show_default="all open", callback=whole_ids.tasks,
        autocompletion=offers("task_ids"),
    ),
]

#: Tasks that can be watched at once.
MAX_WATCHED = 2000
#: Seconds between two looks; with a thousand open tasks twice as many.
_LOOK_SECONDS = 0.5
#: Seconds between two lists at least, where something happened that no history told of.
_LIST_SECONDS = 5.0
_RUNNING = frozenset({TaskStatus.RUNNING})
_OPEN = tuple(each for each in TaskStatus if each not in TERMINAL)


@dataclass(slots=True)
class Watch:
    """The tasks that are watched; what is over is not read again."""

    api: BlockingTaskAPI
    found: dict[str, Watched] = field(default_factory=dict)

    def look(self, ids: Iterable[str]) -> None:
        """Read *ids* and what was open before."""
        wanted = dict.fromkeys(ids) | dict.fromkeys(self.open_ids)
        open_ids = set(self.open_ids)
        self.read([id for id in wanted if id not in self.found or id in open_ids])

    def read(self, asked: Sequence[str]) -> None:
        """Read tasks that are watched, or are from now on."""
        if len(self.found.keys() | set(asked)) > MAX_WATCHED:
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
        seen = Watch(api)
        look = partial(seen.look, ids) if ids else Following(api, seen, filters).look
        return _follow(seen, look, once=once, timeout=timeout)


def follow(api: BlockingTaskAPI, ids: Sequence[str], timeout: float | None) -> int:
    """Watch the tasks of these ids, ``MAX_WATCHED`` at most, to their end; the exit code."""
    seen = Watch(api)
    return _follow(seen, partial(seen.look, ids), once=False, timeout=timeout)


class Following:
    """Watches what meets filters: listed once, and from then on by what histories tell.

    A task that comes into a run of which nothing is watched is found by a list, :data:`_LIST_SECONDS` later at most.
    Whoever filters by a status, or asks a server of REST, lists at each look: tasks come to it from runs that are not
    followed.
    """

    def __init__(self, api: CommandLine, seen: Watch, filters: Mapping[str, Any]) -> None:
        self._api = api
        self._seen = seen
        self._filters = dict(filters)
        self._keys = Keys(api.settings.namespace)
        self._position: Position | None = None
        self._list_at = float("-inf")
        self._untold = 0

    def look(self) -> None:
        """See what changed since the last look, everything at the first."""
        if self._api.is_remote:  # it tells no histories of many runs: list again, and read what is open
            self._list()
            return
        if self._position is None:
            self._position = self._api.ask(changes.here(self._keys))
            self._list()
            return
        told = self._api.ask(changes.since(self._keys, self._position, self._runs()))
        self._position = told.position
        self._untold += told.untold
        is_time = self._untold != 0 and time.monotonic() >= self._list_at
        if "status" in self._filters or told.others or is_time:
            self._list()
            return
        found = self._seen.found
        known = [id for id, one in found.items() if self._may_differ(id, one.task, told)]
        self._seen.read([*known, *self._new(told.tasks - found.keys())])

    def _list(self) -> None:
        chosen = [self._filters] if self._filters else [{"status": each} for each in _OPEN]
        self._seen.look(id for each in chosen for id in _listed(self._api, each))
        self._list_at, self._untold = time.monotonic() + _LIST_SECONDS, 0

    def _runs(self) -> set[str]:
        return {str(one.task.run_id) for one in self._seen.found.values() if one.task.status not in TERMINAL}

    def _may_differ(self, id: str, task: Task, told: Changes) -> bool:
        return id in told.tasks or task.status in _RUNNING or str(task.run_id) in told.begun

    def _new(self, ids: Iterable[str]) -> list[str]:
        found = self._api.ask(tasks.read(sorted(ids)))
        return [str(task.id) for task in found if task is not None and _meets(task, self._filters)]


def _meets(task: Task, filters: Mapping[str, Any]) -> bool:
    """Return whether a list by *filters* would show it; without any, one of what is open."""
    values = dict(filters)
    wanted = values.pop("metadata", None)
    if not filters and task.status in TERMINAL:
        return False
    plain = all(str(getattr(task, name)) == str(value) for name, value in values.items())
    return plain and (wanted is None or contains(task.metadata, wanted))


def _listed(api: BlockingTaskAPI, filters: Mapping[str, Any]) -> Iterator[str]:
    cursor, left = None, MAX_WATCHED + 1
    while left > 0:
        page = api.list_tasks(limit=min(1000, left), cursor=cursor, **filters)
        yield from (str(task.id) for task in page)
        cursor, left = page.cursor, left - len(page)
        if cursor is None:
            return


def _follow(seen: Watch, look: Callable[[], None], *, once: bool, timeout: float | None) -> int:
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        with shown(seen.found, once=once) as show:
            while True:
                look()
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
