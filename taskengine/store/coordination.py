"""What coordinators say: lead, and the recurring verbs that a term fences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from taskengine.store.call import Call, Operation
from taskengine.store.connect import block_ms
from taskengine.store.keys import Keys
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

#: Entries looked at in one script, so that none takes longer than a few milliseconds.
PIECE = 64
#: Slots whose leases end in one script; each may hold several executions.
LEASES = 32
#: Parked tasks put back in one script.
UNPARKED = 256
#: Members of the set of open queues that are none: an agent or everything may be paused, and a run.
PAUSED, RUN_PAUSED, LIMITED, SHORT = "!", "!run", "!limits", "!room"

_LIFT_AGED = Verb("lift_aged", reply)
_CONTINUE_RELEASES = Verb("continue_releases", reply)
_SETTLE_BATCH = Verb("settle_batch", reply)
_FIRE_TIMERS = Verb("fire_timers", reply)
_GRANT = Verb("grant", reply)
_ELECT = Verb("elect", reply)
_CONTINUE_DELETE = Verb("continue_delete", reply)
_RESCUE = Verb("rescue", reply)
_RESIGN = Verb("resign", reply)
_SWEEP_BATCH = Verb("sweep_batch", reply)
_UNPARK = Verb("unpark", reply)
_WITHDRAW = Verb("withdraw", reply)


def elect(id: str, lease_ms: int, settings: str = "") -> Call[Reply]:
    """Take or renew the leadership: ok (term, newly taken), standby (leader, ms until it lapses) or schema (stored).

    *settings* is the digest of the coordinator's.
    """
    return _ELECT(id=id, lease_ms=lease_ms, settings=settings)


def resign(id: str) -> Call[Reply]:
    """Give the leadership up at once."""
    return _RESIGN(id=id)


def grant(term: str, queues: Iterable[str]) -> Call[Reply]:
    """Grant READY tasks of *queues* to free slots; ok (granted)."""
    return _GRANT(term=term, queues=queues)


def withdraw(term: str) -> Call[Reply]:
    """Delete grants over their claim deadline; ok (withdrawn)."""
    return _WITHDRAW(term=term, most=PIECE)


def rescue(term: str) -> Call[Reply]:
    """End executions whose lease lapsed; ok (lost, nodes gone, [task, node …] of the lost ones, [node …] forgotten)."""
    return _RESCUE(term=term, most=LEASES)


def fire_timers(term: str) -> Call[Reply]:
    """Act on due timers; ok (fired, ms until the next or -1)."""
    return _FIRE_TIMERS(term=term, most=PIECE)


def next_timer(keys: Keys) -> Call[int | None]:
    """Return when the next timer is due, in milliseconds on the server's clock; None when there is none."""
    return first_score(keys.fixed("timers"))


def first_score(key: str) -> Call[int | None]:
    """Return the lowest score in a sorted set, as a whole number; None when it is empty."""
    return Call("ZRANGE", (key, 0, 0, "WITHSCORES"), _first_score, command=True)


def _first_score(raw: Sequence[Any]) -> int | None:
    if not raw:
        return None
    return round(float(raw[0][1] if isinstance(raw[0], list | tuple) else raw[1]))


def continue_releases(term: str, task: str = "") -> Call[Reply]:
    """Tell further dependents of ended tasks; ok (1 while more remain)."""
    return _CONTINUE_RELEASES(term=term, task=task)


def erasing(keys: Keys) -> Call[list[str]]:
    """Tasks whose deletion has begun, 16 at most, the oldest first."""
    return Call("ZRANGE", (keys.fixed("erasing"), 0, 15), list, command=True)


def continue_delete(term: str, task: str) -> Call[Reply]:
    """Go on with the deletion of a task that stands in very many lists; ok (1 while more remain)."""
    return _CONTINUE_DELETE(term=term, task=task)


def unpark(term: str, start: str = "0") -> Call[Reply]:
    """Put parked tasks and timers back whose reason is gone, of some reasons; ok (moved, where to go on or '0')."""
    return _UNPARK(term=term, start=start)


