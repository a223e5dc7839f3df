"""``taskengine task logs``: the lines of a task's attempts, whole or as they come."""

# ruff: noqa: ARG001  # what -o chose is read where answers are given

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from taskengine.cli.guide import command
from taskengine.cli.output import OutputOption, clean, console, json_line, wants_json
from taskengine.cli.place import asking
from taskengine.cli.task.options import Id
from taskengine.models import ExecutionLog, LogPage

app = typer.Typer()

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on until the task is over.")]
Attempt = Annotated[int | None, typer.Option("--execution", min=1, metavar="N", help="Of attempt N alone.",
                                             show_default="the latest")]  # fmt: skip

#: The logger of lines that are pieces of a stream: they stand beside each other.
STREAM = "stream"
_STYLES = {"debug": "dim", "info": "", "warning": "yellow", "error": "bold red"}


@command(
    app,
    "taskengine task logs ID                what the latest attempt logged and printed",
    "taskengine task logs ID -f             and what follows, until the task is over",
    "taskengine task logs ID --execution 1 -o json",
)
def logs(id: Id, follow: Follow = False, execution: Attempt = None, output: OutputOption = None) -> None:
    """Show what a task's agent logged and printed: the newest 1000 lines, 1 MiB, of an attempt.

    With -o json each line is an object on a line of its own.
    """
    view = _View()
    with asking() as api:
        page = api.get_logs(id, execution)
        view.show(page)
        try:
            while not page.is_over and (follow or page):
                ask = api.follow_logs if follow else api.get_logs
                page = ask(id, execution, page.cursor)
                view.show(page)
        except KeyboardInterrupt:
            return


class _View:
    """Says before the lines of a further attempt which one it is."""

    def __init__(self) -> None:
        self._console = console()
        self._attempt = 0
        #: Whether the cursor stands behind a piece of a stream, in the middle of its line.
        self._is_open = False

    def show(self, page: LogPage) -> None:
        """Print one page of log lines, oldest first."""
        if wants_json():
            for line in page:
                json_line({"attempt": page.attempt, "execution_id": page.execution_id, **line.model_dump(mode="json")})
            return
        if page and page.attempt != self._attempt:
            if self._attempt or page.attempt > 1:
                self._note(f"attempt {page.attempt}")
            self._attempt = page.attempt
        if page.missed:
            self._note(f"{page.missed} older lines were not kept")
        for line in page:
            if line.logger == STREAM:
                self._console.print(Text(clean(line.message)), soft_wrap=True, end="")
                self._is_open = not line.message.endswith("\n")
            else:
                self._end_line()
                self._console.print(_line(line), soft_wrap=True)
        if page.is_over:
            self._end_line()

    def _end_line(self) -> None:
        if self._is_open:
            self._console.print()
            self._is_open = False

    def _note(self, text: str) -> None:
        self._end_line()
        self._console.print(Text(f"-- {text}", style="dim"), soft_wrap=True)


def _line(line: ExecutionLog) -> Text:
    at = line.timestamp.astimezone().strftime("%H:%M:%S.%f")[:-3]
    more = "".join(f" {name}={value}" for name, value in line.metadata.items())
    return Text.assemble(
        (f"{at} ", "dim"), (f"{line.level.value:<7} ", _STYLES[line.level.value]),
        (f"{clean(line.logger)}: " if line.logger else "", "cyan"), clean(line.message), (clean(more), "dim"),
    )  # fmt: skip
