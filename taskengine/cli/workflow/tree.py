"""A workflow as a tree in columns; where it is higher than its terminal, what is quiet in it is folded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from taskengine.cli.task.live import spoken
from taskengine.cli.text import first_line, plain, status
from taskengine.models import StepState, StepStatus, WorkflowState
from taskengine.models.workflow_status import TERMINAL_STEPS

#: A step in one of these need not be looked at.
QUIET = frozenset(
    {StepStatus.PENDING, StepStatus.COMPLETED, StepStatus.SKIPPED, StepStatus.NOT_TAKEN, StepStatus.CANCELLED}
)
_DONE = frozenset({StepStatus.COMPLETED, StepStatus.SKIPPED})
#: What is counted first below the tree.
_ORDER = (
    StepStatus.FAILED, StepStatus.RUNNING, StepStatus.RETRYING, StepStatus.WAITING, StepStatus.PAUSED,
    StepStatus.READY, StepStatus.PENDING, StepStatus.CANCELLED, StepStatus.NOT_TAKEN, StepStatus.SKIPPED,
    StepStatus.COMPLETED,
)  # fmt: skip
#: Lines around the tree: two above, an empty one and the counts below.
_AROUND = 5
_NUMBER = re.compile(r"\[\d+\]")
#: Steps of a kind beside each other from which on they are told as one line.
_MANY = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the tree: a step behind its guides, or a note in the place of several."""

    guides: str
    step: StepState | None
    note: str = ""


def walk(state: WorkflowState) -> Iterator[StepState]:
    """Yield every step, in the order of the definition, those at its end last."""
    for step in (*state.steps, *state.finally_steps):
        yield from below(step)


def leaves(state: WorkflowState) -> Iterator[StepState]:
    """Yield the steps that hold no others."""
    return (step for step in walk(state) if not step.children)


def _defined(step: StepState) -> Iterator[StepState]:
    """Yield the steps in a step that hold no others; of turns and items, which come and go, none."""
    if step.kind in ("loop", "map", "sub_workflow") or not step.children:
        yield step
        return
    for child in step.children:
        yield from _defined(child)


def below(step: StepState) -> Iterator[StepState]:
    """Yield a step and all in it."""
    yield step
    for child in step.children:
        yield from below(child)


