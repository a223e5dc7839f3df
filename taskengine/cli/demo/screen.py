"""What the demo shows while it works: a live picture on a terminal, a line now and then elsewhere.

When the answer is for a program, all of this goes to stderr.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from taskengine.cli.output import console, wants_json
from taskengine.demo.run import Analysis
from taskengine.models import TaskStatus

_STYLES = {
    TaskStatus.PENDING: "dim",
    TaskStatus.READY: "cyan",
    TaskStatus.RUNNING: "bold blue",
    TaskStatus.RETRYING: "yellow",
    TaskStatus.COMPLETED: "green",
    TaskStatus.FAILED: "bold red",
    TaskStatus.CANCELLED: "red",
}
#: States that are shown also when no task is in them.
_ALWAYS = (TaskStatus.PENDING, TaskStatus.READY, TaskStatus.RUNNING, TaskStatus.COMPLETED, TaskStatus.FAILED)
#: Running tasks that are named.
_NAMED = 8
#: Seconds between two lines where nothing can be drawn over.
_LINE_SECONDS = 2.0
_BAR_WIDTH = 40


class Screen:
    """The demo's place to show things."""

    def __init__(self) -> None:
        self._console = console(stderr=wants_json())

    def say(self, what: RenderableType) -> None:
        """Show something that stays."""
        self._console.print(what, soft_wrap=isinstance(what, str))

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Show that something takes its time."""
        if self._console.is_terminal:
            return self._console.status(what)
        self.say(what)
        return nullcontext()

    @contextmanager
    def progress(self, analysis: Analysis) -> Iterator[Callable[[], None]]:
        """A function to call often, which shows how far *analysis* is."""
        begin = time.monotonic()
        if self._console.is_terminal:
            with Live(console=self._console, auto_refresh=False) as live:
                yield lambda: live.update(_picture(analysis, begin, time.monotonic()), refresh=True)
        else:
            lines = _Lines(self._console.print, analysis, begin)
            yield lines.show
            lines.last()


class _Lines:
    def __init__(self, show: Callable[[str], None], analysis: Analysis, begin: float) -> None:
        self._show = show
        self._analysis = analysis
        self._begin = begin
        self._next = begin + _LINE_SECONDS

    def show(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LINE_SECONDS
            self._show(_line(self._analysis, self._begin, now))

    def last(self) -> None:
        self._show(_line(self._analysis, self._begin, time.monotonic()))


def _line(analysis: Analysis, begin: float, now: float) -> str:
    counts = ", ".join(f"{count} {status.value}" for status, count in _counted(analysis) if count)
    done = f"{analysis.ended} of {len(analysis.tasks)}"
    return f"{now - begin:6.1f} s  {done} tasks ended ({counts}), {analysis.rate(now):.0f} tasks/s"


def _picture(analysis: Analysis, begin: float, now: float) -> RenderableType:
    total, ended = len(analysis.tasks), analysis.ended
    head = Table.grid(padding=(0, 2))
    head.add_row(
        ProgressBar(total=total, completed=ended, width=_BAR_WIDTH),
        f"{ended} of {total} tasks",
        f"{analysis.rate(now):.0f} tasks/s",
        f"{now - begin:.0f} s",
    )
    counts = Text("  ").join(
        Text(f"{count} {status.value}", style=_STYLES.get(status, "") if count else "dim")
        for status, count in _counted(analysis)
    )
    return Group(head, counts, *_running(analysis, now))


def _counted(analysis: Analysis) -> list[tuple[TaskStatus, int]]:
    counts = analysis.counts
    return [(status, counts[status]) for status in TaskStatus if counts[status] or status in _ALWAYS]


def _running(analysis: Analysis, now: float) -> Iterator[RenderableType]:
    for id, since in list(analysis.running.items())[:_NAMED]:
        yield Text(
            f"  running {now - since:5.1f} s  {analysis.name(id)}",
            style="dim",
            no_wrap=True,
            overflow="ellipsis",
        )
    if len(analysis.running) > _NAMED:
        yield Text(f"  and {len(analysis.running) - _NAMED} more", style="dim")
