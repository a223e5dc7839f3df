"""A whole graph, all or nothing: staged in chunks nobody sees, committed by one script, then set free in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from taskengine.errors import (
    ConflictError,
    IdempotencyConflictError,
    StoreError,
    TaskEngineError,
    UnknownDependencyError,
)
from taskengine.store.call import Call, Operation, Prefetch
from taskengine.store.coordination import settle_batch, sweep_batch
from taskengine.store.executions import put_payload
from taskengine.store.records import Record
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

#: Tasks a chunk, and dependencies of them together: they bound one script; 256 take 2 to 6 ms on a small server.
CHUNK = 64
EDGES = 256
#: Ids of a named graph noted or read by one script.
_IDS = 1024

_STAGE = Verb("stage", reply)
_STAGE_EDGES = Verb("stage_edges", reply)
_COMMIT_GRAPH = Verb("commit_graph", reply)
_PUT_ORDER = Verb("put_order", reply)
_READ_GRAPH = Verb("read_graph", reply)


def stage(
    batch: str, run: str, chunk: Sequence[Record], meanwhile: Callable[[], object] | None = None
) -> Call[Reply]:
    """Stage one chunk; dependencies must have been staged before their dependents."""
    raw = b"".join(new.raw_id for new in chunk)
    call = _STAGE(batch=batch, run=run, raw=raw, count=len(chunk), tasks=[new.row for new in chunk])
    return replace(call, meanwhile=meanwhile)


def stage_edges(batch: str, id: str, depends_on: Sequence[str]) -> Call[Reply]:
    """Give a staged task more dependencies: ok, missing (task, dependency) or taken; safe to repeat."""
    return _STAGE_EDGES(batch=batch, task=id, dependencies=depends_on)


@dataclass(frozen=True, slots=True)
class Name:
    """An idempotency key of a whole graph."""

    #: The key, hashed.
    key: str
    #: What the graph is made of, whatever its ids.
    sha: str
    #: Ids of its records in the order given.
    order: Sequence[str]


@dataclass(frozen=True, slots=True)
class Label:
    """What people know a run by; '' for nothing."""

    #: Of a run that has none yet.
    name: str = ""
    #: Who made it; of a run that this graph begins.
    created_by: str = ""


def commit(batch: str, name: Name | None = None, label: Label = Label()) -> Call[Reply]:
    """Make a staged graph visible: ok (run), named (by then another has its name), conflict or missing.

    Safe to repeat.
    """
    key, sha = (name.key, name.sha) if name else ("", "")
    return _COMMIT_GRAPH(batch=batch, key=key, sha=sha, name=label.name, by=label.created_by)


@dataclass(frozen=True, slots=True)
class Named:
    """The graph that an idempotency key names."""

    sha: str
    run_id: str
    #: Ids of its tasks in the order given; some may have been deleted.
    ids: tuple[str, ...]


def put_order(batch: str, start: int, raw: bytes) -> Call[Reply]:
    """Note raw ids of a graph that is to have a name, from the place *start* on; safe to repeat."""
    return _PUT_ORDER(batch=batch, start=start, raw=raw)


def read_graph(key: str, start: int) -> Call[Reply]:
    """Return the graph of a hashed key: ok (sha, run, how many ids, some from *start* on) or missing."""
    return _READ_GRAPH(name=key, start=start, most=_IDS)


def named(key: str) -> Operation[Named | None]:
    """Return the graph of a hashed key; None when there is none, or when its run was pruned."""
    ids: list[str] = []
    while True:
        answer = yield from read_graph(key, len(ids))
        if not answer.ok:
            return None
        ids += map(str, answer.rest[3:])
        if len(ids) >= answer.number(2):
            return Named(answer.text(), answer.text(1), tuple(ids))


def submit(
    run: str, records: Iterable[Record], name: Name | None = None, label: Label = Label()
) -> Operation[list[str]]:
    """Submit a graph whose *records* stand dependencies first; the ids stored under, in the same order.

    Records are taken a chunk at a time, the next one while the server stages the last: a submit has two processors
    then. What their making raises is raised, and nothing of the graph remains either.
    An id differs from its record's when an idempotency key named an older twin. Raises UnknownDependencyError or
    IdempotencyConflictError, and nothing of the graph remains; ConflictError when another submit was quicker, also with
    its *name*. A submitter that dies before the commit leaves nothing visible; one that dies after it has submitted
    all: the coordinator sets the rest free.
    """
    batch = str(uuid4())
    stored: dict[str, str] = {}
    renamed: dict[str, str] = {}
    chunks = Prefetch(_chunks(records))
    while chunk := (yield from _next(chunks, batch if stored else "")):
        answer = yield from _stage_whole(batch, run, [_renamed(new, renamed) for new in chunk], chunks.prepare)
        if not answer.ok:
            yield from abandon(batch)
            raise _refusal(answer)
        ids = {new.id: str(id) for new, id in zip(chunk, answer.rest, strict=True)}
        stored |= ids
        renamed |= {new: id for new, id in ids.items() if new != id}
    if not stored:
        return []
    if name:
        yield from _put_order(batch, name, stored)
    answer = yield from commit(batch, name, label)
    if not answer.ok:
        yield from abandon(batch)
        raise ConflictError("another submit took over an id of this graph before it was committed; submit it again")
    while (yield from settle_batch(batch)).number():
        pass
    return list(stored.values())


def _next(chunks: Prefetch[list[Record]], batch: str) -> Operation[list[Record] | None]:
    """Return the next chunk; when it cannot be made, what is staged of *batch* goes first."""
    try:
        return chunks.take()
    except TaskEngineError:
        if batch:
            yield from abandon(batch)
        raise


def _put_order(batch: str, name: Name, stored: Mapping[str, str]) -> Operation[None]:
    for at in range(0, len(name.order), _IDS):
        raw = b"".join(UUID(stored[id]).bytes for id in name.order[at : at + _IDS])
        yield from put_order(batch, at, raw)


def _chunks(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Pieces of a graph that one script may stage; a task with very many dependencies is one of its own."""
    chunk: list[Record] = []
    edges = 0
    for new in records:
        more = len(_depends_on(new))
        if chunk and (len(chunk) == CHUNK or edges + more > EDGES):
            yield chunk
            chunk, edges = [], 0
        chunk.append(new)
        edges += more
    if chunk:
        yield chunk


