"""How finished runs leave Redis: in pieces, oldest first, with everything that was theirs.

A *pass* walks the ranges of arrivals of one run and erases what it finds. It may stop anywhere and start
again: what is gone is not found again, and the run's own keys go last, with the last piece of a pass that had
to keep nothing. A task stays while a task of another run that is not over depends on it; its run then waits
for another retention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from taskengine.store import coordination
from taskengine.store.call import Call, Operation
from taskengine.store.coordination import server_ms
from taskengine.store.keys import Keys
from taskengine.store.records import index_names
from taskengine.store.replies import Reply, reply
from taskengine.store.tasks import read
from taskengine.store.verb import Verb

#: Tasks erased in one script.
PIECE = 64
#: Ranges of arrivals looked at in one script; a graph stored whole has 64 tasks in one, a lone task is one.
_RANGES = 64


@dataclass(frozen=True, slots=True)
class Pass:
    """Where the pruning of one run stands."""

    run_id: str
    #: When it finished: a run that finished again since is none of this pass's.
    finished_ms: int
    #: Range of arrivals to go on at; -1 when the pass is over.
    at: int = 0
    erased: int = 0
    #: Tasks that something not over depends on.
    kept: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.at < 0


def expired(keys: Keys, retention_seconds: float, most: int = 16) -> Operation[list[Pass]]:
    """Passes over runs that finished *retention_seconds* ago or earlier on the server's clock, oldest first.

    None that finished after the oldest graph was begun that is not committed: that one may depend on what is there.
    """
    before = (yield from server_ms()) - round(retention_seconds * 1000)
    staged = yield from coordination.first_score(keys.fixed("batches"))
    if staged is not None:
        before = min(before, staged - 1)
    args = (keys.fixed("finished"), "-inf", before, "WITHSCORES", "LIMIT", 0, most)
    found = Call("ZRANGEBYSCORE", args, _passes, command=True)
    return (yield from found)


def _passes(raw: Sequence[Any]) -> list[Pass]:
    return [Pass(str(run), int(float(ms))) for run, ms in zip(raw[::2], raw[1::2], strict=True)]


@dataclass(frozen=True, slots=True)
class Range:
    """Some tasks of a run."""

    ids: tuple[str, ...]
    #: Where to go on, or -1.
    next: int


def _range(raw: Sequence[Any]) -> Range:
    return Range(tuple(raw[2:]), int(raw[1]))


_READ_RANGE = Verb("read_range", _range)
_PRUNE = Verb("prune", reply)


def read_range(run_id: str, at: int) -> Call[Range]:
    """Return the next ids, up to 255, of a run's tasks; staged ones are not among them."""
    return _READ_RANGE(run=run_id, start=at, ranges=_RANGES)


def prune(term: str, of: Pass, pairs: Sequence[tuple[str, str]], *, last: bool) -> Call[Reply]:
    """Erase tasks, each with its index names: ok (erased, kept, how many of *pairs* it got to), stale (the term) or
    open (the run has new work).
    """
    return _PRUNE(
        term=term, run=of.run_id, finished_ms=of.finished_ms, kept_before=of.kept, last="1" if last else "",
        tasks=[{"task": id, "index": index} for id, index in pairs],
    )  # fmt: skip


def prune_range(term: str, now: Pass) -> Operation[tuple[str, Pass]]:
    """Erase one range of a pass: ``ok``, ``stale`` or ``open``, and where the pass stands then."""
    found = yield from read_range(now.run_id, now.at)
    tasks = yield from read(found.ids)
    # Nobody reads a step, and no filter finds it.
    pairs = [(id, index_names(task) if task else "") for id, task in zip(found.ids, tasks, strict=True)]
    while True:
        piece, pairs = pairs[:PIECE], pairs[PIECE:]
        answer = yield from prune(term, now, piece, last=found.next < 0 and not pairs)
        if not answer.ok:
            return answer.word, now
        now = replace(now, erased=now.erased + answer.number(), kept=now.kept + answer.number(1))
        pairs = piece[answer.number(2) :] + pairs
        if not pairs:
            return "ok", replace(now, at=found.next)
