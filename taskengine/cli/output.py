"""What a command says and where: people read tables, programs read JSON, and errors go to stderr in both
forms.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from taskengine.errors import TaskEngineError


class Output(StrEnum):
    """The forms of an answer."""

    TEXT = "text"
    JSON = "json"


@dataclass(slots=True)
class _Choice:
    output: Output = Output.TEXT


_choice = _Choice()


def choose(value: Output | None) -> Output | None:
    """Note the form that ``-o`` names; it may stand before or behind the command."""
    if value is not None:
        _choice.output = value
    return value


OutputOption = Annotated[
    Output | None,
    typer.Option("--output", "-o", callback=choose, help="json answers for programs.", show_default=False),
]


def begin() -> None:
    """Forget what an earlier command of this process chose."""
    _choice.output = Output.TEXT


def wants_json() -> bool:
    """Whether the answer is for a program."""
    return _choice.output is Output.JSON


def console(*, stderr: bool = False) -> Console:
    """Where text goes: coloured and as wide as it is on a terminal, plain and wide elsewhere."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else shutil.get_terminal_size((200, 50)).columns
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


def say(what: RenderableType) -> None:
    """Show something to people; nothing happens when a program listens."""
    if not wants_json():
        console().print(what, soft_wrap=isinstance(what, str | Text))


def answer(data: Any, text: RenderableType) -> None:
    """Give the answer of a command: *data* to a program, *text* to people."""
    if wants_json():
        sys.stdout.write(json.dumps(data, indent=2, default=str) + "\n")
    else:
        say(text)


def json_line(data: Any) -> None:
    """One JSON object on a line of its own, for commands that go on answering."""
    sys.stdout.write(json.dumps(data, default=str) + "\n")
    sys.stdout.flush()


def complain(error: TaskEngineError | str, *, kind: str | None = None) -> None:
    """Say on stderr what went wrong, in the chosen form."""
    kind = kind or type(error).__name__
    if wants_json():
        sys.stderr.write(json.dumps({"error": {"type": kind, "message": str(error)}}) + "\n")
        return
    console(stderr=True).print(Text.assemble(("taskengine: ", "bold red"), str(error)), soft_wrap=True)


def warn(message: str) -> None:
    """Say something on stderr that needs eyes and stops nothing."""
    if wants_json():
        sys.stderr.write(json.dumps({"warning": message}) + "\n")
        return
    console(stderr=True).print(Text.assemble(("taskengine: ", "bold yellow"), message), soft_wrap=True)


def split(values: Sequence[str] | None) -> list[str]:
    """The words of an option that may be given several times, hold commas, or both."""
    return [word.strip() for value in values or () for word in value.split(",") if word.strip()]
