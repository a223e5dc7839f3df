"""What a command says and where: people read tables, programs read JSON, and errors go to stderr in both
forms.

Names, reasons, errors and logs come from anybody and reach a terminal only through :func:`console`: nothing in them is
markup, an emoji's code or a control character.
"""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from taskengine.errors import InvalidFleetError, InvalidWorkflowError, TaskEngineError, WorkflowFault


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
    typer.Option(
        "--output", "-o", callback=choose, is_eager=True, help="json answers for programs.", show_default=False
    ),
]


def begin() -> None:
    """Forget what an earlier command of this process chose."""
    _choice.output = Output.TEXT


def wants_json() -> bool:
    """Return whether the answer is for a program."""
    return _choice.output is Output.JSON


#: Control characters, what turns the direction of a line, halves of a pair, separators of lines.
_UNFIT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: They join letters of Persian, Indian scripts and emojis.
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"


def clean(text: str) -> str:
    """*text* without characters that would move a terminal's cursor or turn its lines; line ends stay."""
    if text.isprintable():
        return text
    return "".join(map(_fit, text.replace("\r\n", "\n").expandtabs()))


def _fit(char: str) -> str:
    if char == "\n" or char in _JOINERS or unicodedata.category(char) not in _UNFIT:
        return char
    return "\N{REPLACEMENT CHARACTER}"


class _Screen(Console):
    """Takes every text for what it is. Tables measure before this cleans: what goes into one is cleaned before."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for one in super().render(renderable, options):
            yield one if one.control else Segment(clean(one.text), one.style)


def console(*, stderr: bool = False) -> Console:
    """Where text goes: coloured and as wide as it is on a terminal, plain and wide elsewhere."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else shutil.get_terminal_size((200, 50)).columns
    return _Screen(file=stream, width=width, highlight=False, soft_wrap=False, markup=False, emoji=False)


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
    faults = error.faults if isinstance(error, InvalidWorkflowError | InvalidFleetError) else ()
    if wants_json():
        said: dict[str, Any] = {"type": kind, "message": str(error)}
        said |= {"faults": [fault_as_json(fault) for fault in faults]} if faults else {}
        sys.stderr.write(json.dumps({"error": said}) + "\n")
        return
    # Of several faults each gets a line of its own, and all are shown.
    first = str(error) if len(faults) < 2 else f"{len(faults)} faults:"
    if len(faults) == 1 and faults[0].place:
        first = str(faults[0])
    out = console(stderr=True)
    out.print(Text.assemble(("taskengine: ", "bold red"), clean(first)), soft_wrap=True)
    for fault in faults if len(faults) > 1 else ():
        out.print(Text(clean(f"  {fault}")), soft_wrap=True)


def fault_as_json(fault: WorkflowFault) -> dict[str, Any]:
    """Return a fault of a workflow for programs; ``place`` is ``file:line``, None where it came from no file."""
    return {"place": fault.place, "path": fault.path, "says": fault.message}


def warn(message: str) -> None:
    """Say something on stderr that needs eyes and stops nothing."""
    if wants_json():
        sys.stderr.write(json.dumps({"warning": message}) + "\n")
        return
    console(stderr=True).print(Text.assemble(("taskengine: ", "bold yellow"), clean(message)), soft_wrap=True)


def split(values: Sequence[str] | None) -> list[str]:
    """Return the words of an option that may be given several times, hold commas, or both."""
    return [word.strip() for value in values or () for word in value.split(",") if word.strip()]
