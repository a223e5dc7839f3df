"""A workflow as it goes, shown: a tree that is drawn over on a terminal, a line for each change elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from rich.live import Live
from rich.text import Text

from taskengine.cli.output import console, json_line, wants_json
from taskengine.cli.text import first_line, plain, status
from taskengine.cli.workflow.tree import done, note, picture
from taskengine.core.lifecycle import WORKFLOW_OVER
from taskengine.models import StepState, StepStatus, WorkflowState
from taskengine.models.workflow_status import TERMINAL_STEPS

#: Nobody asked for these yet: the first look is not told of them.
_UNTOLD = frozenset({StepStatus.PENDING, StepStatus.NOT_TAKEN})
#: Takes a workflow as it is now, and what it waits for when it has not moved for a while.
Show: TypeAlias = "Callable[[WorkflowState, Sequence[str]], None]"


@contextmanager
def shown() -> Iterator[Show]:
    """What shows the workflow; call it after each look."""
    out = console()
    if wants_json() or not out.is_terminal:
        yield _Lines().show
    else:
        with Live(console=out, auto_refresh=False) as live:
            yield lambda state, reasons: live.update(picture(state, out.height, reasons), refresh=True)


@dataclass(slots=True)
class _Lines:
    _before: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _reasons: tuple[str, ...] = ()

    def show(self, state: WorkflowState, reasons: Sequence[str]) -> None:
        if state.status not in WORKFLOW_OVER:
            self._show_workflow(state)
        steps = [each for top in (*state.steps, *state.finally_steps) for each in _as_they_came(top)]
        self._forget({"", *(step.path for step in steps)})
        for step in steps:
            is_first = step.path not in self._before
            if self._is_new(step.path, _change(step)) and not (is_first and step.status in _UNTOLD):
                self._tell(step.path, _called(step), step.status.value, note(step), step)
        if state.status in WORKFLOW_OVER and wants_json():  # people are told how it ended
            self._show_workflow(state)
        if reasons and tuple(reasons) != self._reasons:
            self._reasons = tuple(reasons)
            for why in reasons:
                _say_why(why)

    def _show_workflow(self, state: WorkflowState) -> None:
        if self._is_new("", (state.status, state.reason)):
            self._tell("", state.name, state.status.value, first_line(state.reason or ""), None)

    def _forget(self, paths: set[str]) -> None:
        """Turns and items come and go."""
        for gone in self._before.keys() - paths:
            del self._before[gone]

    def _is_new(self, path: str, change: tuple[object, ...]) -> bool:
        was = self._before.get(path)
        self._before[path] = change
        return was != change

    def _tell(self, path: str, name: str, how: str, note: str, step: StepState | None) -> None:
        if wants_json():
            json_line(_as_json(path, how, note, step))
            return
        line = plain(f"{datetime.now().astimezone():%H:%M:%S} {name} ").append_text(status(how.replace("_", " ")))
        if step is not None and step.attempt > 1:
            line.append(f", attempt {step.attempt}")
        if step is not None and (far := done(step)):
            line.append(f" {far}")
        console().print(line.append_text(plain(f": {note}" if note else "")), soft_wrap=True)


def _as_they_came(step: StepState) -> Iterator[StepState]:
    """Yield a step and those in it: it begins before them, and is over after them."""
    is_over = step.status in TERMINAL_STEPS
    if not is_over:
        yield step
    for child in step.children:
        yield from _as_they_came(child)
    if is_over:
        yield step


def _called(step: StepState) -> str:
    return f"{step.path} {first_line(step.label)}" if step.label else step.path


def _change(step: StepState) -> tuple[object, ...]:
    return step.status, step.attempt, step.why, done(step) if step.kind in ("map", "loop") else ""


def _as_json(path: str, how: str, note: str, step: StepState | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(), "path": path, "status": how, "note": note or None
    }  # fmt: skip
    return found if step is None else {**found, "attempt": step.attempt, "kind": step.kind, "done": done(step) or None}


def _say_why(why: str) -> None:
    if wants_json():
        json_line({"at": datetime.now(UTC).isoformat(), "waits": why})
    else:
        console().print(Text.assemble(("waits: ", "yellow"), plain(why)), soft_wrap=True)
