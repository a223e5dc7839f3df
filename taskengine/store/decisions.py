"""What scripts leave for thought, what there is to know about it, and what was decided.

Beside :mod:`taskengine.store.coordination`, for who does not decide need not know how it is done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, NamedTuple

from taskengine.core.decide import Dependency, Snapshot, blamed_in
from taskengine.core.instructions import CloseTask
from taskengine.core.rules import Counters, End
from taskengine.models.enums import TaskStatus, TriggerRule
from taskengine.store.call import Call, Operation
from taskengine.store.codec import dumps
from taskengine.store.coordination import PIECE
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, only, reply
from taskengine.store.verb import Verb

#: Decisions kept after they raised five times.
MAX_POISON = 1000

_CLOSE_BY_RULE = Verb("close_by_rule", reply)
_DROP_DECISION = Verb("drop_decision", reply)
_REOPEN = Verb("reopen", only)
_START_BY_RULE = Verb("start_by_rule", reply)


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that a script left for thought."""

    entry: str
    task_id: str
    #: The task because of which; '' for none.
    because: str
    #: A :class:`~taskengine.core.decide.Stimulus`, unless a newer version wrote it.
    how: str


def decisions(keys: Keys, after: str = "0", most: int = PIECE) -> Call[list[Decision]]:
    """Return the oldest open decisions behind the entry *after*."""
    args = (keys.fixed("decisions"), f"({after}", "+", "COUNT", most)
    return Call("XRANGE", args, _decisions, command=True)


def _decisions(raw: Sequence[Any]) -> list[Decision]:
    return [Decision(entry, f.get("k", ""), f.get("b", ""), f.get("h", "")) for entry, f in raw]


#: How a dependency stands that is stored: open, or how it ended.
_STANDS: Mapping[str, End | None] = {"open": None, **{end.value: end for end in End}}


class AsStep(Enum):
    """What stands for the snapshot of a step that no worker runs: :mod:`taskengine.store.steps` reads it."""

    STEP = auto()


class _Row(NamedTuple):
    """What ``snapshot`` answers about a task that is there."""

    word: str
    status: str
    waiting: int
    failed: int
    skipped: int
    dependencies: int
    rule: str
    visible: int
    held: int
    revision: str
    closed_by: str
    #: Who is to blame: a dependency, what it is called and how it ended.
    because: str
    name: str
    ended: str
    #: Where to search on for it, or -1.
    next: int


def _rows(raw: Sequence[Any]) -> list[_Row | AsStep | None]:
    others = {"step": AsStep.STEP}
    return [_Row._make(row) if row[0] == "ok" else others.get(row[0]) for row in raw]


_READ_DECISION_INPUTS = Verb("read_decision_inputs", _rows, snapshot=_Row)


def snapshots(decisions: Sequence[Decision]) -> Operation[list[Snapshot | AsStep | None]]:
    """Return the snapshots of the tasks that *decisions* are about, in their order; None where the task is gone.

    One trip for all, more only for a task whose rule cannot hold any more and that is not told which dependency is to
    blame: for a plain one with hundreds of them, for one with a rule of its own always.
    """
    raw = yield from _snapshot(0, (), decisions)
    found: list[Snapshot | AsStep | None] = []
    for decision, row in zip(decisions, raw, strict=True):
        found.append(row if isinstance(row, AsStep) else (yield from _with_culprit(decision, row)))
    return found


def _with_culprit(decision: Decision, row: _Row | None) -> Operation[Snapshot | AsStep | None]:
    """Return the snapshot with a dependency that its decision may blame, searched 256 a trip."""
    if row is None:
        return None
    seen = _seen(decision, row)
    blamed = sorted(blamed_in(seen))
    if not blamed or (seen.because and seen.because.end in blamed):
        return seen
    at = row.next if seen.rule is TriggerRule.ALL_SUCCESS else 0
    rows = [row] if seen.rule is TriggerRule.ALL_SUCCESS else []
    while at >= 0:
        (found,) = yield from _snapshot(at, blamed, [decision])
        if not isinstance(found, _Row):
            return found
        row, at = found, found.next
        rows.append(row)
    seen = _seen(decision, row)
    if seen.because and seen.because.end in blamed:
        return seen
    return replace(seen, because=_gone(rows, seen, blamed))


def _gone(rows: Sequence[_Row], seen: Snapshot, blamed: Sequence[End]) -> Dependency | None:
    """Return a dependency that is not stored any more and, for want of another, is to blame; how it ended the counters
    say.
    """
    found = {row.ended: row.because for row in reversed(rows)}
    if "gone" not in found or "undoing" in found:
        return None
    at = seen.counters
    ended = {End.FAILED: at.failed, End.SKIPPED: at.skipped, End.COMPLETED: at.succeeded}
    end = next((end for end, number in ended.items() if number and end in blamed), None)
    return None if end is None else Dependency(found["gone"], found["gone"], end)


def _snapshot(start: int, blamed: Sequence[str], decisions: Sequence[Decision]) -> Call[list[_Row | AsStep | None]]:
    tasks = [{"task": decision.task_id, "because": decision.because} for decision in decisions]
    return _READ_DECISION_INPUTS(start=start, blamed="".join(blamed), tasks=tasks)


def _seen(decision: Decision, row: _Row) -> Snapshot:
    succeeded = max(0, row.dependencies - row.waiting - row.failed - row.skipped)
    because = row.because
    return Snapshot(
        task_id=decision.task_id,
        status=TaskStatus(row.status),
        counters=Counters(row.waiting, row.failed, row.skipped, succeeded),
        visible=bool(row.visible),
        closed_by=row.closed_by,
        because=Dependency(because, row.name or because, _STANDS[row.ended]) if row.ended in _STANDS else None,
        rule=TriggerRule(row.rule),
        held=bool(row.held),
        revision=row.revision,
    )


def close_by_rule(term: str, entry: str, seen: Snapshot, how: CloseTask) -> Call[Reply]:
    """Cancel the task of *seen*, delete the decision: ok, missing, stale (term) or changed (read again)."""
    before = "1" if how.failed_before else ""
    return _CLOSE_BY_RULE(
        term=term, entry=entry, task=seen.task_id, revision=seen.revision, reason=how.reason, closed_by=how.closed_by,
        failed_before=before,
    )  # fmt: skip


def start_by_rule(term: str, entry: str, seen: Snapshot) -> Call[Reply]:
    """Set the task of *seen* READY, delete the decision: ok, missing, stale (term) or changed (read again)."""
    return _START_BY_RULE(term=term, entry=entry, task=seen.task_id, revision=seen.revision)


def reopen_closed(term: str, entry: str, task_id: str, closed_by: str) -> Call[Reply]:
    """Open a task that *closed_by* closed, delete the decision: ok, conflict, missing, stale or settling."""
    return _REOPEN(because=closed_by, term=term, entry=entry, tasks=(task_id,))


def drop_decisions(term: str, entries: Sequence[str]) -> Call[Reply]:
    """Delete decisions that need nothing done: ok or stale."""
    return _DROP_DECISION(term=term, error="", most=MAX_POISON, entries=entries)


def poison(term: str, decision: Decision, error: str) -> Call[Reply]:
    """Put a decision aside that cannot be made, with its *error*: ok or stale."""
    record = {
        "entry": decision.entry, "task": decision.task_id, "because": decision.because, "how": decision.how,
        "error": error,
    }  # fmt: skip
    return _DROP_DECISION(term=term, error=dumps(record, "poison"), most=MAX_POISON, entries=(decision.entry,))