def lift_aged(term: str, queue: str, start: int, aging_ms: int) -> Call[Reply]:
    """Lift waiting tasks of a queue, or of one of :func:`room_parks`, by a class; ok (lifted, *start* to go on from or
    -1, ms to the next).
    """
    return _LIFT_AGED(term=term, queue=queue, start=start, aging_ms=aging_ms)


def settle_batch(batch: str) -> Call[Reply]:
    """Drop commit waits of a committed graph's next chunk; ok (1 while more remain)."""
    return _SETTLE_BATCH(batch=batch)


def sweep_batch(batch: str, term: str) -> Call[Reply]:
    """Remove a chunk of an abandoned graph; ok (1 while more remain), committed or stale."""
    return _SWEEP_BATCH(batch=batch, term=term)


def committed(keys: Keys) -> Call[list[str]]:
    """Batches whose commit waits still fall."""
    return Call("SRANDMEMBER", (keys.fixed("commits"), 16), list, command=True)


def abandoned(keys: Keys, seconds: float) -> Operation[list[str]]:
    """Batches, 16 at most, first staged *seconds* ago or earlier (server's clock) and never committed."""
    before = (yield from server_ms()) - round(seconds * 1000)
    args = (keys.fixed("batches"), "-inf", before, "LIMIT", 0, 16)
    found: Call[list[str]] = Call("ZRANGEBYSCORE", args, list, command=True)
    return (yield from found)


def server() -> Call[Server]:
    """Return which server process answers."""
    return Call("INFO", ("server",), _server, command=True)


@dataclass(frozen=True, slots=True)
class Server:
    """One life of a server process."""

    run_id: str
    uptime_seconds: int


def _server(raw: Any) -> Server:
    return Server(str(raw.get("run_id", "")), int(raw.get("uptime_in_seconds", 0)))


def server_ms() -> Call[int]:
    """Milliseconds since 1970 on the server's clock."""
    return Call("TIME", (), _milliseconds, command=True)


def _milliseconds(raw: Sequence[Any]) -> int:
    return int(raw[0]) * 1000 + int(raw[1]) // 1000


def queues(keys: Keys) -> Call[list[str]]:
    """Queues that have or had READY tasks."""
    return Call("SMEMBERS", (keys.fixed("queues"),), list, command=True)


def room_parks(keys: Keys) -> Call[list[str]]:
    """Scopes under which tasks wait for room on a host."""

    def decode(raw: Iterable[str]) -> list[str]:
        return [scope for scope in raw if scope.startswith("room:")]

    return Call("SMEMBERS", (keys.fixed("suspending"),), decode, command=True)


@dataclass(frozen=True, slots=True)
class Hints:
    """What a blocking read of the coordinator's streams saw."""

    queues: frozenset[str]
    #: Where to go on reading the wake stream and the decisions.
    wake_from: str
    decisions_from: str


def listen(keys: Keys, wake_from: str, decisions_from: str, seconds: float) -> Call[Hints]:
    """Wait up to *seconds*, 5 at most, for a hint or a decision behind the given entries ('0': any)."""
    wake, decide = keys.fixed("wake"), keys.fixed("decisions")

    def decode(raw: Any) -> Hints:
        streams = dict(raw or ())
        heard, asked = streams.get(wake, []), streams.get(decide, [])
        return Hints(
            frozenset(f["q"] for _, f in heard if "q" in f),
            heard[-1][0] if heard else wake_from,
            asked[-1][0] if asked else decisions_from,
        )

    args = ("COUNT", 500, "BLOCK", block_ms(seconds), "STREAMS", wake, decide, wake_from, decisions_from)
    return Call("XREAD", args, decode, command=True)


def listen_for_decisions(keys: Keys, decisions_from: str, seconds: float) -> Call[str]:
    """Wait up to *seconds*, 5 at most, for a decision behind the given entry; the latest one, or that entry."""

    def decode(raw: Any) -> str:
        return str(raw[0][1][-1][0]) if raw else decisions_from

    args = ("COUNT", 500, "BLOCK", block_ms(seconds), "STREAMS", keys.fixed("decisions"), decisions_from)
    return Call("XREAD", args, decode, command=True)
