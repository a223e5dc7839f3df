"""Slotless executions: how their slot lets go, who asks their service, and what ends those that nobody hears of.

An attempt of an agent whose work goes on at a service checkpoints where that is and is *detached*: RUNNING as before,
with no slot and no lease. One poller for each agent, on any worker that serves it, takes what is due
(:func:`poll_take`) and says what it heard: that it goes on (:func:`note_polled`), that it is not known there any more
(:func:`lose`), or how it ended, which is a report as any other, of the slot that node ``~`` has for it
(:func:`slot_of`). What is over its time the coordinator ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from taskengine.agents.reference import Reference, Tracked
from taskengine.errors import InvalidInputError
from taskengine.store.call import Call
from taskengine.store.executions import Answer, Slot, answer
from taskengine.store.kept import reference_from, reference_text
from taskengine.store.keys import SERVICE, Keys
from taskengine.store.replies import AssignmentReply, Reply, replies, reply
from taskengine.store.verb import Row, Verb

#: Executions in one script.
PIECE = 256
_UNREADABLE = Reference("", "intent")


class _Tracked(NamedTuple):
    """What ``poll_take`` says of one that is due."""

    execution_id: str
    token: str
    task_id: str
    reference: str
    deadline_ms: str
    cancel: str
    age_ms: int


@dataclass(frozen=True, slots=True)
class Due:
    """A slotless execution that is due."""

    tracked: Tracked
    #: Milliseconds since its attempt began.
    age_ms: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What a poller was told."""

    #: The node that polls instead; '' when it is the one that asked.
    other: str = ""
    due: tuple[Due, ...] = ()
    #: What goes on for nobody: execution -> where.
    orphans: tuple[tuple[str, Reference], ...] = ()
    #: Until the next is due, or the other one's lease is over; None when nothing is.
    wait_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Polled:
    """A run that goes on, as its poller heard."""

    execution_id: str
    token: int
    #: Until it should be asked about again.
    next_ms: int
    note: str = ""
    #: 0 to 1; None when the service does not say.
    fraction: float | None = None
    #: None when it is as before.
    reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class Overdue:
    """A slotless execution that must end."""

    execution_id: str
    token: int
    task_id: str
    deadline_ms: int
    #: Because it said nothing for too long.
    silent: bool
    #: Because the grace of its cancel is over.
    cancelled: bool


class _Overdue(NamedTuple):
    """The same, as ``take_overdue`` says it."""

    execution_id: str
    token: str
    task_id: str
    deadline_ms: str
    silent: int
    cancelled: int


_DETACH = Verb("detach", answer, assignment=AssignmentReply)
_NOTE_POLLED: Verb[list[str]] = Verb("note_polled", lambda raw: list(map(str, raw)))
_LOSE_REMOTE = Verb("lose_remote", replies)
_TAKE_OVERDUE = Verb("take_overdue", reply, overdue=_Overdue)


def slot_of(execution: str) -> Slot:
    """Return the slot that holds a slotless execution, for its report; it goes on with nothing."""
    return Slot(SERVICE, execution, "", 0, "")


def detach(
    slot: Slot, execution: str, token: int, reference: Reference, *, poll_ms: int, taken_up: bool, pull: bool
) -> Call[Answer]:
    """Free the slot of an execution that goes on as *reference* says, and get its next one; safe to repeat.

    ``fenced`` when the slot lost it meanwhile. *taken_up*: an earlier attempt had begun that work.
    """
    return _DETACH(
        node=slot.node, slot=slot.nonce, queues=slot.queues if pull else "", message=slot.message, pid=slot.pid,
        execution=execution, token=token, reference=reference_text(reference), poll_ms=poll_ms,
        taken_up="1" if taken_up else "",
    )  # fmt: skip


def _taken(raw: Sequence[Any]) -> Taken:
    if raw[0] == "other":
        return Taken(other=str(raw[1]), wait_ms=int(raw[2]))
    flat = list(map(str, raw[2]))
    orphans = tuple((id, _where(text)) for id, text in zip(flat[::2], flat[1::2], strict=True))
    return Taken("", tuple(_due(_Tracked._make(row)) for row in raw[1]), orphans, int(raw[3]) if raw[3] >= 0 else None)


def _where(record: str) -> Reference:
    """Return a stored reference; of one that cannot be read an intent that no type takes for its own."""
    try:
        return reference_from(record) or _UNREADABLE
    except InvalidInputError:
        return _UNREADABLE


def _due(row: _Tracked) -> Due:
    tracked = Tracked(
        row.execution_id, int(row.token), row.task_id, _where(row.reference), int(row.deadline_ms), row.cancel
    )
    return Due(tracked, int(row.age_ms))


_POLL_TAKE = Verb("poll_take", _taken, tracked=_Tracked)


def poll_take(agent: str, node: str, lease_ms: int, most: int = PIECE) -> Call[Taken]:
    """Be the only poller of *agent* for so long, and take what is due; it is due again as late as that.

    *most* 0 only goes on being it. *lease_ms* 0 gives it up.
    """
    return _POLL_TAKE(agent=agent, node=node, lease_ms=lease_ms, most=most)


def note_polled(runs: Sequence[Polled]) -> Call[list[str]]:
    """Keep what was heard of runs that go on, :data:`PIECE` at most: of each ``ok``, or what it is instead."""
    rows: list[Row] = [
        {
            "execution": one.execution_id, "token": one.token, "next_ms": one.next_ms, "note": one.note,
            "reference": reference_text(one.reference) if one.reference else "",
            "progress": "" if one.fraction is None else repr(round(one.fraction, 4)),
        }
        for one in runs
    ]  # fmt: skip
    return _NOTE_POLLED(runs=rows)


def lose(gone: Sequence[tuple[str, int, str]]) -> Call[list[Reply]]:
    """End (execution, token, why) as LOST, 64 at most; ok (task's status), conflict (status) or missing of each."""
    rows: list[Row] = [{"execution": id, "token": token, "why": why} for id, token, why in gone]
    return _LOSE_REMOTE(runs=rows)


def forget_orphan(keys: Keys, agent: str, execution: str) -> Call[int]:
    """Note that what went on for nobody was ended at its service, or cannot be."""
    return Call("HDEL", (keys.of("orphans", agent), execution), int, command=True)


def take_overdue(term: str, most: int) -> Call[Reply]:
    """Name slotless executions that must end; ok ([overdue …], ms until the next or -1). See :func:`overdue`."""
    return _TAKE_OVERDUE(term=term, most=most)


def overdue(said: Reply) -> list[Overdue]:
    """Return the executions that an answer of :func:`take_overdue` names."""
    rows = map(_Overdue._make, said.rest[0]) if said.ok else ()
    return [
        Overdue(r.execution_id, int(r.token), r.task_id, int(r.deadline_ms), bool(r.silent), bool(r.cancelled))
        for r in rows
    ]
