"""``taskengine task logs``: the lines of a task's attempts, whole or as they come."""

from __future__ import annotations

from rich.text import Text

from taskengine.cli.output import clean, console, json_line, wants_json
from taskengine.cli.place import asking
from taskengine.models import ExecutionLog, LogPage

_STYLES = {"debug": "dim", "info": "", "warning": "yellow", "error": "bold red"}


def show(id: str, *, follow: bool, execution: int | None) -> None:
    """Show the lines that there are and, to *follow*, those to come; Ctrl-C ends it."""
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

    def show(self, page: LogPage) -> None:
        """Show a page."""
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
            self._console.print(_line(line), soft_wrap=True)

    def _note(self, text: str) -> None:
        self._console.print(Text(f"-- {text}", style="dim"), soft_wrap=True)


def _line(line: ExecutionLog) -> Text:
    at = line.timestamp.astimezone().strftime("%H:%M:%S.%f")[:-3]
    more = "".join(f" {name}={value}" for name, value in line.metadata.items())
    return Text.assemble(
        (f"{at} ", "dim"), (f"{line.level.value:<7} ", _STYLES[line.level.value]),
        (f"{clean(line.logger)}: " if line.logger else "", "cyan"), clean(line.message), (clean(more), "dim"),
    )  # fmt: skip
