"""``taskengine agents pause``, ``resume`` and ``drain``."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import typer

from taskengine.cli.agents.options import Id, Reason, Until
from taskengine.cli.agents.view import as_json, line
from taskengine.cli.guide import command
from taskengine.cli.moments import coming
from taskengine.cli.output import OutputOption, answer
from taskengine.cli.place import asking, nothing
from taskengine.cli.text import plain

app = typer.Typer()


@command(app, "taskengine agents pause claude_agent_1 --reason 'key is rotated' --until 2h")
def pause(id: Id, reason: Reason = None, until: Until = None, output: OutputOption = None) -> None:
    """Let nothing of an agent start any more; what runs goes on, timers stand still."""
    then = None if until is None else coming(until, "--until")
    with asking() as api:
        made = api.pause_agent(id, reason, then)
    left = f": {made.running} still run" if made.running else ""
    answer(made.model_dump(mode="json"), plain(f"paused: {made}; {made.state}{left}"))


@command(app, "taskengine agents resume claude_agent_1")
def resume(id: Id, output: OutputOption = None) -> None:
    """End the pause and the draining of an agent; exit code 1 when there was neither."""
    with asking() as api:
        done = api.resume_agent(id)
    answer({"id": id, "resumed": done}, plain(f"{id} takes work again") if done else nothing(f"{id} was not paused"))
    raise typer.Exit(0 if done else 1)


@command(
    app, "taskengine agents drain claude_agent_1 --reason upgrade", "taskengine agents drain ID -o json | jq .running"
)
def drain(id: Id, reason: Reason = None, output: OutputOption = None) -> None:
    """Let an agent take nothing new on any worker, until it is resumed; what runs goes on. Again: how much is left."""
    with asking() as api:
        info = api.drain_agent(id, reason)
    answer(as_json(info), line(info))
