"""``taskengine task …``: from words to the API, and back to words."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from taskengine.cli import task_view
from taskengine.cli.follow import follow
from taskengine.cli.moments import coming
from taskengine.cli.output import answer, say
from taskengine.cli.place import asking, submitting
from taskengine.errors import InvalidInputError
from taskengine.models import TaskCreateRequest, TaskPriority


def submit(given: dict[str, Any], *, wait: bool, timeout: float | None) -> int:
    """Submit a task with these request fields; the exit code."""
    request = TaskCreateRequest(**given | {"priority": priority(given["priority"])})
    with submitting() as api:
        stored = api.create_task(request)
        if not wait:
            note = f" ({stored.reason})" if stored.reason else ""
            answer(task_view.as_json(stored), f"{stored.id} {stored.status.value}{note}")
            return 0
        say(f"{stored.id} submitted")
        return follow(api, stored, timeout)


def show(id: str) -> None:
    """Show a task and its executions."""
    with asking() as api:
        task = api.get_task(id)
        executions = api.get_task_executions(id)
        latest = api.get_task_execution(id)
    if latest is not None:  # it alone carries logs
        executions[-1:] = [latest]
    data = {
        **task_view.as_json(task),
        "executions": [execution.model_dump(mode="json") for execution in executions],
    }
    answer(data, task_view.whole(task, executions))


def why(id: str) -> None:
    """Say why a task is where it is."""
    with asking() as api:
        explanation = api.explain(id)
    answer(explanation.model_dump(mode="json"), task_view.explained(explanation))


def list_(*, filters: dict[str, Any], limit: int, cursor: str | None) -> None:
    """List tasks that meet every filter."""
    with asking() as api:
        page = api.list_tasks(limit=limit, cursor=cursor, **filters)
    answer(
        {"tasks": [task_view.as_json(task) for task in page], "cursor": page.cursor},
        task_view.table(page, page.cursor),
    )


def cancel(ids: Sequence[str], *, reason: str | None) -> int:
    """Cancel tasks; 1 if one had already ended."""
    told = {} if reason is None else {"reason": reason}
    answers = []
    with asking() as api:
        for id in ids:
            done = api.cancel_task_execution(id, **told)
            answers.append({"id": id, "cancelled": done, "status": api.get_task(id).status.value})
    answer(answers, "\n".join(map(_cancelled, answers)))
    return 0 if all(each["cancelled"] for each in answers) else 1


def _cancelled(told: dict[str, Any]) -> str:
    if not told["cancelled"]:
        return f"{told['id']} is {told['status']}: there was nothing to cancel"
    if told["status"] == "running":
        return f"{told['id']} runs: its agent is asked to stop"
    return f"{told['id']} {told['status']}"


def retry(id: str, *, wait: bool, timeout: float | None) -> int:
    """Open a task again; the exit code."""
    with asking() as api:
        api.retry_task(id, wait=False)
        task = api.get_task(id)
        if wait:
            return follow(api, task, timeout)
    answer(task_view.as_json(task), f"{task.id} {task.status.value}")
    return 0


def filters(
    status: str | None, type: str | None, wanted: str | None, assigned_to: str | None, created_by: str | None,
    pairs: Sequence[str] | None, run: str | None = None, capability: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What options of a listing mean to ``list_tasks``; those that were not given are left out."""
    given = {
        "status": status and str(status), "task_type": type, "priority": wanted and priority(str(wanted)),
        "assigned_to": assigned_to, "created_by": created_by, "metadata": metadata(pairs) or None,
        "run_id": run, "capability": capability,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def priority(name: str) -> TaskPriority:
    """The priority of that name."""
    return TaskPriority[name.upper()]


def arguments(text: str | None) -> dict[str, Any]:
    """The JSON object of ``--input``: itself, ``@FILE`` or ``-`` for stdin."""
    if text is None:
        return {}
    if text == "-":
        text = _standard_input()
    elif text.startswith("@"):
        text = _file(text[1:])
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise InvalidInputError(
            f"--input: not JSON: {exc}; quote it for the shell: --input '{{\"x\": 1}}'", field="input"
        ) from exc
    if not isinstance(found, dict):
        raise InvalidInputError(f'--input: {text:.60} is no JSON object; write {{"value": …}}', field="input")
    return found


def moments(**given: str | None) -> dict[str, datetime]:
    """The moments that options mean, by field; those that were not given are left out."""
    return {field: coming(text, option(field)) for field, text in given.items() if text is not None}


def option(field: str) -> str:
    """How the command line calls a field."""
    return f"--{field.replace('_', '-')}"


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")  # JSON is UTF-8 whatever the locale
    except (OSError, ValueError) as exc:
        raise InvalidInputError(f"--input -: {exc}", field="input") from exc


def _file(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as exc:
        raise InvalidInputError(f"--input @{name}: {exc}", field="input") from exc


def metadata(pairs: Sequence[str] | None) -> dict[str, Any]:
    """The object that ``--metadata KEY=VALUE`` options make; a value is JSON where it can be read so,
    else text.
    """
    found: dict[str, Any] = {}
    for pair in pairs or ():
        key, sign, value = pair.partition("=")
        if not key or not sign:
            raise InvalidInputError(f"--metadata {pair}: write KEY=VALUE", field="metadata")
        try:
            found[key] = json.loads(value)
        except (ValueError, RecursionError):
            found[key] = value
    return found
