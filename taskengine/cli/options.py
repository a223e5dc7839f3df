"""Options that commands of several nouns take."""

from __future__ import annotations

from typing import Annotated

import typer

AnyUser = Annotated[str | None, typer.Option(metavar="USER", show_default="anybody")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)]
Cursor = Annotated[str | None, typer.Option(help="Where the last page ended.", show_default=False)]
Once = Annotated[bool, typer.Option("--once", help="Show them now, and end.")]
WaitTimeout = Annotated[
    float | None, typer.Option(min=0, metavar="SECONDS", help="Wait no longer.", show_default="for ever")
]
