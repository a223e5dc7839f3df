"""``taskengine task …``: submit, look, watch, ask why, cancel, retry, read logs."""

from __future__ import annotations

import typer

from taskengine.cli.task import answer, artifacts, change, logs, look, many, submit, watch

app = typer.Typer(name="task", no_args_is_help=True, help="Submit tasks, look at them, cancel and retry them.")
# In the order of --help.
for part in (submit, look, artifacts, logs, watch, answer, change, many):
    app.add_typer(part.app)
