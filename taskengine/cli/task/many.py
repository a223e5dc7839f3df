"""``taskengine task cancel|pause|resume|hold|release|retry|set-priority|delete``: by id, or by filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from taskengine.cli.guide import command
from taskengine.cli.moments import coming
from taskengine.cli.options import WaitTimeout
from taskengine.cli.output import answer
from taskengine.cli.place import asking
from taskengine.cli.task import values, view
from taskengine.cli.task.follow import follow
from taskengine.cli.task.options import Priority, Reason, Wait
from taskengine.cli.task.selection import Chosen, by_filter, by_id, chosen, yes
from taskengine.errors import InvalidInputError

app = typer.Typer()

Until = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="Ends by itself: in 90s, 2h, 1d, or a date.", show_default=False),
]
Cascade = Annotated[bool, typer.Option("--cascade", help="Cancel it, and what depends on it, first; by id only.")]
Level = Annotated[Priority, typer.Argument(case_sensitive=False, help="The new one.")]


@command(
    app,
    "taskengine task cancel ID --reason 'wrong branch'",
    "taskengine task cancel --capability render --status ready --dry-run",
    "taskengine task cancel --run ID",
)
@chosen
def cancel(which: Chosen, reason: Reason = None) -> None:
    """Cancel tasks: at once where they have not started, else as soon as their agents return."""
    told = {} if reason is None else {"reason": reason}
    if which.by_id:
        raise typer.Exit(_cancel(which.ids, told))
    raise typer.Exit(by_filter(which, "cancelled", lambda api: api.cancel_tasks, **told))


def _cancel(ids: Sequence[str], told: Mapping[str, str]) -> int:
    """Cancel tasks by id; 1 if one had already ended."""
    answers = []
    with asking() as api:
        for id in ids:
            done = api.cancel_task_execution(id, **told)
            answers.append({"id": id, "cancelled": done, "status": api.get_task(id).status.value})
    answer(answers, "\n".join(map(_cancelled, answers)))
    return 0 if all(each["cancelled"] for each in answers) else 1


def _cancelled(told: Mapping[str, Any]) -> str:
    if not told["cancelled"]:
        return f"{told['id']} is {told['status']}: there was nothing to cancel"
    if told["status"] == "running":
        return f"{told['id']} runs: its agent is asked to stop"
    return f"{told['id']} {told['status']}"


@command(
    app,
    "taskengine task pause ID1 ID2 --reason 'look first'",
    "taskengine task pause --metadata team=core --until 2h",
)
@chosen
def pause(which: Chosen, reason: Reason = None, until: Until = None) -> None:
    """Pause tasks by name; one that runs makes no further attempt. Their timers stand still.

    To hold back a whole capability, agent or run, 'taskengine pause' is one flag.
    """
    told: dict[str, Any] = {"reason": reason, "until": None if until is None else coming(until, "--until")}
    if which.by_id:
        raise typer.Exit(by_id(which, "paused", lambda api, id: yes(api.pause_task(id, **told))))
    raise typer.Exit(by_filter(which, "paused", lambda api: api.pause_tasks, **told))


@command(app, "taskengine task resume ID", "taskengine task resume --status paused")
@chosen
def resume(which: Chosen) -> None:
    """Let tasks go on that were paused by name, each to where its waits put it now."""
    if which.by_id:
        raise typer.Exit(by_id(which, "resumed", lambda api, id: api.resume_task(id)))
    raise typer.Exit(by_filter(which, "resumed", lambda api: api.resume_tasks))


@command(app, "taskengine task hold ID", "taskengine task hold --run ID")
@chosen
def hold(which: Chosen) -> None:
    """Keep tasks that have not started from starting, also those that are queued."""
    if which.by_id:
        raise typer.Exit(by_id(which, "held", lambda api, id: api.hold_task(id)))
    raise typer.Exit(by_filter(which, "held", lambda api: api.hold_tasks))


@command(app, "taskengine task release ID", "taskengine task release --run ID")
@chosen
def release(which: Chosen) -> None:
    """Take the hold off tasks."""
    if which.by_id:
        raise typer.Exit(by_id(which, "released", lambda api, id: api.release_task(id)))
    raise typer.Exit(by_filter(which, "released", lambda api: api.release_tasks))


@command(
    app,
    "taskengine task retry ID --wait --wait-timeout 60",
    "taskengine task retry --status failed --capability deploy",
)
@chosen
def retry(which: Chosen, wait: Wait = False, wait_timeout: WaitTimeout = None) -> None:
    """Open failed or cancelled tasks again, with what their failures closed."""
    if which.by_id and len(which.ids) == 1:
        raise typer.Exit(_retry(which.ids[0], wait=wait, timeout=wait_timeout))
    if wait:
        raise InvalidInputError("--wait follows one task; name it alone", field="wait")
    if which.by_id:
        raise typer.Exit(by_id(which, "opened again", lambda api, id: yes(api.retry_task(id, wait=False))))
    raise typer.Exit(by_filter(which, "opened again", lambda api: api.retry_tasks))


def _retry(id: str, *, wait: bool, timeout: float | None) -> int:
    """Open one task again; the exit code."""
    with asking() as api:
        api.retry_task(id, wait=False)
        task = api.get_task(id)
        if wait:
            return follow(api, task, timeout)
    answer(view.as_json(task), f"{task.id} {task.status.value}")
    return 0


@command(
    app,
    "taskengine task set-priority critical ID",
    "taskengine task set-priority low --metadata team=batch --status ready",
    name="set-priority",
)
@chosen
def set_priority(level: Level, which: Chosen) -> None:
    """Give tasks another priority; it counts at once for all that have not started."""
    priority, what = values.priority(level), f"set to {level}"
    if which.by_id:
        raise typer.Exit(by_id(which, what, lambda api, id: yes(api.update_task(id, priority=priority))))
    raise typer.Exit(by_filter(which, what, lambda api: api.update_tasks, new_priority=priority))


@command(
    app,
    "taskengine task delete ID --cascade",
    "taskengine task delete --status completed --run ID",
)
@chosen
def delete(which: Chosen, cascade: Cascade = False) -> None:
    """Delete tasks that are over and that nothing waits for, with their executions and logs."""
    if which.by_id:
        raise typer.Exit(_delete(which.ids, cascade=cascade))
    if cascade:
        raise InvalidInputError("--cascade deletes by id; cancel by filter first, then delete", field="cascade")
    raise typer.Exit(by_filter(which, "deleted", lambda api: api.delete_tasks))


def _delete(ids: Sequence[str], *, cascade: bool) -> int:
    """Delete tasks by id; 1 if one was not there."""
    with asking() as api:
        done = [{"id": id, "deleted": api.delete_task(id, cascade)} for id in ids]
    answer(done, "\n".join(f"{one['id']} {'deleted' if one['deleted'] else 'is not there'}" for one in done))
    return 0 if all(one["deleted"] for one in done) else 1
