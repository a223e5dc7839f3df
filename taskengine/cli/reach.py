"""Which server of REST ``--url`` names; nothing is imported to note it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer


@dataclass(slots=True)
class _Choice:
    url: str | None = None


_choice = _Choice()


def choose(value: str | None) -> str | None:
    """Note the server that the command speaks to; None: that of the settings."""
    _choice.url = value
    return value


UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", metavar="URL", callback=choose, help="Ask the server of REST at http(s)://HOST instead of the store.",
        show_default="TASKENGINE_URL",
    ),
]


def chosen() -> str | None:
    """Return what ``--url`` says."""
    return _choice.url