def _stage_whole(
    batch: str, run: str, chunk: Sequence[Record], meanwhile: Callable[[], object]
) -> Operation[Reply]:
    """Stage a chunk with its large inputs, and what does not fit into one script of a task's dependencies."""
    for new in chunk:
        if new.payload:
            yield from put_payload(*new.payload)
    pieces = [_with(new, _depends_on(new)[:EDGES]) for new in chunk]
    answer = yield from stage(batch, run, pieces, meanwhile)
    if not answer.ok:
        return answer
    for new, id in zip(chunk, answer.rest, strict=True):
        on = _depends_on(new)
        for at in range(EDGES, len(on), EDGES):
            more = yield from stage_edges(batch, str(id), on[at : at + EDGES])
            if not more.ok:
                return more
    return answer


def abandon(batch: str) -> Operation[None]:
    """Remove a graph that will not be committed."""
    while True:
        answer = yield from sweep_batch(batch, "")
        if not answer.ok or not answer.number():
            return


def _depends_on(new: Record) -> list[str]:
    return str(new.row["on"]).split()


def _with(new: Record, depends_on: Sequence[str]) -> Record:
    on = " ".join(depends_on)
    return new if on == new.row["on"] else replace(new, row={**new.row, "on": on})


def _renamed(new: Record, renamed: dict[str, str]) -> Record:
    """Return the record with older twins in the place of dependencies whose idempotency key named them."""
    on = _depends_on(new)
    if not on or renamed.keys().isdisjoint(on):
        return new
    return _with(new, list(dict.fromkeys(renamed.get(id, id) for id in on)))


def _refusal(answer: Reply) -> Exception:
    if answer.word == "missing":
        return UnknownDependencyError(answer.text(), [answer.text(1)])
    if answer.word == "conflict":
        field, existing = answer.text(), answer.text(1)
        return IdempotencyConflictError(field, existing if field == "id" else "given", existing)
    if answer.word == "taken":
        return ConflictError("another submit took over an id of this graph; submit it again")
    return StoreError(f"stage answered {answer.word}")
