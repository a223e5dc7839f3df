"""``--wait`` for one task: each change of its state as it comes, why it waits when it does, and how it ended."""

from __future__ import annotations

import time
from datetime import datetime

from rich.text import Text

from taskengine.api import BlockingTaskAPI
from taskengine.cli.output import answer, say, wants_json
from taskengine.cli.task import view
from taskengine.cli.text import first_line, plain, status
from taskengine.core.lifecycle import REOPENABLE, TERMINAL
from taskengine.errors import WaitTimeoutError
from taskengine.models import Task, TaskStatus

#: Seconds between two looks; its end is noticed at once.
_LOOK_SECONDS = 0.5
#: Seconds after which somebody wants to know why it does not start.
_QUIET_SECONDS = 2.0
_READY = frozenset({TaskStatus.READY})


def follow(api: BlockingTaskAPI, task: Task, timeout: float | None) -> int:
    """Wait for the end of a task and show it; 1 unless it completed. A program hears of the end alone."""
    if wants_json():
        api.wait([task.id], timeout)
    else:
        _tell(api, task, timeout)
    ended = api.get_task(task.id)
    answer(view.as_json(ended), view.ending(ended))
    return 1 if ended.status in REOPENABLE else 0


def _tell(api: BlockingTaskAPI, task: Task, timeout: float | None) -> None:
    deadline = None if timeout is None else time.monotonic() + timeout
    seen: tuple[object, ...] | None = None
    why_at = float("inf")
    while not _is_over(api, task, deadline):
        task = api.get_task(task.id)
        change = (task.status, task.attempt, None if task.status in _READY else task.reason)
        if change != seen and task.status not in TERMINAL:
            seen = change
            say(_line(task))
            why_at = time.monotonic() + _QUIET_SECONDS if task.status in _READY else float("inf")
        elif time.monotonic() >= why_at:
            why_at = float("inf")
            say(view.explained(api.explain(task.id)))
        if deadline is not None and timeout is not None and time.monotonic() >= deadline:
            raise WaitTimeoutError([str(task.id)], timeout)


def _is_over(api: BlockingTaskAPI, task: Task, deadline: float | None) -> bool:
    """Return whether it ended within a look."""
    left = _LOOK_SECONDS if deadline is None else min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic()))
    try:
        api.wait([task.id], left)
    except WaitTimeoutError:
        return False
    return True


def _line(task: Task) -> Text:
    line = Text.assemble((f"{datetime.now().astimezone():%H:%M:%S} ", "dim"), status(task.status.value))
    if task.attempt > 1:
        line.append(f", attempt {task.attempt}")
    if task.reason and task.status not in _READY:
        line.append_text(plain(f": {first_line(task.reason)}"))
    return line
