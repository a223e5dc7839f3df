"""What clients say to single tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taskengine.core.order import moved, unpack
from taskengine.models import Task, TaskPriority
from taskengine.store.call import Call, Operation
from taskengine.store.codec import UNREADABLE, canonical, loads_object, pairs
from taskengine.store.connect import block_ms
from taskengine.store.coordination import continue_delete, continue_releases, settle_batch
from taskengine.store.executions import put_payload
from taskengine.store.fields import RunField, TaskField
from taskengine.store.keys import Keys
from taskengine.store.pause_record import pause_terms
from taskengine.store.records import Record
from taskengine.store.replies import Reply, only, replies, reply
from taskengine.store.task_record import task_from
from taskengine.store.verb import Row, Verb

#: Tasks read by one call: bounded work and a bounded reply.
PIECE = 100

_ADD_DEPENDENCY = Verb("add_dependency", reply)
_CANCEL = Verb("cancel", replies)
_CREATE = Verb("create", reply)
_DELETE = Verb("delete", replies)
_EXECUTE = Verb("execute", reply)
_HOLD = Verb("hold", replies)
_MATCH_IDS = Verb("match_ids", reply)
_PAUSE_TASK = Verb("pause_task", replies)
_READ: Verb[list[Any]] = Verb("read", list)
_REOPEN = Verb("reopen", replies)
_REPRIORITISE = Verb("reprioritise", replies)
_RESUME_TASK = Verb("resume_task", replies)
_READ_STATUSES: Verb[list[str]] = Verb("read_statuses", list)
_UPDATE = Verb("update", reply)
_WATCH_TASK = Verb("watch_task", reply)


def create(run: str, new: Record) -> Operation[Reply]:
    """Store one task: ok (id, status), exists (id), conflict (field, id) or missing (dependency)."""
    if new.payload:
        yield from put_payload(*new.payload)
    return (yield from _CREATE(run=run, raw=new.raw_id, task=new.row))


@dataclass(frozen=True, slots=True)
class Placed:
    """A task and its place in every listing."""

    #: Its arrival number; :func:`find` goes on below it, also when the task itself is gone by then.
    place: int
    task: Task


def read(ids: Sequence[str]) -> Operation[list[Task | None]]:
    """Tasks in the order asked; None where there is no such task."""
    found = yield from read_placed(ids)
    return [None if one is None else one.task for one in found]


def read_placed(ids: Sequence[str]) -> Operation[list[Placed | None]]:
    """Tasks with their places, in the order asked; None where there is no such task."""
    found: list[Placed | None] = []
    while len(found) < len(ids):
        piece = ids[len(found) : len(found) + PIECE]
        raw = yield from _READ(tasks=piece)
        found += [_placed(id, pairs(fields)) if fields else None for id, fields in zip(piece, raw, strict=False)]
    return found


def _placed(id: str, fields: Mapping[str, str]) -> Placed:
    return Placed(int(fields[TaskField.arrival]), task_from(id, fields))


def settled(verb: Call[Reply]) -> Operation[Reply]:
    """Return the answer of *verb* once the task's graph has settled, driving what it waits for itself."""
    while True:
        answer = yield from verb
        if answer.word != "settling":
            return answer
        yield from settle_batch(answer.text(1)) if answer.text() == "batch" else continue_releases("", answer.text(1))


def one(verb: Call[list[Reply]]) -> Operation[Reply]:
    """Return the settled answer of a *verb* that was told one task."""
    return settled(Call(verb.name, verb.args, only, grants=verb.grants))


def cancel_all(ids: Sequence[str], reason: str) -> Call[list[Reply]]:
    """Cancel tasks: ok (status), asked (it runs), conflict (status), settling or missing."""
    return _CANCEL(reason=reason, tasks=ids)


def cancel(id: str, reason: str) -> Operation[Reply]:
    """Cancel a task: ok (status), asked (it runs), conflict (status) or missing."""
    return one(cancel_all([id], reason))


def pause_all(ids: Sequence[str], by: str, reason: str | None, until: datetime | None) -> Call[list[Reply]]:
    """Pause tasks by name: ok (record), late (server ms), conflict (status), settling or missing."""
    terms, until_ms = pause_terms(by, reason, until)
    return _PAUSE_TASK(terms=terms, until_ms=until_ms, tasks=ids)


def pause(id: str, by: str, reason: str | None, until: datetime | None) -> Operation[Reply]:
    """Pause a task by name: ok (record), late (server ms), conflict (status) or missing."""
    return one(pause_all([id], by, reason, until))


def resume_all(ids: Sequence[str]) -> Call[list[Reply]]:
    """Let tasks go on that were paused by name: ok (status), conflict (status: not paused) or missing."""
    return _RESUME_TASK(tasks=ids)


def resume(id: str) -> Operation[Reply]:
    """Let a task go on that was paused by name: ok (status), conflict (status: it was not paused) or missing."""
    return one(resume_all([id]))


