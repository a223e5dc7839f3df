"""What a picture of a run is drawn from: of each task its place in time, its name, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from taskengine.store.call import Operation
from taskengine.store.graph_nodes import PIECE
from taskengine.store.verb import Verb

_RANGES = 64


class Sketch(NamedTuple):
    """A task, or a step of a workflow, as ``sketch`` says it: '' where there is nothing yet."""

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


def _rows(raw: Sequence[Any]) -> tuple[int, list[Sketch | None]]:
    return int(raw[0]), [Sketch._make(row) if row else None for row in raw[1:]]


_SKETCH = Verb("sketch", _rows, sketch=Sketch)


def of_run(run_id: str, most: int) -> Operation[list[Sketch]]:
    """Return what a run is made of, each once, in the order of arrival; a few more than *most* where there are more."""
    found: dict[str, Sketch] = {}
    at = 0
    while at >= 0 and len(found) <= most:
        at, rows = yield from _SKETCH(run=run_id, start=at, ranges=_RANGES, tasks=())
        found |= {row.id: row for row in rows if row is not None}
    return sorted(found.values(), key=lambda row: int(row.number))


def of_tasks(run_id: str, ids: Sequence[str]) -> Operation[list[Sketch]]:
    """Return these of a run, in the order of arrival, without those that are not there."""
    found: list[Sketch | None] = []
    while len(found) < len(ids):
        piece = ids[len(found) : len(found) + PIECE]
        _, rows = yield from _SKETCH(run=run_id, start=0, ranges=0, tasks=piece)
        found += rows
    return sorted((row for row in found if row is not None), key=lambda row: int(row.number))
