"""What a picture of a run is drawn from: of each task its place in time, its name, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from taskengine.store.call import Operation
from taskengine.store.graph_nodes import PIECE
from taskengine.store.verb import Verb

_RANGES = 64


class Sketch(NamedTuple):
    """A task, or a step of a workflow: '' where there is nothing yet."""

    id: str
    #: It arrived as the so manieth of all.
    number: str
    status: str
    ready_ms: str
    started_ms: str
    finished_ms: str
    #: Of a step that no worker runs: its kind, behind a per cent sign.
    queue: str
    #: Of a step without one: its path.
    name: str
    #: Ids.
    depends_on: str


class _Columns(NamedTuple):
    """The same of many, as ``sketch`` says it: a text with a line for each, and the list of their names.

    Twenty thousand rows of nine words are read in a quarter of the time so.
    """

    ids: str
    numbers: str
    statuses: str
    ready_ms: str
    started_ms: str
    finished_ms: str
    queues: str
    names: Sequence[str]
    depends_on: str


class _Piece(NamedTuple):
    #: Range to go on at, -1 behind the last.
    on_at: int
    #: How many of the tasks that were named it looked at.
    looked: int
    rows: list[Sketch]


def _piece(raw: Sequence[Any]) -> _Piece:
    found = _Columns._make(raw[2])
    lines = [column.split("\n") if isinstance(column, str) else column for column in found]
    return _Piece(int(raw[0]), int(raw[1]), list(map(Sketch._make, zip(*lines, strict=True))) if found.names else [])


_SKETCH = Verb("sketch", _piece, sketch=_Columns)


def of_run(run_id: str, most: int) -> Operation[list[Sketch]]:
    """Return what a run is made of, each once, in the order of arrival; a few more than *most* where there are more."""
    found: dict[str, Sketch] = {}
    at = 0
    while at >= 0 and len(found) <= most:
        at, _, rows = yield from _SKETCH(run=run_id, start=at, ranges=_RANGES, tasks=())
        found |= {row.id: row for row in rows}
    return sorted(found.values(), key=lambda row: int(row.number))


def of_tasks(run_id: str, ids: Sequence[str]) -> Operation[list[Sketch]]:
    """Return these of a run, in the order of arrival, without those that are not there."""
    found: list[Sketch] = []
    looked = 0
    while looked < len(ids):
        piece = ids[looked : looked + PIECE]
        _, more, rows = yield from _SKETCH(run=run_id, start=0, ranges=0, tasks=piece)
        looked += more
        found += rows
    return sorted(found, key=lambda row: int(row.number))
