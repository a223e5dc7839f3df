"""Steps of workflows that no worker runs: what the coordinator reads of them, and what it tells them.

Every verb is fenced by the term of the leader and by what its decision rests on, and is safe to repeat: a piece of
children that is there is not put again, and an end that came before is found so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from taskengine.store.call import Call, Operation
from taskengine.store.codec import pairs
from taskengine.store.fields import TASK_FIELDS, TaskField
from taskengine.store.inspection import Fields
from taskengine.store.records import Record, blank_row
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Row, Verb

#: Children put by one script, and their dependencies together.
PIECE = 64
EDGES = 256


#: Words at the end of a revision that a child's end changes: the next item, and the three counters.
_CHANGED_BY_CHILDREN = 4


@dataclass(frozen=True, slots=True)
class StepFacts:
    """A step as a decision about it sees it, as of one moment."""

    #: What the decision rests on, as the scripts spell it.
    revision: str
    #: Of its record, its frame's, and of the child that the question is about.
    fields: Fields
    frame: Fields
    because: Fields
    #: Whether its run, or everything, is paused.
    is_paused: bool
    #: JSON of the oldest signal of those that it waits for, or ''.
    signal: str = ""

    @property
    def revision_of_pieces(self) -> str:
        """What putting, or ending, a further piece of its children rests on: not on how many of them are over.

        Else each of them that ends meanwhile would let it be decided anew.
        """
        return self.revision.rsplit(" ", _CHANGED_BY_CHILDREN)[0]

    def number(self, name: str) -> int:
        """Return a field as a number; 0 where it is unset."""
        return int(self.fields.get(name, 0))


def look(asked: Iterable[tuple[str, str]]) -> Call[list[StepFacts | None]]:
    """Return the facts of steps, each asked with the task because of which; None where there is no such step."""
    return _READ_STEP_DECISIONS(steps=[{"step": step, "because": because} for step, because in asked])


class _Step(NamedTuple):
    """The same, as ``read_step_decisions`` says it; each record is a flat list."""

    revision: str
    fields: Sequence[str]
    frame: Sequence[str]
    because: Sequence[str]
    pause: Sequence[str]
    signal: str


def _facts(raw: Sequence[Any]) -> list[StepFacts | None]:
    return [_fact(_Step._make(row)) if row else None for row in raw]


def _fact(row: _Step) -> StepFacts:
    return StepFacts(row.revision, pairs(row.fields), pairs(row.frame), pairs(row.because), bool(row.pause), row.signal)


_READ_STEP_DECISIONS = Verb("read_step_decisions", _facts, step=_Step)
_READ_STEPS: Verb[list[Any]] = Verb("read_steps", list)
_EXPAND_STEP = Verb("expand_step", reply)
_END_STEP = Verb("end_step", reply)
_END_CHILDREN = Verb("end_children", reply)
_START_WAITING = Verb("start_waiting", reply)
_ASK_CONDITION_WAITERS = Verb("ask_condition_waiters", reply)


#: Steps read by one script.
READ = 256


def read(ids: Sequence[str]) -> Operation[list[Fields | None]]:
    """How steps stand, tasks among them, in the order asked: their fields; None where there is no such step."""
    found: list[Fields | None] = []
    for at in range(0, len(ids), READ):
        raw = yield from _READ_STEPS(tasks=ids[at : at + READ])
        found += [pairs(one) if one else None for one in raw]
    return found


def step_record(
    id: UUID, path: str, name: str, *, queue: str = "%", depends_on: Iterable[str] = (), score: int, sha: str = "",
    key: str = "", **fields: object,
) -> Record:  # fmt: skip
    """Return a step as the scripts store it; *fields* are those of its hash that only steps have, without spaces.

    *sha* and *key*, of a workflow alone: what it is made of, and its hashed idempotency key. KeyError names a field
    that no table knows.
    """
    if unknown := fields.keys() - TASK_FIELDS.values():
        raise KeyError(f"no field {unknown} of a task in store/fields.py")
    rare = " ".join(f"{field} {value}" for field, value in {TaskField.path: path, **fields}.items() if value != "")
    row: Row = {
        **blank_row(), "id": str(id), "sha": sha, "key": key, "name": name, "doc": "{}", "on": " ".join(depends_on),
        "queue": queue, "score": score, "rare": rare,
    }  # fmt: skip
    return Record(str(id), id.bytes, row, None)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some children of a step, put by one script."""

    records: Sequence[Record]
    #: How many children this piece announces, itself and those behind it; 0 for one that another has announced.
    planned: int
    #: The queue of the step once all are there.
    queue: str = "%"
    #: Further fields of the step.
    fields: Mapping[str, object] | None = None
    #: Milliseconds that the step may take, where this begins it; 0 without a limit.
    limit_ms: int = 0