def hold_all(ids: Sequence[str], *, held: bool) -> Call[list[Reply]]:
    """Hold tasks back, or release them: ok (status, 1 when that changed it), conflict (status) or missing."""
    return _HOLD(held="1" if held else "", tasks=ids)


def hold(id: str, *, held: bool) -> Operation[Reply]:
    """Hold a task back, or release it: ok (status, 1 when that changed it), conflict (status) or missing."""
    return one(hold_all([id], held=held))


def reopen_all(ids: Sequence[str]) -> Call[list[Reply]]:
    """Open FAILED or CANCELLED tasks again: ok (status), conflict (status), blocked (closed by) or missing."""
    return _REOPEN(because="", term="", entry="", tasks=ids)


def reopen(id: str) -> Operation[Reply]:
    """Open a FAILED or CANCELLED task again: ok (status), conflict (status), blocked (closed by) or missing."""
    return one(reopen_all([id]))


def execute(id: str, agent: str | None) -> Operation[Reply]:
    """Start a task as soon as it may: ok (status), conflict (status, agent) or missing."""
    return settled(_EXECUTE(task=id, agent=agent or ""))


@dataclass(frozen=True, slots=True)
class EdgeChange:
    """Dependencies that an update takes off and puts on, checked for cycles by the caller."""

    #: :func:`edge_revision`, read before the check.
    revision: str = ""
    dropped: tuple[str, ...] = ()
    added: tuple[str, ...] = ()


def update(
    id: str, revision: str, new: Record, score: int, old_index: str, *, before_first_run: bool, edges: EdgeChange,
    due: int | None = None,
) -> Operation[Reply]:  # fmt: skip
    """Replace the client's fields: ok, stale (read again), conflict (status) or missing (id).

    *due* is a new time to start, in milliseconds since 1970: 0 is at once, None leaves the one that it has.

    *revision* is the field of that name ('0' when unset) read before the task was. A large input of *new* must have
    been stored.
    """
    row = new.row
    call = _UPDATE(
        task=id, revision=revision, name=row["name"], doc=row["doc"], score=score, timeout=row["timeout"],
        old_index=old_index, new_index=row["index"], before_first_run="1" if before_first_run else "", big=row["big"],
        rare=row["rare"], due="" if due is None else due, edge_revision=edges.revision,
        dropped=" ".join(edges.dropped), added=" ".join(edges.added),
    )  # fmt: skip
    return settled(call)


@dataclass(frozen=True, slots=True)
class Since:
    """When somebody began to look for those that depend on what is to be deleted, as two counters.

    :mod:`taskengine.store.needs` says what they count.
    """

    late: int
    opened: int


def delete_all(pairs: Sequence[tuple[str, str]], since: Since) -> Call[list[Reply]]:
    """Remove terminal tasks, each with its index names: ok, conflict (status), waited (by id or ''), stale, later
    (in another call), leaving (see :func:`left_all`) or missing.

    stale: somebody may depend on it who came after *since*; look again.
    """
    tasks = [{"task": id, "index": index} for id, index in pairs]
    return _DELETE(late=since.late, opened=since.opened, tasks=tasks)


def delete(id: str, index: str, since: Since) -> Operation[Reply]:
    """Remove a terminal task: ok, conflict (status), waited (by id or ''), stale (look again) or missing.

    One with very many dependencies is gone from the first trip on; a caller that dies in between leaves the rest to the
    coordinator.
    """
    return (yield from left_all(id, (yield from one(delete_all([(id, index)], since)))))


def left_all(id: str, answer: Reply) -> Operation[Reply]:
    """Return the *answer* of ``delete`` about a task; ok once one that was leaving very many lists has left them."""
    if answer.word != "leaving":
        return answer
    while (yield from continue_delete("", id)).number():
        pass
    return Reply("ok")


def reprioritise(ids: Sequence[str], priority: int) -> Operation[list[Reply]]:
    """Give tasks another priority: ok, same (it has it), conflict (status), stale (read again), settling, missing."""
    raw = yield from _READ(tasks=ids)
    found = dict.fromkeys(ids, Reply("stale"))  # of a reply of a mebibyte the last are left out
    rows: dict[str, Row] = {}
    for id, flat in zip(ids, raw, strict=False):
        if not flat:
            found[id] = Reply("missing")
        else:
            try:
                row = _reprioritised(id, pairs(flat), priority)
            except ValueError:
                found[id] = Reply("conflict", (UNREADABLE,))
                continue
            if row:
                rows[id] = row
            else:
                found[id] = Reply("same")
    if rows:
        answers = yield from _REPRIORITISE(priority_index=f"p:{priority}", tasks=rows.values())
        found |= zip(rows, answers, strict=True)
    return list(found.values())


def _reprioritised(id: str, fields: Mapping[str, str], priority: int) -> Row:
    """Return the row of a task for ``reprioritise``; empty when it has that priority, ValueError when it is
    unreadable.
    """
    doc = loads_object(fields.get(TaskField.doc, "{}"))
    old = doc.get("priority", int(TaskPriority.NORMAL))
    if old == priority:
        return {}
    score = float(fields.get(TaskField.score, 0))
    place = moved(score, priority, unpack(score).deadline_seconds)
    return {
        "task": id,
        "revision": fields.get(TaskField.revision, "0"),
        "doc": canonical({**doc, "priority": priority}, "priority"),
        "score": place,
        "old_index": f"p:{old}",
    }


