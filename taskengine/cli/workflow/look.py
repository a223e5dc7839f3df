"""``taskengine workflow status``, ``watch`` and ``list``."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli.guide import command
from taskengine.cli.options import AnyUser, Cursor, Limit, WaitTimeout
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.pages import filled
from taskengine.cli.place import asking, nothing
from taskengine.cli.task.live import spoken
from taskengine.cli.text import first_line, moment, plain
from taskengine.cli.text import status as stands
from taskengine.cli.workflow import follow
from taskengine.cli.workflow.inside import Inside
from taskengine.cli.workflow.options import Which
from taskengine.cli.workflow.reasons import reasons
from taskengine.cli.workflow.tree import picture
from taskengine.core.lifecycle import WORKFLOW_OVER
from taskengine.models import Workflow, WorkflowStatus

app = typer.Typer()

AnyName = Annotated[str | None, typer.Option("--name", help="The whole of it.", show_default="any")]
AnyStatus = Annotated[WorkflowStatus | None, typer.Option("--status", "-s", show_default="any")]
#: Of a definition, in no list.
_STEPS = {"steps", "finally_steps"}
#: Lines of a tree that nobody watches: all.
_EVERY = 100_000


@command(
    app,
    "taskengine workflow status release           the newest of that name",
    "taskengine workflow status 3f2a -o json | jq '.steps[] | {path, status}'",
)
def status(which: Which, output: OutputOption = None) -> None:
    """Show how a workflow and each of its steps stand, what it waits for, and how it ended."""
    with asking() as api:
        state, workflow = api.get_workflow_status(which), api.get_workflow(which)
        is_over = state.status in WORKFLOW_OVER
        seen = Inside(api, which).of(state)
        why = [] if is_over else reasons(api, seen)
    end = [follow.ending(workflow)] if is_over else []
    answer(follow.as_json(state, workflow), Group(picture(seen, _EVERY, why), *end))


@command(
    app,
    "taskengine workflow watch release            the newest of that name, to its end",
    "taskengine workflow watch 3f2a -o json       a line for each change",
)
def watch(which: Which, wait_timeout: WaitTimeout = None, output: OutputOption = None) -> None:
    """Watch a workflow to its end: a tree on a terminal, elsewhere a line for each change of a step.

    The exit code is 0 when it completed, 3 when it failed or was cancelled, 4 when --wait-timeout passed, 130 after
    Ctrl-C; it goes on without being watched.
    """
    with asking() as api:
        raise typer.Exit(follow.watch(api, which, wait_timeout))


@command(
    app,
    "taskengine workflow list",
    "taskengine workflow list --name release --status failed",
    "taskengine workflow list -o json | jq -r '.workflows[].id'",
    name="list",
)
def list_(
    name: AnyName = None,
    status: AnyStatus = None,
    created_by: AnyUser = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    output: OutputOption = None,
) -> None:
    """List workflows, newest first."""
    with asking() as api:
        found, after = filled(
            lambda most, at: api.list_workflows(name, status and str(status), created_by, most, at), limit, cursor
        )
    data = {"workflows": [each.model_dump(mode="json", exclude=_STEPS) for each in found], "cursor": after}
    answer(data, _table(found, after))


def _table(workflows: Sequence[Workflow], cursor: str | None) -> RenderableType:
    if not workflows:
        return nothing("no workflow")
    found = Table(box=None, pad_edge=False, header_style="bold")
    found.add_column("ID", no_wrap=True, min_width=36)
    for title in ("Name", "Status", "Created", "Took", "Why"):
        found.add_column(title, overflow="fold")
    for each in workflows:
        end = each.completed_at or datetime.now(UTC)
        took = "" if each.created_at is None else spoken(max(0.0, (end - each.created_at).total_seconds()))
        where = f"{each.failed_step}: " if each.failed_step else ""
        found.add_row(
            Text(str(each.id)), plain(each.name), stands(each.status.value), Text(moment(each.created_at)), Text(took),
            plain(first_line(where + (each.error_message or each.reason or ""))),
        )  # fmt: skip
    return Group(found, Text(f"more: --cursor {cursor}", style="dim")) if cursor else found
