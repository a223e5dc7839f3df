"""What several commands of a workflow take, and how they end."""

from __future__ import annotations

from typing import Annotated

import typer

from taskengine.cli import whole_ids
from taskengine.cli.lazy import offers
from taskengine.core.lifecycle import WORKFLOW_COMPLETED, WORKFLOW_OVER
from taskengine.models import WorkflowStatus

#: Exit codes: it FAILED or was CANCELLED; it was not over in time; whoever watched went away.
NOT_COMPLETED, NOT_OVER, INTERRUPTED = 3, 4, 130

File = Annotated[str, typer.Argument(metavar="FILE", help="The file; JSON when its name ends in .json, else YAML.")]
FileOrName = Annotated[
    str,
    typer.Argument(
        metavar="FILE|NAME", help="A file (.json, or YAML), or the name of a registered workflow.",
        autocompletion=offers("definitions"),
    ),
]
Id = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The workflow's id, or a beginning of it.", callback=whole_ids.workflow,
        autocompletion=offers("workflow_ids"),
    ),
]
Which = Annotated[
    str,
    typer.Argument(
        metavar="WORKFLOW", help="Its id, a beginning of it, or its name: the newest of that name.",
        callback=whole_ids.workflow_or_name, autocompletion=offers("workflows"),
    ),
]
By = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who says so.", show_default="the user of the system")
]


def exit_code(status: WorkflowStatus) -> int:
    """0, or NOT_COMPLETED of one that is over and did not complete."""
    return NOT_COMPLETED if status in WORKFLOW_OVER - WORKFLOW_COMPLETED else 0