def add_dependency(id: str, dependency: str, edge_revision: str, sha: str) -> Operation[Reply]:
    """Add a checked edge: ok, stale (check again), conflict (status) or missing (id)."""
    return settled(_ADD_DEPENDENCY(task=id, dependency=dependency, edge_revision=edge_revision, sha=sha))


def edge_revision(keys: Keys) -> Call[str]:
    """Revision of all edges added after submit."""
    return Call("GET", (keys.fixed("edge_revision"),), _revision, command=True)


def _revision(raw: Any) -> str:
    return str(raw or "0")


def fields(keys: Keys, id: str, *names: str) -> Call[dict[str, str | None]]:
    """Some raw fields of a task's hash; None where unset."""

    def decode(raw: Sequence[Any]) -> dict[str, str | None]:
        return dict(zip(names, raw, strict=True))

    return Call("HMGET", (keys.of("task", id), *names), decode, command=True)


def total_end_ms(keys: Keys, id: str) -> Call[int | None]:
    """Return when a task's ``total_timeout`` ends, in milliseconds since 1970; None where it has none, or never
    started.
    """
    return Call("HGET", (keys.of("task", id), TaskField.total_end), _ms_or_none, command=True)


def _ms_or_none(raw: Any) -> int | None:
    return int(raw) if raw else None


def open_in_run(keys: Keys, run: str) -> Call[int]:
    """Return how many tasks of a run are not over."""
    return Call("HGET", (keys.of("run", run), RunField.open), _count, command=True)


def _count(raw: Any) -> int:
    return int(raw or 0)


def statuses(ids: Sequence[str]) -> Call[list[str]]:
    """Status of up to 256 tasks in the order asked; '' where there is no such task."""
    return _READ_STATUSES(tasks=ids)


def watch(id: str) -> Call[Reply]:
    """Say that somebody waits for a task: ok (status) or missing."""
    return _WATCH_TASK(task=id)


def until_done(keys: Keys, id: str, seconds: float) -> Call[bool]:
    """Wait up to *seconds* (at most 5) for the end of a watched task; whether it ended."""
    args = ("COUNT", 1, "BLOCK", block_ms(seconds), "STREAMS", keys.of("done", id), "0")
    return Call("XREAD", args, bool, command=True)


def begin_alike(beginning: str, most: int) -> Operation[list[str]]:
    """Up to *most* ids of tasks that begin with these four or more hexadecimal digits, the newest 4096 first.

    It reads the raw ids of all arrivals, a mebibyte (65 536 tasks) a script, so that a submit pays nothing for it.
    """
    raw = bytes.fromhex(beginning[: len(beginning) // 2 * 2])
    half = int(beginning[-1], 16) if len(beginning) % 2 else ""
    found: dict[str, None] = {}
    at = -1
    while True:
        answer = yield from _MATCH_IDS(start=at, raw=raw, half=half, limit=most)
        found |= dict.fromkeys(map(str, answer.rest[1:]))
        at = answer.number()
        if at < 0 or len(found) >= most:
            return list(found)[:most]


def _found(raw: Sequence[Any]) -> tuple[int, list[str], dict[str, int]]:
    words = str(raw[2]).split()
    counts = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    return int(raw[1]), list(raw[3:]), counts


_LIST = Verb("list", _found)


def find(below: int, limit: int, indexes: Iterable[str]) -> Operation[tuple[int, list[str]]]:
    """Ids that carry every index, newest first, and the arrival to go on below (0 = no more)."""
    at, ids, _ = yield from _LIST(below=below, limit=limit, fits="", indexes=indexes)
    return at, ids


def holding(part: Any) -> list[str]:
    """Return indexes that every task carries whose metadata hold *part*, and few others do: texts in its document."""
    return [f"d:{text}" for text in dict.fromkeys(_texts_of("", part))]


def _texts_of(before: str, part: Any) -> Iterator[str]:
    """What canonical JSON that holds *part* is bound to contain. (1.0 is written otherwise, and is 1.)"""
    if isinstance(part, Mapping):
        yield from [f"{before}{{"] if not part else []
        for key, value in part.items():
            yield from _texts_of(f"{canonical(key, 'metadata')}:", value)
    elif isinstance(part, list):
        yield f"{before}["
        for value in part:
            yield from _texts_of("", value)
    elif isinstance(part, int | float) and not isinstance(part, bool):
        yield from [before] if before else []
    else:
        yield before + canonical(part, "metadata")


def find_fitting(
    below: int, limit: int, fits: Iterable[str], indexes: Iterable[str]
) -> Call[tuple[int, list[str], dict[str, int]]]:
    """As :func:`find`, but only ids in a status of *fits*; how many there are in each other status is counted."""
    return _LIST(below=below, limit=limit, fits=" ".join(sorted(fits)), indexes=indexes)
