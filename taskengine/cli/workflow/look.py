"""``taskengine workflow status`` and ``watch``."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import typer
from rich.console import Group

from taskengine.cli.guide import command
from taskengine.cli.options import WaitTimeout
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking
from taskengine.cli.workflow import follow
from taskengine.cli.workflow.options import Which
from taskengine.cli.workflow.reasons import reasons
from taskengine.cli.workflow.tree import picture
from taskengine.core.lifecycle import WORKFLOW_OVER

app = typer.Typer()
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
        why = [] if is_over else reasons(api, state)
    end = [follow.ending(workflow)] if is_over else []
    answer(follow.as_json(state, workflow), Group(picture(state, _EVERY, why), *end))


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
