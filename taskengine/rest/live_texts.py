"""What the description of the server says of what is live, where a stream or a view stands on the path of a verb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

SSE = "text/event-stream"

class Compact(BaseModel):
    """A run in columns: the place of a task in each of them is its index."""

    run: UUID
    name: str | None
    seq: int = Field(description="Sequence of the latest event that is in it: `live?after=` goes on there.")
    base_ms: int = Field(description="When the run began, in milliseconds since 1970; other moments are since then.")
    codes: dict[str, str] = Field(description="Of each status its digit.")
    names: list[str]
    queues: list[str]
    queue: list[int] = Field(description="Places in `queues`.")
    status: str = Field(description="A digit each.")
    src: list[int] = Field(description="Of each edge the task that must be over first.")
    dst: list[int]
    ready: list[int] = Field(description="Milliseconds; -1: not yet.")
    start: list[int]
    end: list[int]


class NodeId(BaseModel):
    """A task of a run by its index."""

    task_id: UUID


class NodeIndex(BaseModel):
    """The index of a task of a run."""

    i: int


#: Rows on whose paths a stream stands, and a view.
STREAMED = frozenset({"get_events", "get_logs"})
_VIEWED = "get_dependency_graph"
_TEXTS: Mapping[str, str] = {
    "get_events": (
        f"With `Accept: {SSE}` it goes on for ever: each event with its word as `event:`, its sequence as `id:`, "
        "the same JSON; gap-free over any break by `Last-Event-ID` (or `after`). `event: reset`: what follows begins "
        "at the oldest event that is kept. `event: lagged` and `event: bye`: come back. `event: gone`: it is deleted."
    ),
    "get_logs": (
        f"With `Accept: {SSE}` lines come as they are said, each with its place as `id:`, until `event: end`: the task "
        "is over. `event: missed` says how many lines were not kept."
    ),
    _VIEWED: (
        "With `view=compact` the run comes in columns, the place of a task in each its index: `{run, name, seq, "
        "base_ms, codes, names, queues, queue, status, src, dst, ready, start, end}`. `/runs/{run_id}/live?after=seq` "
        "tells what changes from there on."
    ),
}  # fmt: skip


def live_text(row: str) -> str:
    """Return what to say of a row beside what its verb says; '' for nothing."""
    return _TEXTS.get(row, "")


def live_parameters(row: str) -> dict[str, Any]:
    """Return the parameters that its verb does not have, as OpenAPI lists them."""
    if row in STREAMED:
        text = {"type": "string"}
        return {"parameters": [{"name": "Last-Event-ID", "in": "header", "required": False, "schema": text}]}
    if row == _VIEWED:
        view = {"type": "string", "enum": ["compact"]}
        return {"parameters": [{"name": "view", "in": "query", "required": False, "schema": view}]}
    return {}