def picture(state: WorkflowState, rows: int, reasons: Sequence[str] = ()) -> RenderableType:
    """Return the tree in *rows* lines at most, with what it waits for below."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Step", "Status", "Done", "Time", "Tries", "Note"):
        right = title in ("Done", "Time", "Tries")
        # What gives way where it is narrow is the note alone; see _cells.
        table.add_column(title, no_wrap=title != "Note", justify="right" if right else "left")
    for line in fitted(state, max(1, rows - _AROUND - len(reasons))):
        table.add_row(*_cells(line))
    return Group(heading(state), table, "", counted(state), *(plain(f"waits: {first_line(why)}") for why in reasons))


def heading(state: WorkflowState) -> Text:
    """Return which workflow it is and how it stands."""
    text = plain(f"{state.name} {state.id} ").append_text(status(state.status.value))
    seconds = _seconds(state.started_at or state.created_at, state.completed_at)
    return text.append(f" {spoken(seconds)}") if seconds is not None else text


def counted(state: WorkflowState) -> Text:
    """Return its steps by status, those that hold others not counted."""
    counts = Counter(step.status for top in (*state.steps, *state.finally_steps) for step in _defined(top))
    parts = [Text.assemble(f"{counts[each]} ", _status(each)) for each in _ORDER if counts[each]]
    return Text(", ").join(parts) if parts else Text("no step", style="dim")


def fitted(state: WorkflowState, rows: int) -> list[Line]:
    """Return the lines of the tree: all of them where they fit, else with as little folded as makes them fit."""
    lines: list[Line] = []
    for fold in range(3):
        lines = list(_tree(state, fold))
        if len(lines) <= rows:
            return lines
    return _cut(lines, rows)


def _tree(state: WorkflowState, fold: int) -> Iterator[Line]:
    yield from _lines(state.steps, fold, "")
    if state.finally_steps:
        yield Line("", None, "at the end")
        yield from _lines(state.finally_steps, fold, "")


def _lines(steps: Sequence[StepState], fold: int, above: str) -> Iterator[Line]:
    """Fold 1 closes what holds only quiet steps, fold 2 tells neighbours of one quiet status as one line as well."""
    entries = _entries(steps) if fold > 1 else [(step,) for step in steps]
    for at, entry in enumerate(entries):
        is_last = at == len(entries) - 1
        guides = above + ("└─ " if is_last else "├─ ")
        if len(entry) > 1:
            yield Line(guides, None, f"{len(entry)} steps {_word(entry[0].status)}")
            continue
        yield Line(guides, entry[0])
        if not fold or not all(step.status in QUIET for step in below(entry[0])):
            yield from _lines(entry[0].children, fold, above + ("   " if is_last else "│  "))


def _entries(steps: Sequence[StepState]) -> list[tuple[StepState, ...]]:
    found: list[tuple[StepState, ...]] = []
    for is_quiet, run in groupby(steps, lambda step: step.status if _is_quiet(step) else None):
        alike = tuple(run)
        found += [alike] if is_quiet and len(alike) >= _MANY else [(step,) for step in alike]
    return found


def _is_quiet(step: StepState) -> bool:
    return all(each.status in QUIET for each in below(step))


def _cut(lines: Sequence[Line], rows: int) -> list[Line]:
    """Return the lines around the first that somebody would look at."""
    inner = max(1, rows - 2)
    busy = next((at for at, line in enumerate(lines) if line.step and line.step.status not in QUIET), 0)
    start = max(0, min(busy - inner // 3, len(lines) - inner))
    shown = list(lines[start : start + inner])
    left = len(lines) - start - len(shown)
    above = [Line("", None, f"… {start} lines above")] if start else []
    return [*above, *shown, *([Line("", None, f"… {left} lines below")] if left else [])]


def _cells(line: Line) -> Iterator[Text]:
    step = line.step
    if step is None:
        yield Text.assemble((line.guides, "dim"), (line.note, "dim italic"))
        return
    yield Text.assemble((line.guides, "dim"), plain(named(step)), (_kind(step), "dim"))
    yield _status(step.status)
    yield Text(done(step))
    seconds = _seconds(*_span(step))
    yield Text("" if seconds is None else spoken(seconds))
    yield Text(str(step.attempt) if step.attempt else "")
    said = plain(note(step))
    said.no_wrap, said.overflow = True, "ellipsis"
    yield said


def named(step: StepState) -> str:
    """Return its name, and what it is called for people."""
    return f"{step.name} {first_line(step.label)}" if step.label else step.name


def _kind(step: StepState) -> str:
    words = "" if step.kind in ("task", "sequential", "turn", "item") else f"  {step.kind.replace('_', ' ')}"
    return f"{words} → {step.branch}" if step.branch else words


def done(step: StepState) -> str:
    """Return how many of the steps, turns or items in it are over; '' of one that holds none."""
    if step.counts is not None and step.kind in ("map", "loop"):
        over = step.counts.total - step.counts.open
        bad = f", {step.counts.failed} failed" if step.counts.failed else ""
        return f"{over}/{step.counts.total}{bad}" if step.kind in ("map",) else f"turn {step.counts.total}"
    inside = () if step.kind in ("conditional",) else step.children  # which branch, nobody knows before
    return f"{sum(one.status in TERMINAL_STEPS for one in inside)}/{len(inside)}" if inside else ""


def states_of(state: WorkflowState) -> dict[str, str]:
    """Path of a step, without the numbers of turns and items -> the status of those that matter most."""
    found: dict[str, StepStatus] = {}
    for step in walk(state):
        if step.kind not in ("turn", "item"):
            path = _NUMBER.sub("", step.path)
            found[path] = min(found.get(path, step.status), step.status, key=_ORDER.index)
    return {path: status.value for path, status in found.items()}


def note(step: StepState) -> str:
    """What it waits for, or why it failed; '' of one that is as it should be."""
    if step.status in _DONE:
        return ""
    return first_line(step.error_message or step.why or "")


def _status(of: StepStatus) -> Text:
    return status(_word(of))


def _word(of: StepStatus) -> str:
    return of.value.replace("_", " ")


def _span(step: StepState) -> tuple[datetime | None, datetime | None]:
    """From when to when it ran; of a step that holds others, from the first of them to the last."""
    inside = [_span(child) for child in step.children]
    starts = [start for start, _ in inside if start is not None]
    start = step.started_at or min(starts, default=None)
    ends = [end for begin, end in inside if begin is not None and end is not None]
    is_over = step.status in TERMINAL_STEPS
    return start, (step.completed_at or max(ends, default=None)) if is_over else None


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None else max(0.0, ((end or datetime.now(UTC)) - start).total_seconds())

