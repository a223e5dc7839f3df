"""From what a person typed to the one thing that is meant: by a beginning of its id, a run by its name as well."""

from __future__ import annotations

import re
from uuid import UUID

from taskengine.api.arguments import text
from taskengine.api.context import OperationContext
from taskengine.api.operations.runs import LONGEST_NAME, list_runs
from taskengine.errors import AmbiguousIdError, InvalidInputError, NotFoundError
from taskengine.models import RunPage
from taskengine.store import runs, tasks
from taskengine.store.call import Operation

#: Digits that a beginning has at least.
LEAST = 4
#: Candidates that an error names, and looks for.
_NAMED = 6
_DIGITS = re.compile(r"[0-9a-f]{4,32}")
_SHORT = re.compile(r"[0-9a-f]{1,3}")


def find_task(beginning: str) -> Operation[UUID]:
    """Return the id of the only task whose id begins so."""
    digits = _digits(beginning)
    if digits is None:
        raise _no_beginning("task", beginning)
    if len(digits) == 32:
        return UUID(digits)
    ids = yield from tasks.begin_alike(digits, _NAMED)
    if len(ids) == 1:
        return UUID(ids[0])
    if not ids:
        raise NotFoundError("task whose id begins with", beginning)
    seen = yield from tasks.read(ids)
    names = {id: f"{task.name[:60]!r} {task.status.value}" for id, task in zip(ids, seen, strict=True) if task}
    raise AmbiguousIdError("tasks", beginning, names)


def find_run(context: OperationContext, which: str) -> Operation[UUID]:
    """Return the id of the newest run of that name, or of the only one whose id begins so."""
    digits = _digits(which)
    if digits is not None and len(digits) == 32:
        return UUID(digits)
    named = yield from _newest(text(which, "which", LONGEST_NAME))
    if named is not None:
        return named
    if digits is None:
        raise NotFoundError("run of the name", f"{which!r:.80}")
    ids = yield from runs.begin_alike(context.keys, _spelled(digits), _NAMED)
    if len(ids) == 1:
        return UUID(ids[0])
    if not ids:
        raise NotFoundError("run whose name is or whose id begins with", which)
    seen = yield from runs.read(ids)
    names = {run.id: f"{run.name[:60]!r}" if run.name else f"{run.total} tasks" for run in seen if run}
    raise AmbiguousIdError("runs", which, names)


def _newest(name: str) -> Operation[UUID | None]:
    """Return the newest run of that name, however far it is; None when there is none."""
    page = RunPage()
    while not page:
        page = yield from list_runs(
            name=name, created_by=None, finished=None, limit=1, after=page.cursor
        )
        if page.cursor is None:
            break
    return page[0].id if page else None


def _digits(beginning: str) -> str | None:
    """Return the hexadecimal digits of an id or of its beginning; None where it is neither."""
    digits = _undashed(beginning)
    return digits if _DIGITS.fullmatch(digits) else None


def _undashed(beginning: object) -> str:
    return beginning.strip().lower().replace("-", "") if isinstance(beginning, str) else ""


def _spelled(digits: str) -> str:
    """Return the beginning of an id as it is stored, with its dashes."""
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return "-".join(part for part in parts if part)


def _no_beginning(kind: str, value: object) -> InvalidInputError:
    short = _SHORT.fullmatch(_undashed(value))
    wrong = "too short a beginning of a UUID" if short else "no UUID and no beginning of one"
    return InvalidInputError(
        f"{kind} id {value!r:.80} is {wrong}; write {LEAST} or more of its digits",
        field=f"{kind}_id",
    )