def expand(term: str, entry: str, step: str, revision: str, piece: Piece) -> Call[Reply]:
    """Put children of a step: ok (how many are yet to come), full (most), waits (a task to come), changed, missing or
    stale.
    """
    words = " ".join(f"{name} {value}" for name, value in (piece.fields or {}).items())
    raw = b"".join(new.raw_id for new in piece.records)
    return _EXPAND_STEP(
        term=term, entry=entry, step=step, rests_on=revision, planned=piece.planned, queue=piece.queue,
        limit=piece.limit_ms, words=words, raw=raw, tasks=[new.row for new in piece.records],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ending:
    """How a step ends."""

    status: str
    note: str = ""
    #: Revision of the variables that the decision read; '' when it read none.
    variables_revision: str = ""
    #: JSON of a result of its own; '' where its children's stand for it.
    output: str = ""
    #: The signal that it takes, as it is stored.
    takes: str = ""
    #: Variable -> JSON.
    sets: Mapping[str, str] | None = None
    #: Further fields of its record.
    fields: Mapping[str, str] | None = None


def end(term: str, entry: str, step: str, revision: str, how: Ending) -> Call[Reply]:
    """End a step: ok, changed, missing or stale."""
    sets, fields = how.sets or {}, how.fields or {}
    words = [word for pair in (*sets.items(), *fields.items()) for word in pair]
    return _END_STEP(
        term=term, entry=entry, step=step, rests_on=revision, status=how.status, note=how.note,
        revision=how.variables_revision, output=how.output, takes=how.takes, sets=len(sets), words=words,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a step waits for that is no child of it."""

    timer_ms: int = 0
    moment_ms: int = 0
    limit_ms: int = 0
    on_change: bool = False
    signal: str = ""


def start_waiting(
    term: str, entry: str, step: str, revision: str, variables_revision: str, what: Waiting
) -> Call[Reply]:
    """Let a step wait: ok, changed, missing or stale."""
    return _START_WAITING(
        term=term, entry=entry, step=step, rests_on=revision, revision=variables_revision, timer=what.timer_ms,
        moment=what.moment_ms, limit=what.limit_ms, on_change="1" if what.on_change else "", signal=what.signal,
    )  # fmt: skip


def ask_condition_waiters(term: str, entry: str, frame: str) -> Call[Reply]:
    """Ask the next steps that wait for a change of variables: ok (1 while more remain) or stale."""
    return _ASK_CONDITION_WAITERS(term=term, entry=entry, frame=frame)


def end_children(
    term: str, entry: str, step: str, revision: str, end_as: str, reason: str, why: Mapping[str, str] | None = None
) -> Call[Reply]:
    """End the next children of a step that is to end as *end_as*: ok (1 while more remain), changed, missing or stale.

    *why*: fields of its record that say so. Without a *end_as* they are noted, and nobody is ended.
    """
    words = [word for pair in (why or {}).items() for word in pair]
    return _END_CHILDREN(
        term=term, entry=entry, step=step, rests_on=revision, end_as=end_as, reason=reason, words=words
    )


_NEXT_ITEM = Verb("next_item", reply)
_PUT_ITEMS = Verb("put_items", reply)
#: Items stored by one script.
ITEMS = 256


def next_item(term: str, entry: str, step: str, revision: str) -> Call[Reply]:
    """Let the next item of a map start: ok, changed, missing or stale."""
    return _NEXT_ITEM(term=term, entry=entry, step=step, rests_on=revision)


def put_items(term: str, step: str, items: Sequence[str]) -> Operation[Reply]:
    """Store what a map maps, JSON by JSON; safe to repeat."""
    answer = Reply("ok")
    for at in range(0, len(items), ITEMS):
        answer = yield from _PUT_ITEMS(term=term, step=step, first=at, items=items[at : at + ITEMS])
    return answer


_RETRY_SCOPE = Verb("retry_scope", reply)


def retry_scope(term: str, entry: str, step: str, revision: str) -> Call[Reply]:
    """Open a step again, and its next children: ok (1 while more remain), settling, changed, missing or stale."""
    return _RETRY_SCOPE(term=term, entry=entry, step=step, rests_on=revision)
