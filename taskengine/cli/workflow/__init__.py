"""``taskengine workflow …``: run a workflow, look at it as it goes, steer it, and examine its file."""

from __future__ import annotations

import typer

from taskengine.cli.workflow import control, file, look, start

app = typer.Typer(
    name="workflow", no_args_is_help=True, help="Workflows: run them from a file, look at them, steer them."
)
# In the order of --help.
for part in (start, look, control, file):
    app.add_typer(part.app)
