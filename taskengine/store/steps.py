"""Steps of workflows that no worker runs: what the coordinator reads of them, and what it tells them.

Every verb is fenced by the term of the leader and by what its decision rests on, and is safe to repeat: a piece of
children that is there is not put again, and an end that came before is found so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from taskengine.store.call import Arg, Call, Story
from taskengine.store.codec import pairs
from taskengine.store.inspection import Fields
from taskengine.store.records import Record
from taskengine.store.replies import Reply, reply

#: Children put by one script, and their dependencies together.
PIECE = 64
EDGES = 256


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

    def number(self, name: str) -> int:
        """A field as a number; 0 where it is unset."""
        return int(self.fields.get(name, 0))


def look(asked: Iterable[tuple[str, str]]) -> Call[list[StepFacts | None]]:
    """The facts of steps, each asked with the task because of which; None where there is no such step."""
    return Call("look_steps", tuple(word for pair in asked for word in pair), lambda raw: [_facts(one) for one in raw])


def _facts(raw: Sequence[object] | str) -> StepFacts | None:
    if not raw:
        return None
    revision, own, frame, because, pause = raw
    return StepFacts(str(revision), pairs(own), pairs(frame), pairs(because), bool(pause))  # type: ignore[arg-type]


#: Steps read by one script.
READ = 256


def read(ids: Sequence[str]) -> Story[list[Fields | None]]:
    """How steps stand, tasks among them, in the order asked: their fields; None where there is no such step."""
    found: list[Fields | None] = []
    for at in range(0, len(ids), READ):
        raw = yield from Call("read_steps", tuple(ids[at : at + READ]), list)
        found += [pairs(one) if one else None for one in raw]
    return found


def step_record(
    id: UUID, path: str, name: str, *, lane: str = "%", depends_on: Iterable[str] = (), score: int, sha: str = "",
    key: str = "", **fields: object,
) -> Record:  # fmt: skip
    """A step as the scripts store it; *fields* are those of its hash that only steps have, without spaces.

    *sha* and *key*, of a workflow alone: what it is made of, and its hashed idempotency key.
    """
    rare = " ".join(f"{field} {value}" for field, value in {"p": path, **fields}.items() if value != "")
    on = " ".join(depends_on)
    row: tuple[Arg, ...] = (str(id), sha, key, name, "{}", on, lane, score, "", "", "", "", "", rare)
    return Record(str(id), id.bytes, row, None)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some children of a step, put by one script."""

    records: Sequence[Record]
    #: How many children this piece announces, itself and those behind it; 0 for one that another has announced.
    planned: int
    #: The lane of the step once all are there.
    lane: str = "%"
    #: Further fields of the step.
    fields: Mapping[str, object] | None = None


def expand(term: str, entry: str, step: str, revision: str, piece: Piece) -> Call[Reply]:
    """Put children of a step: ok (how many are yet to come), full (most), changed, missing or stale."""
    words = " ".join(f"{name} {value}" for name, value in (piece.fields or {}).items())
    raw = b"".join(new.raw_id for new in piece.records)
    rows = (word for new in piece.records for word in new.row)
    args = (term, entry, step, revision, piece.planned, piece.lane, words, raw, *rows)
    return Call("expand", args, reply, grants=True)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a step ends."""

    status: str
    note: str = ""
    #: Revision of the variables that the decision read; '' when it read none.
    variables_revision: str = ""
    #: JSON of a result of its own; '' where its children's stand for it.
    output: str = ""
    #: Variable -> JSON.
    sets: Mapping[str, str] | None = None
    #: Further fields of its record.
    fields: Mapping[str, str] | None = None


def end(term: str, entry: str, step: str, revision: str, how: Ending) -> Call[Reply]:
    """End a step: ok, changed, missing or stale."""
    sets, fields = how.sets or {}, how.fields or {}
    words = (word for pair in (*sets.items(), *fields.items()) for word in pair)
    head = (term, entry, step, revision, how.status, how.note, how.variables_revision, how.output, len(sets))
    return Call("end_step", (*head, *words), reply, grants=True)


def close_scope(
    term: str, entry: str, step: str, revision: str, fate: str, reason: str, why: Mapping[str, str] | None = None
) -> Call[Reply]:
    """End the next children of a step that is to end as *fate*: ok (1 while more remain), changed, missing or stale.

    *why*: fields of its record that say so. Without a *fate* they are noted, and nobody is ended.
    """
    words = (word for pair in (why or {}).items() for word in pair)
    return Call("close_scope", (term, entry, step, revision, fate, reason, *words), reply, grants=True)
