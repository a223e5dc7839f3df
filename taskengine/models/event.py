"""One entry of a run's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run; sequences of a run have no gaps."""

    sequence: int
    #: created, ready, started, completed, …: a word of the store's scripts.
    what: str
    #: None when it happened to the run.
    task_id: UUID | None
    at: datetime
    #: What the word alone does not say: attempt and node, the error's kind, a reason.
    note: str
