"""``taskengine coordinator``."""

from __future__ import annotations

import typer

from taskengine.cli.guide import command
from taskengine.coordinator.__main__ import main

app = typer.Typer()


@command(
    app,
    "taskengine coordinator",
    "TASKENGINE_REDIS_URL=redis://db:6379/0 taskengine coordinator   on as many machines as you want",
)
def coordinator() -> None:
    """Run a coordinator: it grants, fires timers, rescues what dead workers held, and decides.

    Any number may run; one leads and another one follows within seconds when it dies. SIGHUP begins anew,
    unless it has a terminal.
    """
    raise typer.Exit(main())
