"""The shape of graphs as they are stored: what depends on what, read in bounded pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from taskengine.models import TaskStatus
from taskengine.store.call import Call, Operation
from taskengine.store.keys import Keys
from taskengine.store.verb import Verb

#: Tasks looked at in one script.
PIECE = 256


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A task as a node of its graph."""

    id: str
    status: TaskStatus
    run_id: str
    created_ms: int
    name: str
    depends_on: tuple[str, ...]


class _Row(NamedTuple):
    """The same, as ``graph_node`` says it."""

    status: str
    run_id: str
    created_ms: str
    name: str
    depends_on: str


def _rows(raw: Sequence[Any]) -> list[_Row | None]:
    return [_Row._make(row) if row else None for row in raw]


_READ_GRAPH_NODES = Verb("read_graph_nodes", _rows, graph_node=_Row)


def graph_nodes(ids: Sequence[str]) -> Operation[list[GraphNode | None]]:
    """Nodes in the order asked; None where there is no such task."""
    found: list[GraphNode | None] = []
    while len(found) < len(ids):
        piece = ids[len(found) : len(found) + PIECE]
        rows = yield from _READ_GRAPH_NODES(tasks=piece)
        found += [row and _graph_node(id, row) for id, row in zip(piece, rows, strict=False)]
    return found


def _graph_node(id: str, row: _Row) -> GraphNode:
    on = tuple(row.depends_on.split())
    return GraphNode(id, TaskStatus(row.status), row.run_id, int(row.created_ms or 0), row.name, on)


def dependents(keys: Keys, id: str) -> Operation[list[str]]:
    """Ids that a task keeps as its dependents; none any more once it COMPLETED and released them all."""
    found: list[str] = []
    while True:
        args = (keys.of("dependents", id), len(found), len(found) + PIECE - 1)
        piece: list[str] = yield from Call("LRANGE", args, list, command=True)
        found += piece
        if len(piece) < PIECE:
            return found


def pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the ids, as many at a time as one script looks at."""
    return (ids[at : at + PIECE] for at in range(0, len(ids), PIECE))
