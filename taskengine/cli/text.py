"""Words, moments and values of the engine as a terminal shows them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from rich.text import Text

from taskengine.cli.output import clean
from taskengine.models import Task

_STYLES = {
    "pending": "dim", "ready": "cyan", "queued": "cyan", "running": "bold blue", "retrying": "yellow",
    "completed": "green", "failed": "bold red", "cancelled": "red", "timed_out": "bold red", "lost": "yellow",
    "waiting": "yellow", "skipped": "dim", "not taken": "dim", "cancelling": "red",
}  # fmt: skip
#: Characters of a JSON value shown on the screen; -o json has it whole.
_SHOWN = 4000


def status(value: str) -> Text:
    """Return a status in its colour."""
    return Text(value, style=_STYLES.get(value, ""))


def moment(at: datetime | None) -> str:
    """Return a moment in the time zone of this machine."""
    return "" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def json_text(value: Any) -> Text:
    """JSON, cut where it is long."""
    return _cut(json.dumps(value, indent=2, ensure_ascii=False))


def result_text(result: dict[str, Any]) -> Text:
    """Return what an agent returned: a text as it is, with its lines, anything else as JSON."""
    value = result.get("value")
    return _cut(value) if isinstance(value, str) and len(result) == 1 else json_text(result)


def _cut(text: str) -> Text:
    return plain(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters; -o json shows all)")


def plain(text: str) -> Text:
    """*text* as it is, of the width that it will have."""
    return Text(clean(text))


def offered(task: Task) -> Text:
    """Return what a worker must offer to get a task: a capability, or to be ``@agent``."""
    return plain(str(task.capability) if task.runs_workflow else task.queue)


def first_line(text: str) -> str:
    """Return the beginning of *text*, for a table."""
    return text.strip().split("\n")[0][:200]
