"""A whole graph, all or nothing: staged in chunks nobody sees, committed by one script, then set free in pieces."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from taskengine.errors import ConflictError, IdempotencyConflictError, StoreError, UnknownDependencyError
from taskengine.store.call import Call, Story
from taskengine.store.coordination import fall, sweep_batch
from taskengine.store.executions import put_payload
from taskengine.store.keys import Keys
from taskengine.store.records import Record
from taskengine.store.replies import Reply, reply

#: Tasks a chunk: bounds one script; 256 take 2 to 6 ms on a small server.
CHUNK = 128


def stage(batch: str, run: str, chunk: Sequence[Record]) -> Call[Reply]:
    """Stage one chunk; dependencies must have been staged before their dependents."""
    raw = b"".join(new.raw_id for new in chunk)
    return Call("stage", (batch, run, raw, len(chunk), *(arg for new in chunk for arg in new.row)), reply)


def commit(batch: str) -> Call[Reply]:
    """Make a staged graph visible: ok (run), conflict or missing; safe to repeat."""
    return Call("commit", (batch,), reply)


def submit(keys: Keys, run: str, records: Sequence[Record]) -> Story[list[str]]:
    """Submit a graph whose *records* stand dependencies first; the ids stored under, in the same order.

    An id differs from its record's when an idempotency key named an older twin. Raises UnknownDependencyError or
    IdempotencyConflictError, and nothing of the graph remains. A submitter that dies before the commit leaves
    nothing visible; one that dies after it has submitted all: the coordinator sets the rest free.
    """
    batch = str(uuid4())
    stored: list[str] = []
    renamed: dict[str, str] = {}
    for at in range(0, len(records), CHUNK):
        chunk = [_renamed(new, renamed) for new in records[at : at + CHUNK]]
        for new in chunk:
            if new.payload:
                yield from put_payload(keys, *new.payload)
        answer = yield from stage(batch, run, chunk)
        if not answer.ok:
            yield from abandon(batch)
            raise _refusal(answer)
        stored += [str(id) for id in answer.rest]
        renamed |= {new.id: str(id) for new, id in zip(chunk, answer.rest, strict=True) if new.id != id}
    answer = yield from commit(batch)
    if not answer.ok:
        raise ConflictError("another submit took over an id of this graph before it was committed; submit it again")
    while (yield from fall(batch)).number():
        pass
    return stored


def abandon(batch: str) -> Story[None]:
    """Remove a graph that will not be committed."""
    while True:
        answer = yield from sweep_batch(batch, "")
        if not answer.ok or not answer.number():
            return


def _renamed(new: Record, renamed: dict[str, str]) -> Record:
    on = str(new.row[5])
    if not renamed or not on or renamed.keys().isdisjoint(on.split()):
        return new
    row = list(new.row)
    row[5] = " ".join(renamed.get(id, id) for id in on.split())
    return Record(new.id, new.raw_id, tuple(row), new.payload)


def _refusal(answer: Reply) -> Exception:
    if answer.word == "missing":
        return UnknownDependencyError(answer.text(), [answer.text(1)])
    if answer.word == "conflict":
        return IdempotencyConflictError(answer.text(), "given", answer.text(1))
    if answer.word == "taken":
        return ConflictError("another submit took over an id of this graph; submit it again")
    return StoreError(f"stage answered {answer.word}")
