"""``taskengine agents test``: whether this machine could serve an agent now."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import typer
from rich.text import Text

from taskengine.cli.agents.options import Id, Imports
from taskengine.cli.guide import command
from taskengine.cli.output import OutputOption, answer, split
from taskengine.cli.place import asking
from taskengine.cli.text import plain
from taskengine.errors import AgentError

app = typer.Typer()


@command(
    app,
    "taskengine agents test claude_agent_1",
    "taskengine agents test codegen_agent --import my_agents",
    name="test",
)
def try_it(id: Id, imports: Imports = None, output: OutputOption = None) -> None:
    """Try an agent here, with this machine's secrets: what a worker checks when it starts, and whether its service
    would take work. Exit code 1 when it could not work.
    """
    with asking() as api:
        api.get_agent(id)
    found = _examine(id, split(imports))
    answer({"id": id, **found}, _shown(id, found))
    raise typer.Exit(0 if found["ok"] else 1)


def _examine(id: str, modules: list[str]) -> dict[str, Any]:
    """Ask a process of its own: an agent's client and modules are none of the command line's."""
    line = [sys.executable, "-P", "-m", "workers.agents.health", id, *modules]
    said = subprocess.run(line, stdout=subprocess.PIPE, check=False)
    last = said.stdout.decode(errors="replace").strip().rpartition("\n")[2]
    try:
        found = json.loads(last)
        return {"ok": bool(found["ok"]), "text": str(found["text"])}
    except (ValueError, KeyError, TypeError) as exc:
        raise AgentError(
            f"agent {id!r} could not be tried: the trial ended with {said.returncode} and said: {last:.200}"
        ) from exc


def _shown(id: str, found: dict[str, Any]) -> Text:
    word = Text("ok", style="green") if found["ok"] else Text("cannot work here", style="bold red")
    return Text.assemble(plain(id), ": ", word, plain(f": {found['text']}"))
