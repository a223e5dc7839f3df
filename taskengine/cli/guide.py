"""How a command is declared, and help texts that read well at any width: paragraphs flow, and each example keeps a
line of its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import typer

C = TypeVar("C", bound=Callable[..., Any])


def examples(*lines: str) -> str:
    """Return the end of a command's help."""
    shown = (line.replace("[", r"\[") for line in lines)  # else markup of rich
    return "\n\n".join(("Examples:", *(f"  {line}" for line in shown)))


def command(app: typer.Typer, *lines: str, name: str | None = None) -> Callable[[C], C]:
    """Make the decorated function a command of *app*; *lines* are its examples, its docstring is its help."""

    def declare(function: C) -> C:
        app.command(name, help=_flowing(inspect.getdoc(function) or ""), epilog=examples(*lines))(function)
        return function

    return declare


def _flowing(text: str) -> str:
    """*text* with a line for each paragraph: Typer keeps line ends, whatever the width of the terminal."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
