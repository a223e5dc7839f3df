"""``taskengine task cancel|pause|resume|hold|release|retry|set-priority|delete``: by id, or by filter."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from taskengine.cli import completion, whole_ids
from taskengine.cli.guide import add
from taskengine.cli.output import OutputOption
from taskengine.cli.task_commands import (
    AnyAgent,
    AnyCapability,
    AnyPriority,
    AnyRun,
    AnyStatus,
    AnyType,
    AnyUser,
    Metadata,
    Priority,
    Reason,
    Wait,
    WaitTimeout,
)


def register(task: typer.Typer) -> None:
    """Add the commands to those of a task."""
    add(
        task,
        cancel,
        "taskengine task cancel ID --reason 'wrong branch'",
        "taskengine task cancel --capability render --status ready --dry-run",
        "taskengine task cancel --run ID",
    )
    add(
        task,
        pause,
        "taskengine task pause ID1 ID2 --reason 'look first'",
        "taskengine task pause --metadata team=core --until 2h",
    )
    add(task, resume, "taskengine task resume ID", "taskengine task resume --status paused")
    add(task, hold, "taskengine task hold ID", "taskengine task hold --run ID")
    add(task, release, "taskengine task release ID", "taskengine task release --run ID")
    add(
        task,
        retry,
        "taskengine task retry ID --wait --wait-timeout 60",
        "taskengine task retry --status failed --capability deploy",
    )
    add(
        task,
        set_priority,
        "taskengine task set-priority critical ID",
        "taskengine task set-priority low --metadata team=batch --status ready",
        name="set-priority",
    )
    add(
        task,
        delete,
        "taskengine task delete ID --cascade",
        "taskengine task delete --status completed --run ID",
    )


Ids = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ID…]", help="Ids of tasks, or beginnings of them.", show_default=False, callback=whole_ids.tasks,
        autocompletion=completion.meant_ids,
    ),
]
All = Annotated[bool, typer.Option("--all", help="Every task, without a filter.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count and name what it would be done to.")]
Until = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="Ends by itself: in 90s, 2h, 1d, or a date.", show_default=False),
]
Cascade = Annotated[bool, typer.Option("--cascade", help="Cancel it, and what depends on it, first; by id only.")]
Level = Annotated[Priority, typer.Argument(case_sensitive=False, help="The new one.")]


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
    all: All = False,
    dry_run: DryRun = False,
    output: OutputOption = None,
) -> Any:
    """Which tasks are meant: the options that all of these commands share."""
    from taskengine.cli import tasks
    from taskengine.cli.many import Chosen

    filters = tasks.filters(status, type, priority, assigned_to, created_by, metadata, run, capability)
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


@chosen
def cancel(which: Any, reason: Reason = None) -> None:
    """Cancel tasks: at once where they have not started, else as soon as their agents return."""
    from taskengine.cli import many

    raise typer.Exit(many.cancel(which, reason=reason))


@chosen
def pause(which: Any, reason: Reason = None, until: Until = None) -> None:
    """Pause tasks by name; one that runs makes no further attempt. Their timers stand still.

    To hold back a whole capability, agent or run, 'taskengine pause' is one flag.
    """
    from taskengine.cli import many

    raise typer.Exit(many.pause(which, reason=reason, until=until))


@chosen
def resume(which: Any) -> None:
    """Let tasks go on that were paused by name, each to where its waits put it now."""
    from taskengine.cli import many

    raise typer.Exit(many.resume(which))


@chosen
def hold(which: Any) -> None:
    """Keep tasks that have not started from starting, also those that are queued."""
    from taskengine.cli import many

    raise typer.Exit(many.hold(which))


@chosen
def release(which: Any) -> None:
    """Take the hold off tasks."""
    from taskengine.cli import many

    raise typer.Exit(many.release(which))


@chosen
def retry(which: Any, wait: Wait = False, wait_timeout: WaitTimeout = None) -> None:
    """Open failed or cancelled tasks again, with what their failures closed."""
    from taskengine.cli import many

    raise typer.Exit(many.retry(which, wait=wait, timeout=wait_timeout))


@chosen
def set_priority(level: Level, which: Any) -> None:
    """Give tasks another priority; it counts at once for all that have not started."""
    from taskengine.cli import many

    raise typer.Exit(many.set_priority(which, level=level.value))


@chosen
def delete(which: Any, cascade: Cascade = False) -> None:
    """Delete tasks that are over and that nothing waits for, with their executions and logs."""
    from taskengine.cli import many

    raise typer.Exit(many.delete(which, cascade=cascade))
