"""The children of a step, put in pieces that a script can bear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from taskengine.core.instructions import Expand
from taskengine.core.steps.rows import Row

#: Children put by one script, and their dependencies together.
PIECE, EDGES = 64, 256


@dataclass(frozen=True, slots=True)
class Children:
    """What a step gets next: all of its children, or those of its next turn."""

    rows: Sequence[Row]
    #: The step's queue once they are there.
    queue: str
    #: Children that it had before these.
    before: int = 0
    #: Further fields of the step's record.
    fields: Mapping[str, str] = field(default_factory=dict)
    limit_ms: int = 0
    #: Of a loop: how many of its children stay once these are there; 0 for all.
    stay: int = 0

    def next_piece(self, put: int) -> Expand:
        """Return the piece behind the first *put* children of the step."""
        at = put - self.before
        piece: list[Row] = []
        edges = 0
        for row in self.rows[at : at + PIECE]:
            edges += len(row.depends_on)
            if piece and edges > EDGES:
                break
            piece.append(row)
        if at:
            return Expand(piece, 0, self.queue)
        return Expand(piece, len(self.rows), self.queue, self.fields, self.limit_ms, self.stay)
