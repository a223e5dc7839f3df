"""What worker nodes say: beat, drain, leave; and what the fleet looks like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from taskengine.store.call import Call
from taskengine.store.codec import pairs
from taskengine.store.replies import Reply, reply

#: Withdrawn grants in a row after which a node is granted nothing more.
MOST_UNTAKEN = 3


@dataclass(frozen=True, slots=True)
class Held:
    """An execution that a slot of this node holds."""

    execution_id: str
    message: str
    pid: int
    #: Milliseconds on the server's clock; None without.
    deadline_ms: int | None
    #: When its cancel was asked; None when nobody did.
    cancel_ms: int | None
    token: int
    task_id: str
    #: Milliseconds on the server's clock until which it may say nothing; None without a heartbeat timeout.
    silent_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """An execution that a beat ended as LOST; its node may never have heard of it."""

    execution_id: str
    #: '' when the execution is gone.
    task_id: str
    pid: int
    #: Status of its task by that; '' when it had ended before.
    became: str
    why: str


@dataclass(frozen=True, slots=True)
class Beat:
    """The answer to a heartbeat."""

    server_ms: int
    held: tuple[Held, ...]
    lost: tuple[Lost, ...]


def beat(
    node: str, number: int, info: str, slots: int, lanes: str, drain: str, live: Iterable[str], *, took: bool = False
) -> Call[Beat]:
    """Publish a node and renew what its live slots hold; *live* are ``message|pid`` of every message in hand, and
    ``message|pid|milliseconds ago|how`` of those whose process was seen to die.

    *took*: whether a slot claimed since the last beat. *number* counts the beats of the node up from 1: a copy of one
    that was answered, or was overtaken, only reads.
    """
    took_word = "1" if took else ""
    return Call("beat", (node, number, info, slots, lanes, drain, took_word, *live), _beat, grants=True)


def _beat(raw: Sequence[Any]) -> Beat:
    held = tuple(
        Held(h[0], h[1], int(h[2] or 0), _ms(h[3]), _ms(h[4]), int(h[5] or 0), h[6], _ms(h[7])) for h in raw[2] if h[6]
    )
    lost = tuple(Lost(one[0], one[1], int(one[2] or 0), one[3], one[4]) for one in raw[3])
    return Beat(int(raw[1]), held, lost)


def _ms(text: str) -> int | None:
    return int(text) if text else None


def drain(node: str, why: str) -> Call[Reply]:
    """Mark a node as draining: claim and pull answer nothing more from this moment on."""
    return Call("drain", (node, why), reply)


def leave(node: str) -> Call[Reply]:
    """Take a stopped node out of the fleet; what it still holds is LOST."""
    return Call("leave", (node,), reply, grants=True)


@dataclass(frozen=True, slots=True)
class Node:
    """A worker node as the fleet sees it."""

    name: str
    alive: bool
    #: JSON that the node published about itself.
    info: str
    slots: int
    held: int
    #: Lane -> agent that would run it.
    lanes: dict[str, str]
    #: Why it drains, or ''.
    draining: str
    #: Times in a row that it took nothing of what it was granted, up to :data:`MOST_UNTAKEN`.
    untaken: int

    @property
    def is_distrusted(self) -> bool:
        """Whether it is granted one task a minute and no more."""
        return self.untaken >= MOST_UNTAKEN


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane with READY tasks now or before."""

    name: str
    ready: int
    granted: int
    #: Live nodes that offer it.
    offered: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """Nodes, lanes, counts and the coordinator at one moment."""

    server_ms: int
    nodes: tuple[Node, ...]
    lanes: tuple[Lane, ...]
    #: Task status value -> visible tasks.
    counts: dict[str, int]
    leader: str | None
    term: int
    timers: int
    decisions: int
    dead_letters: int
    poison_decisions: int
    open_batches: int
    running: int
    #: Park reason -> parked tasks.
    parked: dict[str, int]
    #: Scope -> its pause, as they are stored.
    pauses: dict[str, str]


def fleet() -> Call[Fleet]:
    """What the fleet looks like now."""
    return Call("fleet", (), _fleet)


def _fleet(raw: Sequence[Any]) -> Fleet:
    now = int(raw[0])
    leader = pairs(raw[4])
    leads = int(leader.get("until", 0)) > now
    return Fleet(
        server_ms=now,
        nodes=tuple(_node(n, now) for n in raw[1]),
        lanes=tuple(Lane(x[0], int(x[1]), int(x[2]), int(x[3])) for x in raw[2]),
        counts={status: int(n) for status, n in pairs(raw[3]).items()},
        leader=leader.get("id") if leads else None,
        term=int(leader.get("term", 0)),
        timers=int(raw[5][0]),
        decisions=int(raw[5][1]),
        dead_letters=int(raw[5][2]),
        poison_decisions=int(raw[5][3]),
        open_batches=int(raw[5][4]),
        running=int(raw[5][5]),
        parked={x[0]: int(x[1]) for x in raw[6]},
        pauses=pairs(raw[7]),
    )


def _node(raw: Sequence[Any], now: int) -> Node:
    lanes = dict(word.rsplit("=", 1) for word in raw[4].split())
    return Node(raw[0], float(raw[1]) > now, raw[2], int(raw[3]), int(raw[6]), lanes, raw[5], int(raw[7]))
