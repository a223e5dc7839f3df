"""``taskengine agents …``: register agents by name, look at them, change them, let them rest, try them."""

from __future__ import annotations

import typer

from taskengine.cli.agents import change, file, limits, look, rest, trial, usage

app = typer.Typer(
    name="agents", no_args_is_help=True, help="Agents by name: register them, look at them, steer and try them."
)
# In the order of --help.
for part in (look, change, rest, trial, file, limits, usage):
    app.add_typer(part.app)
