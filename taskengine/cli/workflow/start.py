"""``taskengine workflow run`` and ``start``."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import typer

from taskengine.api import BlockingTaskAPI
from taskengine.cli.guide import command
from taskengine.cli.options import WaitTimeout
from taskengine.cli.output import OutputOption, answer, say
from taskengine.cli.place import submitting
from taskengine.cli.workflow.follow import run_to_end
from taskengine.cli.workflow.given import is_file, pairs, workflow_in
from taskengine.cli.workflow.options import FileOrName
from taskengine.errors import InvalidInputError
from taskengine.models import Workflow

app = typer.Typer()

Variables = Annotated[
    list[str] | None,
    typer.Option(
        "--var", metavar="NAME=VALUE",
        help="A variable as it begins; again for more. VALUE is JSON, or text: always where the file has text. "
        "@FILE reads an object.",
    ),
]
Context = Annotated[
    list[str] | None,
    typer.Option(
        "--context", metavar="NAME=VALUE", help="What it works on, written as --var; it stands over the file's own."
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key", help="Names this start: the same again finds the first one's workflow.",
        show_default=False,
    ),
]
OwnId = Annotated[
    str | None, typer.Option("--id", help="A UUID of your own, to the same end.", show_default=False)
]


@command(
    app,
    "taskengine workflow run release.yaml",
    "taskengine workflow run release.yaml --context version=1.4 --var dry_run=true",
    "taskengine workflow run release               a registered one",
    "taskengine workflow run ci.yaml --idempotency-key $COMMIT --wait-timeout 1800",
    "taskengine workflow run release.yaml -o json | jq .result",
)
def run(
    workflow: FileOrName,
    var: Variables = None,
    context: Context = None,
    idempotency_key: Key = None,
    id: OwnId = None,
    wait_timeout: WaitTimeout = None,
    output: OutputOption = None,
) -> None:
    """Start a workflow and show it as it goes, to its end.

    The exit code is 0 when it completed, 3 when it failed or was cancelled, 4 when --wait-timeout passed (it goes
    on), 130 after Ctrl-C (it goes on), 1 when it could not be started, or the server stayed away for a minute.
    """
    order = _ordered(workflow, var, context, id, idempotency_key)
    with submitting() as api:
        started = order.start(api)
        say(f"workflow {started} started")
        raise typer.Exit(run_to_end(api, started, wait_timeout))


@command(
    app,
    "taskengine workflow start release.yaml --context version=1.4",
    "taskengine workflow start nightly.yaml --idempotency-key nightly-2030-01-31 -o json | jq -r .id",
)
def start(
    workflow: FileOrName,
    var: Variables = None,
    context: Context = None,
    idempotency_key: Key = None,
    id: OwnId = None,
    output: OutputOption = None,
) -> None:
    """Start a workflow and say its id, without waiting for its end."""
    order = _ordered(workflow, var, context, id, idempotency_key)
    with submitting() as api:
        started = order.start(api)
    data = {"id": str(started), "name": order.name}
    answer(data, f"workflow {started} started\nwatch it: taskengine workflow watch {started}")


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be started: a workflow with all that it begins with, or a name and what differs this time."""

    workflow: Workflow | str
    key: str | None
    context: dict[str, Any]
    variables: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return self.workflow if isinstance(self.workflow, str) else self.workflow.name

    def start(self, api: BlockingTaskAPI) -> UUID:
        """Start it; its id."""
        return api.start_workflow(self.workflow, self.key, self.context or None, self.variables or None)


def _ordered(
    given: str, var: Sequence[str] | None, context: Sequence[str] | None, id: str | None, key: str | None
) -> _Order:
    if is_file(given):
        return _Order(_called(workflow_in(given, var or (), context or ()), id), key, {}, {})
    if id is not None:
        raise InvalidInputError("--id goes with a file; with a name give --idempotency-key", field="id")
    return _Order(given, key, pairs(context or (), "--context"), pairs(var or (), "--var"))


def _called(workflow: Workflow, id: str | None) -> Workflow:
    if id is None:
        return workflow
    try:
        return workflow.model_copy(update={"id": UUID(id)})
    except ValueError as exc:
        raise InvalidInputError(f"--id {id:.60} is no UUID", field="id") from exc
