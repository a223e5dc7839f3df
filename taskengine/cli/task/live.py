"""Tasks as they go, shown: a table that is drawn over on a terminal, a line for each change elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from taskengine.cli.output import console, json_line, wants_json
from taskengine.cli.task.view import why
from taskengine.cli.text import first_line, plain, status
from taskengine.core.lifecycle import TERMINAL
from taskengine.models import Task, TaskExecution, TaskStatus

#: Lines of a terminal that the rest of the picture takes.
_AROUND = 6
#: Columns from which on ids are shown whole.
_WIDE = 140
#: What is shown first.
_ORDER = (
    TaskStatus.RUNNING, TaskStatus.RETRYING, TaskStatus.FAILED, TaskStatus.CANCELLED, TaskStatus.PAUSED,
    TaskStatus.READY, TaskStatus.PENDING, TaskStatus.COMPLETED,
)  # fmt: skip
_RUNNING = frozenset({TaskStatus.RUNNING})
_DONE = frozenset({TaskStatus.COMPLETED})


@dataclass(slots=True)
class Watched:
    """A task, and its latest execution while it runs or when it ended."""

    task: Task
    execution: TaskExecution | None

    @property
    def progress(self) -> float | None:
        """0 to 1, as its agent said last; what completed is all done."""
        said = None if self.execution is None else self.execution.progress
        return 1.0 if said is not None and self.task.status in _DONE else said

    @property
    def note(self) -> str:
        """What its agent said of it last while it runs; why it stands where it stands otherwise."""
        said = (self.execution.progress_note if self.execution else None) or ""
        stands = said if self.task.status in _RUNNING else why(self.task) or said
        return first_line("" if self.task.status in _DONE else stands)

    @property
    def seconds(self) -> float | None:
        """How long its latest attempt ran, or runs; None before the first."""
        begin = self.execution.started_at if self.execution else self.task.started_at
        if begin is None:
            return None
        end = self.task.completed_at if self.task.status in TERMINAL else datetime.now(UTC)
        return max(0.0, ((end or begin) - begin).total_seconds())

    def change(self) -> tuple[Any, ...]:
        """Return what makes a new line when it is another than before."""
        tenth = None if self.progress is None else int(self.progress * 10)
        return self.task.status, self.task.attempt, tenth, self.note

    def as_json(self) -> dict[str, Any]:
        """Return the same state as one JSON line."""
        task, run = self.task, self.execution
        return {
            "at": datetime.now(UTC).isoformat(), "id": str(task.id), "name": task.name, "status": task.status.value,
            "progress": self.progress, "note": self.note or None, "agent": run and run.executor_id,
            "node": run and run.node, "seconds": self.seconds, "attempt": task.attempt, "retries": task.retry_count,
        }  # fmt: skip


#: By id.
Seen: TypeAlias = "Mapping[str, Watched]"


@contextmanager
def shown(seen: Seen, *, once: bool) -> Iterator[Callable[[], None]]:
    """What shows the tasks as they are now; call it after each look."""
    out = console()
    if wants_json() or not (out.is_terminal or once):
        yield _Lines(seen).show
    elif once:
        yield lambda: out.print(_picture(seen, len(seen), out.width)) if seen else None
    else:
        with Live(console=out, auto_refresh=False) as live:
            yield lambda: live.update(_picture(seen, max(1, out.height - _AROUND), out.width), refresh=True)


class _Lines:
    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._before: dict[str, tuple[Any, ...]] = {}
        self._console = console()

    def show(self) -> None:
        for id, one in self._seen.items():
            if self._before.get(id) != one.change():
                self._before[id] = one.change()
                if wants_json():
                    json_line(one.as_json())
                else:
                    self._console.print(_line(one), soft_wrap=True)


def _line(one: Watched) -> Text:
    far = "" if one.progress is None else f" {one.progress:.0%}"
    note = f" {one.note}" if one.note else ""
    now = datetime.now().astimezone()
    text = plain(f"{now:%H:%M:%S} {one.task.id} {one.task.name} ")
    return text.append_text(status(one.task.status.value)).append_text(plain(far + note))


def _picture(seen: Seen, rows: int, width: int) -> RenderableType:
    order = {each: at for at, each in enumerate(_ORDER)}
    shown = sorted(seen.values(), key=lambda one: order[one.task.status])
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    for heading in ("ID", "Name", "Status", "Progress", "", "Time", "Tries", "Agent", "Note"):
        right = heading in ("", "Time", "Tries")
        # What gives way where it is narrow is the note alone; see _cells.
        table.add_column(heading, no_wrap=heading != "Note", justify="right" if right else "left")
    for one in shown[:rows]:
        table.add_row(*_cells(one, width))
    counts = Counter(one.task.status for one in shown)
    total = Text(", ").join(Text.assemble(f"{counts[each]} ", status(each.value)) for each in _ORDER if counts[each])
    more = [Text(f"and {len(shown) - rows} more", style="dim")] if len(shown) > rows else []
    return Group(table, *more, "", total)


def _cells(one: Watched, width: int) -> Iterator[RenderableType]:
    task, run = one.task, one.execution
    yield Text(str(task.id) if width >= _WIDE else str(task.id)[:8])
    yield plain(task.name[:40])
    yield status(task.status.value)
    yield "" if one.progress is None else ProgressBar(total=1.0, completed=one.progress, width=12)
    yield "" if one.progress is None else f"{one.progress:.0%}"
    yield "" if one.seconds is None else spoken(one.seconds)
    yield str(task.attempt) if task.attempt else ""
    where = (run.node or "").partition("#")[0] if run else ""
    yield plain(f"{run.executor_id}@{where}" if run and run.executor_id and where else where)
    note = plain(one.note)
    note.no_wrap, note.overflow = True, "ellipsis"
    yield note


def spoken(seconds: float) -> str:
    """Return a length of time in a table: 4.2 s, 1:05, 2:03:04."""
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
