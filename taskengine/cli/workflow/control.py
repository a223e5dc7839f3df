"""What is said to a workflow that is there: pause, resume, cancel, retry, restart, signal, approve, update."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from taskengine.api.arguments import user
from taskengine.cli.guide import command
from taskengine.cli.lazy import offers
from taskengine.cli.moments import coming
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking
from taskengine.cli.task.values import arguments
from taskengine.cli.text import plain
from taskengine.cli.workflow.given import json_or_text, pairs
from taskengine.cli.workflow.options import By, Id
from taskengine.core.step_index import StepIndex
from taskengine.core.steps.paths import find_step
from taskengine.errors import InvalidInputError
from taskengine.models import ApprovalStep, WorkflowDefinition

app = typer.Typer()

Reason = Annotated[str | None, typer.Option(help="Kept with the workflow.", show_default=False)]
Until = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="Ends by itself: in 90s, 30m, 2h, 1d, or at a date with its time zone."),
]


@command(app, "taskengine workflow pause 3f2a --reason 'change freeze' --until 2h")
def pause(id: Id, reason: Reason = None, until: Until = None, by: By = None, output: OutputOption = None) -> None:
    """Let no step of it start any more; what runs goes on, its timers stand still. Exit code 1 if it was paused."""
    then = None if until is None else coming(until, "--until")
    with asking() as api:
        done = api.pause_workflow(id, reason, then, by)
    _answer(id, "paused", done=done, otherwise="it was paused already, and has the new terms")


@command(app, "taskengine workflow resume 3f2a")
def resume(id: Id, by: By = None, output: OutputOption = None) -> None:
    """End the pause of a workflow; exit code 1 when it was not paused."""
    with asking() as api:
        done = api.resume_workflow(id, by)
    _answer(id, "resumed", done=done, otherwise="it was not paused")


@command(app, "taskengine workflow cancel 3f2a --reason 'wrong branch'")
def cancel(id: Id, reason: Reason = None, output: OutputOption = None) -> None:
    """Cancel a workflow: what has not started never does, what runs is asked to stop. Exit code 1 if it is over."""
    with asking() as api:
        done = api.cancel_workflow(id, reason) if reason else api.cancel_workflow(id)
    _answer(id, "cancelled", done=done, otherwise="it is over, or is being cancelled")


@command(app, "taskengine workflow retry 3f2a && taskengine workflow watch 3f2a")
def retry(id: Id, output: OutputOption = None) -> None:
    """Open a failed or cancelled workflow again: its failed steps run anew, what completed keeps its result."""
    with asking() as api:
        done = api.retry_workflow(id)
    _answer(id, "retried", done=done, otherwise="there was nothing to do")


@command(app, "taskengine workflow restart 3f2a -o json | jq -r .id")
def restart(id: Id, output: OutputOption = None) -> None:
    """Start the definition and context of a workflow once more, and say the new one's id."""
    with asking() as api:
        again = api.restart_workflow(id)
    answer({"id": str(again), "of": id}, f"workflow {again} started\nwatch it: taskengine workflow watch {again}")


@command(
    app,
    "taskengine workflow signal 3f2a go",
    "taskengine workflow signal 3f2a delivered --payload '{\"parcel\": 7}' --signal-id parcel-7",
)
def signal(
    id: Id,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the step waits for.")],
    payload: Annotated[
        str | None, typer.Option(metavar="JSON", help="The output of the step that takes it.", show_default="null")
    ] = None,
    signal_id: Annotated[
        str | None, typer.Option(help="Names this signal: the same again counts once.", show_default=False)
    ] = None,
    output: OutputOption = None,
) -> None:
    """Send a signal to the step that waits for it, or will; exit code 1 when that one was sent before."""
    with asking() as api:
        done = api.signal_workflow(id, name, None if payload is None else json_or_text(payload), signal_id)
    _answer(id, "signalled", done=done, otherwise="that signal was sent before")


@command(
    app,
    "taskengine workflow approve 3f2a ask --by ann",
    "taskengine workflow approve 3f2a ask --by ann --form '{\"hosts\": 3}'",
    "taskengine workflow approve 3f2a ask --reject --reason 'not on a Friday'",
)
def approve(
    id: Id,
    step: Annotated[
        str,
        typer.Argument(metavar="STEP", help="Its path, as 'status' shows.", autocompletion=offers("approvals")),
    ],
    reject: Annotated[bool, typer.Option("--reject", help="Say no.")] = False,
    by: By = None,
    reason: Reason = None,
    form: Annotated[
        str | None, typer.Option(metavar="JSON", help="What its form asks for; @FILE reads it, - takes stdin.")
    ] = None,
    output: OutputOption = None,
) -> None:
    """Answer an approval; exit code 1 when it has its answer, which is told. Who says so is recorded, not proven."""
    with asking() as api:
        _refuse_other(api.get_workflow(id), step)
        done = api.approve(id, step, not reject, user(by, "by"), reason, arguments(form, "--form"))
        first = None if done else api.get_approval(id, step)
    if first is None:
        _answer(id, "rejected" if reject else "approved", done=done, otherwise="it has its answer")
    data = {"id": id, "rejected" if reject else "approved": False, "answer": first.model_dump(mode="json")}
    answer(data, plain(f"workflow {id}: {step} has its answer, and the first one stands: {first}"))
    raise typer.Exit(1)


@command(
    app,
    "taskengine workflow update 3f2a --var approved=true",
    "taskengine workflow update 3f2a --var hosts=3 --if-revision 4",
)
def update(
    id: Id,
    var: Annotated[
        list[str], typer.Option("--var", metavar="NAME=VALUE", help="Again for more; VALUE is JSON or text.")
    ],
    if_revision: Annotated[
        int | None, typer.Option(help="Only while 'status' shows this revision.", show_default="any")
    ] = None,
    output: OutputOption = None,
) -> None:
    """Set variables of a workflow that runs; whoever waits for a condition is asked again."""
    with asking() as api:
        revision = api.update_context(id, pairs(var, "--var"), if_revision)
    answer({"id": id, "revision": revision}, f"workflow {id}: its variables have revision {revision}")


def _refuse_other(workflow: WorkflowDefinition, path: str) -> None:
    """InvalidInputError where no approval is at a path."""
    there = [place.path for place in StepIndex(workflow).places if isinstance(place.step, ApprovalStep)]
    try:
        found = find_step(workflow, path)
    except KeyError:
        found = None
    if not isinstance(found, ApprovalStep):
        named = f"it has {', '.join(there[:10])}" if there else "it has none"
        raise InvalidInputError(f"{path:.80} is no approval of {workflow.name!r:.80}; {named}", field="step")


def _answer(id: str, word: str, *, done: bool, otherwise: str) -> NoReturn:
    """Say what became of it; ends with 1 where nothing did."""
    answer({"id": id, word: done}, f"workflow {id} {word}" if done else f"workflow {id}: {otherwise}")
    raise typer.Exit(0 if done else 1)
