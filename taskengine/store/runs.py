"""Runs: what they are called, who made them, how their tasks stand.

Graphs stand in a sorted set of their own by the moment of their first task. A lone task is a run as well, and in no
list but that of all runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from taskengine.store import by_moment
from taskengine.store.by_moment import Entry, Found
from taskengine.store.call import Call, Operation
from taskengine.store.keys import CODES, Keys
from taskengine.store.tasks import read as read_tasks
from taskengine.store.verb import Verb

#: Runs read by one script.
PIECE = 256
#: Members of a set looked at by one command.
_SCANNED = 1000
_STATUS_OF = {code: "pending" if status == "staged" else status for status, code in CODES.items()}

#: What steps of workflows are counted under: they are no tasks.
STEPS = "step"


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it is stored, before its tasks are counted."""

    id: str
    created_ms: int
    #: '' where it has none.
    name: str
    #: '' where nobody knows: it began as a lone task that is gone.
    created_by: str
    total: int
    open: int
    #: None while a task is open.
    finished_ms: int | None


class _Run(NamedTuple):
    """The same, as ``read_runs`` says it: '' where there is nothing."""

    created_ms: str
    name: str
    created_by: str
    total: str
    open: str
    finished_ms: str
    #: Of a run that nobody is noted for.
    first_task: str


def _rows(raw: Sequence[Any]) -> list[_Run | None]:
    return [_Run._make(row) if row else None for row in raw]


_FIND_RUNS = Verb("find_runs", by_moment.found)
_READ_RUNS = Verb("read_runs", _rows, run=_Run)
_RUN_COUNTS: Verb[list[Any]] = Verb("run_counts", list)


def find(
    after: Entry | None, most: int, *, name: str = "", created_by: str = "", finished: bool | None = None
) -> Call[Found]:
    """Return graphs behind *after* (None: from the newest) that meet every filter, and where to go on (None: no more).

    Newest first, *most* or fewer where a script may look no further. A run that notes nobody is found by whoever is
    asked for: :func:`read` knows who made it.
    """
    stands = "" if finished is None else "1" if finished else "0"
    return _FIND_RUNS(**by_moment.behind(after), limit=most, name=name, by=created_by, finished=stands)


def read(ids: Sequence[str]) -> Operation[list[StoredRun | None]]:
    """Runs in the order asked; None where there is no such run."""
    found: list[StoredRun | None] = []
    first: dict[str, str] = {}
    for at in range(0, len(ids), PIECE):
        piece = ids[at : at + PIECE]
        rows = yield from _READ_RUNS(runs=piece)
        found += [row and _run(id, row) for id, row in zip(piece, rows, strict=True)]
        first |= {id: row.first_task for id, row in zip(piece, rows, strict=True) if row and row.first_task}
    tasks = yield from read_tasks(list(first.values()))
    made_by = {run: task.created_by for run, task in zip(first, tasks, strict=True) if task is not None}
    return [run and replace(run, created_by=run.created_by or made_by.get(run.id, "")) for run in found]


def _run(id: str, row: _Run) -> StoredRun:
    return StoredRun(
        id=id,
        created_ms=int(row.created_ms),
        name=row.name,
        created_by=row.created_by,
        total=int(row.total),
        open=int(row.open),
        finished_ms=int(row.finished_ms) if row.finished_ms else None,
    )


def counts(ids: Sequence[str]) -> Operation[list[Mapping[str, int]]]:
    """Tasks of each run by status, and steps, in the order asked; what moves between two pieces may be counted as it
    was.
    """
    found: list[dict[str, int]] = [{} for _ in ids]
    done, at = 0, 0
    while done < len(ids):
        raw = yield from _RUN_COUNTS(start=at, runs=ids[done : done + PIECE])
        for sums, flat in zip(found[done:], raw[1:], strict=False):
            for code, n in zip(flat[::2], flat[1::2], strict=True):
                status = _STATUS_OF[int(code)]
                sums[status] = sums.get(status, 0) + int(n)
        at = int(raw[0])
        done += len(raw) - 1 - (at >= 0)
        at = max(at, 0)
    return list(found)


def begin_alike(keys: Keys, beginning: str, most: int) -> Operation[list[str]]:
    """Up to *most* ids that begin so, of graphs; where there is none, of other runs.

    It walks a whole set, about a thousand members and a millisecond a command: graphs are few; a million lone tasks
    take seconds, in which others are served.
    """
    for name in ("graphs", "runs"):
        found: dict[str, None] = {}
        cursor = "0"
        while True:
            cursor, ids = yield from _scan(keys.fixed(name), cursor, beginning)
            found |= dict.fromkeys(ids)
            if cursor == "0" or len(found) >= most:
                break
        if found:
            return sorted(found)[:most]
    return []


def _scan(key: str, cursor: str, beginning: str) -> Call[tuple[str, list[str]]]:
    def decode(raw: Sequence[Any]) -> tuple[str, list[str]]:
        pairs = raw[1]
        names = [pair[0] for pair in pairs] if pairs and isinstance(pairs[0], tuple | list) else pairs[::2]
        return str(raw[0]), list(map(str, names))

    return Call("ZSCAN", (key, cursor, "MATCH", f"{beginning}*", "COUNT", _SCANNED), decode, command=True)
