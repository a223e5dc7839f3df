"""What open tasks depend on: looked up before a delete, which refuses what came after the look.

A COMPLETED task keeps no list of its dependents, so all open tasks are looked through, and meanwhile others come. Two
counters tell: a new edge onto a task that is over is numbered (``late``, and ``ld`` of that task), and so is what opens
tasks again (``opened``). A delete is told what they said before the look, at tasks that were over by then. (Rejected:
one revision for both. Whoever submits onto finished work all the time would keep every delete from coming to an end.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from taskengine.core.lifecycle import CANCELLABLE
from taskengine.store.call import Call, Operation
from taskengine.store.keys import Keys
from taskengine.store.tasks import Since, find_fitting
from taskengine.store.verb import Verb

#: Tasks looked at in one script.
PIECE = 256
#: Statuses in which a task still needs what it depends on, and what is not committed yet.
_OPEN = (*(status.value for status in CANCELLABLE), "staged")

_READ_DEPENDENCIES: Verb[list[Any]] = Verb("read_dependencies", list)


@dataclass(frozen=True, slots=True)
class Need:
    """A task as one that needs others."""

    id: str
    #: ``over``, ``open``, or ``staged`` with a graph that is not committed.
    stands: str
    depends_on: tuple[str, ...]

    def may_need(self, id: str) -> bool:
        """Whether it waits for a task, or for its result."""
        return self.stands != "over" and id in self.depends_on


def since(keys: Keys) -> Call[Since]:
    """Return what the counters say now; to be asked before a look."""

    def decode(raw: Sequence[Any]) -> Since:
        return Since(*(int(number or 0) for number in raw))

    return Call("MGET", tuple(keys.fixed(name) for name in ("late_edges", "reopens")), decode, command=True)


def needs(ids: Sequence[str]) -> Operation[list[Need]]:
    """Return what tasks need, also those of graphs that are not committed; those that are gone are left out."""
    found: list[Need] = []
    looked = 0
    while looked < len(ids):
        piece = ids[looked : looked + PIECE]
        raw = yield from _READ_DEPENDENCIES(tasks=piece)
        looked += len(raw)
        rows = zip(piece, raw, strict=False)
        found += [Need(id, row[0], tuple(row[1].split())) for id, row in rows if row]
    return found


def open_needs() -> Operation[list[Need]]:
    """Return what every open task needs, each looked at once on one way over all arrivals: none changes its status
    unseen.
    """
    found: list[Need] = []
    below, more = 0, True
    while more:
        below, ids, _ = yield from find_fitting(below, PIECE, _OPEN, ())
        found += yield from needs(ids)
        more = below > 0
    return found


def is_any_staged(keys: Keys) -> Call[bool]:
    """Whether there are graphs that are not committed."""
    return Call("EXISTS", (keys.fixed("batches"),), bool, command=True)
