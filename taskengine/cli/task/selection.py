"""Which tasks a verb is for: named by id, or found by filter with a dry run and a count that grows."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from taskengine.api import BlockingTaskAPI
from taskengine.cli import whole_ids
from taskengine.cli.lazy import offers
from taskengine.cli.options import AnyUser
from taskengine.cli.output import OutputOption, answer, console, wants_json
from taskengine.cli.place import asking, place
from taskengine.cli.task import values
from taskengine.cli.task.options import (
    AnyAgent,
    AnyCapability,
    AnyPriority,
    AnyRun,
    AnyStatus,
    AnyType,
    CreatedAfter,
    CreatedBefore,
    ErrorKind,
    Metadata,
)
from taskengine.errors import InvalidInputError
from taskengine.models import BulkResult

Verb: TypeAlias = Callable[..., BulkResult]

Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID…]", help="Ids of tasks, or beginnings of them.", show_default=False, callback=whole_ids.tasks,
        autocompletion=offers("meant_ids"),
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every task, without a filter.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count and name what it would be done to.")]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which tasks a command line means."""

    ids: tuple[str, ...]
    #: As the API takes them.
    filters: Mapping[str, Any]
    everything: bool
    dry_run: bool

    @property
    def by_id(self) -> bool:
        """Whether ids were given; InvalidInputError when both or nothing was."""
        if self.ids and (self.filters or self.everything or self.dry_run):
            raise InvalidInputError("ids and filters together; give one or the other", field="ids")
        if not self.ids and not self.filters and not self.everything:
            raise InvalidInputError("no task is meant; give ids, a filter such as --status, or --all", field="ids")
        return bool(self.ids)


def _chosen(
    ids: Ids = None,
    status: AnyStatus = None,
    type: AnyType = None,
    priority: AnyPriority = None,
    assigned_to: AnyAgent = None,
    created_by: AnyUser = None,
    metadata: Metadata = None,
    run: AnyRun = None,
    capability: AnyCapability = None,
    created_after: CreatedAfter = None,
    created_before: CreatedBefore = None,
    error_kind: ErrorKind = None,
    all: All = False,
    dry_run: DryRun = False,
    output: OutputOption = None,
) -> Chosen:
    """Which tasks are meant: the options that all of these commands share."""
    filters = values.filters(
        status, type, priority, assigned_to, created_by, metadata, run, capability, created_after, created_before,
        error_kind,
    )  # fmt: skip
    return Chosen(tuple(ids or ()), filters, everything=all, dry_run=dry_run)


def chosen(command: Callable[..., None]) -> Callable[..., None]:
    """Give *command* the shared options; it is called with what they chose, and its own."""
    shared = inspect.signature(_chosen, eval_str=True).parameters
    own = dict(inspect.signature(command, eval_str=True).parameters)
    del own["which"]

    def run(**given: Any) -> None:
        which = _chosen(**{name: given.pop(name) for name in shared})
        command(which=which, **given)

    first = {name: each for name, each in own.items() if each.default is inspect.Parameter.empty}
    parameters = first | {"ids": shared["ids"]} | own | dict(shared)
    ordered = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters.values()]
    run.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]  # Typer reads it
    run.__annotations__ = {name: each.annotation for name, each in parameters.items()}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


def yes(_answer: object) -> bool:
    """Whatever a call answered, it did what it was asked: a refusal raises."""
    return True


def by_id(which: Chosen, what: str, verb: Callable[[BlockingTaskAPI, str], bool]) -> int:
    """Tell each named task; 1 if one was so already."""
    done = []
    with asking() as api:
        for id in which.ids:
            changed = verb(api, id)
            done.append({"id": id, "done": changed, "status": api.get_task(id).status.value})
    answer(done, "\n".join(_line(one, what) for one in done))
    return 0 if all(one["done"] for one in done) else 1


def _line(one: Mapping[str, Any], what: str) -> str:
    return f"{one['id']} {what if one['done'] else f'needed not to be {what}'}, is {one['status']}"


def by_filter(which: Chosen, what: str, verb: Callable[[BlockingTaskAPI], Verb], **told: Any) -> int:
    """Tell every task that the filter finds, and say how many; 0 also when there is none."""
    wanted = {**which.filters, **told, "everything": which.everything}
    with asking() as api:
        if which.dry_run:
            done = verb(api)(dry_run=True, **wanted)
        else:
            done = _shown(lambda **seen: verb(api)(**wanted, **seen), what)
    answer(done.model_dump(mode="json"), _summary(done, what))
    return 0


def _shown(verb: Verb, what: str) -> BulkResult:
    """Run *verb*, with a bar on a terminal once it is known how much there is."""
    screen = console(stderr=True)
    if wants_json() or not screen.is_terminal:
        return verb()
    total = verb(dry_run=True).matched
    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=screen, transient=True) as bar:
        row = bar.add_task(what, total=total)
        return verb(progress=lambda so_far: bar.update(row, completed=so_far.matched))


#: Words of a result -> what they mean, and what helps.
_WHY = {
    "part": "part of a workflow, opened with it: taskengine workflow retry; 'task why' names it",
    "step": "part of a workflow, deleted with its run",
    "waited": "something open depends on it",
}


def _summary(done: BulkResult, what: str) -> Text:
    verb = f"would be {what}" if done.dry_run else what
    lines = [f"{done.done} of {done.matched} tasks {verb}"]
    lines += [f"  {count} left as they are: {_WHY.get(why, why)}" for why, count in sorted(done.skipped.items())]
    if done.dry_run and done.ids:
        more = ", …" if done.done > len(done.ids) else ""
        lines.append(f"  {', '.join(map(str, done.ids))}{more}")
    if not done.matched:
        lines.append(f"  ({place()})")
    return Text("\n".join(lines))
