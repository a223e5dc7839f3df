"""What coordinators say: lead, and the recurring verbs that a term fences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from taskengine.store.call import Call
from taskengine.store.connect import LONGEST_BLOCK
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, reply

#: Entries looked at in one script, so that none takes longer than a few milliseconds.
PIECE = 64
#: Decisions kept after they raised five times.
MAX_POISON = 1000


def lead(id: str, lease_ms: int) -> Call[Reply]:
    """Take or renew the leadership: ok (term, newly taken) or standby (leader, ms until it lapses)."""
    return Call("lead", (id, lease_ms), reply)


def resign(id: str) -> Call[Reply]:
    """Give the leadership up at once."""
    return Call("resign", (id,), reply)


def grant(term: str, lanes: Iterable[str]) -> Call[Reply]:
    """Grant READY tasks of *lanes* to free slots; ok (granted)."""
    return Call("grant", (term, *lanes), reply, grants=True)


def withdraw(term: str) -> Call[Reply]:
    """Delete grants over their claim deadline; ok (withdrawn)."""
    return Call("withdraw", (term, PIECE), reply, grants=True)


def rescue(term: str) -> Call[Reply]:
    """End executions whose lease lapsed; ok (lost, nodes gone)."""
    return Call("rescue", (term, PIECE), reply, grants=True)


def fire_timers(term: str) -> Call[Reply]:
    """Act on due timers; ok (fired, ms until the next or -1)."""
    return Call("fire_timers", (term, PIECE), reply, grants=True)


def continue_releases(term: str, task: str = "") -> Call[Reply]:
    """Tell further dependents of ended tasks; ok (1 while more remain)."""
    return Call("continue_releases", (term, task), reply, grants=True)


def unpark(term: str) -> Call[Reply]:
    """Put parked tasks back whose reason is gone; ok (moved)."""
    return Call("unpark", (term,), reply, grants=True)


def fall(batch: str) -> Call[Reply]:
    """Drop commit waits of a committed graph's next chunk; ok (1 while more remain)."""
    return Call("fall", (batch,), reply, grants=True)


def sweep_batch(batch: str, term: str) -> Call[Reply]:
    """Remove a chunk of an abandoned graph; ok (1 while more remain), committed or stale."""
    return Call("sweep_batch", (batch, term), reply)


def committed(keys: Keys) -> Call[list[str]]:
    """Batches whose commit waits still fall."""
    return Call("SRANDMEMBER", (keys.fixed("commits"), 16), list, command=True)


def abandoned(keys: Keys, before_ms: int) -> Call[list[str]]:
    """Batches staged before *before_ms* and never committed."""
    args = (keys.fixed("batches"), "-inf", before_ms, "LIMIT", 0, 16)
    return Call("ZRANGEBYSCORE", args, list, command=True)


def lanes(keys: Keys) -> Call[list[str]]:
    """Lanes that have or had READY tasks."""
    return Call("SMEMBERS", (keys.fixed("lanes"),), list, command=True)


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that a script left for thought."""

    entry: str
    task_id: str
    #: The task because of which; '' for none.
    because: str
    #: counters, f, c or reopen.
    how: str


def decisions(keys: Keys, most: int = PIECE) -> Call[list[Decision]]:
    """The oldest open decisions."""
    return Call("XRANGE", (keys.fixed("decisions"), "-", "+", "COUNT", most), _decisions, command=True)


def _decisions(raw: Sequence[Any]) -> list[Decision]:
    return [Decision(entry, f["k"], f["b"], f["h"]) for entry, f in raw]


@dataclass(frozen=True, slots=True)
class Hints:
    """What a blocking read of the coordinator's streams saw."""

    lanes: frozenset[str]
    #: Where to go on reading the wake stream and the decisions.
    wake_from: str
    decisions_from: str


def listen(keys: Keys, wake_from: str, decisions_from: str, seconds: float) -> Call[Hints]:
    """Wait for a hint or a decision behind the given entries; '$' starts at now, '0' at the oldest."""
    wake, decide = keys.fixed("wake"), keys.fixed("decisions")
    block = max(1, round(min(seconds, LONGEST_BLOCK) * 1000))

    def decode(raw: Any) -> Hints:
        streams = dict(raw or ())
        heard, asked = streams.get(wake, []), streams.get(decide, [])
        return Hints(
            frozenset(f["l"] for _, f in heard),
            heard[-1][0] if heard else wake_from,
            asked[-1][0] if asked else decisions_from,
        )

    args = ("COUNT", 500, "BLOCK", block, "STREAMS", wake, decide, wake_from, decisions_from)
    return Call("XREAD", args, decode, command=True, blocks=seconds)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a decision about one task needs; its counters are its revision."""

    task_id: str
    status: str
    waiting: int
    failed: int
    cancelled: int
    visible: bool
    because: str
    because_name: str
    because_status: str


def snapshot(decision: Decision) -> Call[Snapshot | None]:
    """The snapshot of the task that *decision* is about; None when it is gone."""

    def decode(raw: Sequence[Any]) -> Snapshot | None:
        if raw[0] != "ok":
            return None
        return Snapshot(
            decision.task_id, raw[1], int(raw[2]), int(raw[3]), int(raw[4]), bool(raw[5]), decision.because, raw[6], raw[7]
        )

    return Call("snapshot", (decision.task_id, decision.because), decode)


def close(term: str, entry: str, seen: Snapshot, reason: str) -> Call[Reply]:
    """Cancel the task of *seen* and delete the decision; changed when it moved on, stale when the term did."""
    args = (term, entry, seen.task_id, seen.waiting, seen.failed, seen.cancelled, reason, seen.because)
    return Call("close", args, reply)


def reopen_closed(term: str, decision: Decision) -> Call[Reply]:
    """Open a task that *decision.because* had closed, and delete the decision."""
    return Call("reopen", (decision.task_id, decision.because, term, decision.entry), reply, grants=True)


def drop_decision(term: str, entry: str, error: str = "") -> Call[Reply]:
    """Delete a decision; one with an *error* (JSON) goes to the poison list."""
    return Call("drop_decision", (term, entry, error, MAX_POISON), reply)
