"""``taskengine task get``, ``list`` and ``why``."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli.guide import command
from taskengine.cli.options import AnyUser, Cursor, Limit
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.pages import filled
from taskengine.cli.place import asking
from taskengine.cli.task import values, view
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
    Id,
    Metadata,
)

app = typer.Typer()


@command(app, "taskengine task get ID", "taskengine task get ID -o json | jq .result")
def get(id: Id, output: OutputOption = None) -> None:
    """Show a task with its executions, its reason or error, and its result."""
    with asking() as api:
        task = api.get_task(id)
        executions = api.get_task_executions(id)
        latest = api.get_task_execution(id)
    if latest is not None:  # it alone carries logs
        executions[-1:] = [latest]
    data = {
        **view.as_json(task),
        "executions": [execution.model_dump(mode="json") for execution in executions],
    }
    answer(data, view.whole(task, executions))


@command(
    app,
    "taskengine task list --status failed",
    "taskengine task list --error-kind timeout --created-after 2h",
    "taskengine task list --asking             what waits for somebody's answer",
    "taskengine task list --metadata team=core --limit 100 -o json",
    "taskengine task list --cursor CURSOR      the next page, as the last one says",
    name="list",
)
def list_(
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
    asking_only: Annotated[bool, typer.Option("--asking", help="Only those that wait for somebody's answer.")] = False,
    limit: Limit = 50,
    cursor: Cursor = None,
    output: OutputOption = None,
) -> None:
    """List tasks, newest first."""
    filters = values.filters(
        status, type, priority, assigned_to, created_by, metadata, run, capability, created_after, created_before,
        error_kind,
    )  # fmt: skip
    with asking() as api:
        found, after = filled(
            lambda most, at: api.list_tasks(limit=most, cursor=at, asking=asking_only, **filters), limit, cursor
        )
    data = {"tasks": [view.as_json(task) for task in found], "cursor": after}
    answer(data, view.table(found, after))


@command(app, "taskengine task why ID", "taskengine task why ID -o json | jq -r .headline")
def why(id: Id, output: OutputOption = None) -> None:
    """Say why a task is where it is: what it waits for, its place, its error, and what to do about it."""
    with asking() as api:
        explanation = api.explain(id)
    answer(explanation.model_dump(mode="json"), view.explained(explanation))
