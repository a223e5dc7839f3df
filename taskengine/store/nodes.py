"""What worker nodes say: beat, drain, leave; and what the fleet looks like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from taskengine.store.call import Call, Operation
from taskengine.store.codec import pairs
from taskengine.store.fields import LeaderField
from taskengine.store.replies import Reply, reply
from taskengine.store.verb import Verb

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
    #: The same until which somebody follows its log; None when nobody did.
    watched_ms: int | None = None
    #: Of the node. A message does not tell slots apart: one that was sent again may come to two of a process.
    slot: str = ""


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
class HeartbeatReply:
    """The answer to a heartbeat."""

    server_ms: int
    held: tuple[Held, ...]
    lost: tuple[Lost, ...]
    #: Counts changes of what is stored of agents.
    agent_revision: int = 0


class _Held(NamedTuple):
    """The same, as ``beat`` says it: '' where there is nothing."""

    execution_id: str
    message: str
    pid: str
    deadline_ms: str
    cancel_ms: str
    token: str
    task_id: str
    silent_ms: str
    watched_ms: str
    slot: str


class _Lost(NamedTuple):
    """The same, as ``beat`` says it."""

    execution_id: str
    task_id: str
    pid: str
    became: str
    why: str


def _heartbeat(raw: Sequence[Any]) -> HeartbeatReply:
    held = tuple(_held(one) for one in map(_Held._make, raw[2]) if one.task_id)
    return HeartbeatReply(int(raw[1]), held, tuple(_lost(_Lost._make(one)) for one in raw[3]), int(raw[4]))


def _lost(one: _Lost) -> Lost:
    return Lost(one.execution_id, one.task_id, int(one.pid or 0), one.became, one.why)


def _held(one: _Held) -> Held:
    return Held(
        execution_id=one.execution_id,
        message=one.message,
        pid=int(one.pid or 0),
        deadline_ms=_ms(one.deadline_ms),
        cancel_ms=_ms(one.cancel_ms),
        token=int(one.token or 0),
        task_id=one.task_id,
        silent_ms=_ms(one.silent_ms),
        watched_ms=_ms(one.watched_ms),
        slot=one.slot,
    )


def _ms(text: str) -> int | None:
    return int(text) if text else None


_HEARTBEAT = Verb("heartbeat", _heartbeat, held=_Held, lost=_Lost)
_DRAIN = Verb("drain", reply)
_REMOVE_NODE = Verb("remove_node", reply)


def heartbeat(
    node: str, number: int, info: str, slots: int, queues: str, drain: str, live: Iterable[str], *, took: bool = False,
    host: str = "",
) -> Call[HeartbeatReply]:
    """Publish a node and renew what its live slots hold; *live* are ``message|pid`` of every message in hand, and
    ``message|pid|milliseconds ago|how`` of those whose process was seen to die.

    *took*: whether a slot claimed since the last beat. *host*: ``NAME resource=thousandths,…`` of its machine; '' of a
    node that reserves nothing and runs what it may. *number* counts the beats of the node up from 1: a copy of one
    that was answered, or was overtaken, only reads.
    """
    return _HEARTBEAT(
        node=node,
        number=number,
        info=info,
        slots=slots,
        queues=queues,
        drain=drain,
        took="1" if took else "",
        host=host,
        live=live,
    )


def drain(node: str, why: str) -> Call[Reply]:
    """Mark a node as draining: claim and pull answer nothing more from this moment on."""
    return _DRAIN(node=node, why=why)


def remove_node(node: str) -> Call[Reply]:
    """Take a stopped node out of the fleet; what it still holds is LOST."""
    return _REMOVE_NODE(node=node)


@dataclass(frozen=True, slots=True)
class Node:
    """A worker node as the fleet sees it."""

    name: str
    alive: bool
    #: Milliseconds on the server's clock until which its latest beat counts.
    until_ms: int
    #: JSON that the node published about itself.
    info: str
    slots: int
    held: int
    #: Queue -> agent that would run it.
    queues: dict[str, str]
    #: Why it drains, or ''.
    draining: str
    #: Times in a row that it took nothing of what it was granted, up to :data:`MOST_UNTAKEN`.
    untaken: int

    @property
    def is_distrusted(self) -> bool:
        """Whether it is granted one task a minute and no more."""
        return self.untaken >= MOST_UNTAKEN


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with READY tasks now or before."""

    name: str
    ready: int
    granted: int
    #: Live nodes that offer it.
    offered: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """Nodes, queues, counts and the coordinator."""

    server_ms: int
    nodes: tuple[Node, ...]
    queues: tuple[Queue, ...]
    #: Task status value -> visible tasks.
    counts: dict[str, int]
    leader: str | None
    #: Digest of the leader's settings; '' of one that says none, and when nobody leads.
    leader_settings: str
    term: int
    timers: int
    decisions: int
    dead_letters: int
    poison_decisions: int
    open_batches: int
    running: int
    #: Scope -> tasks that are parked under it.
    parked: dict[str, int]
    #: Scope -> its pause, as they are stored.
    pauses: dict[str, str]


class _Fleet(NamedTuple):
    """The same, as ``fleet`` says it; each hash is a flat list."""

    server_ms: int
    counts: Sequence[str]
    leader: Sequence[str]
    numbers: Sequence[int]
    pauses: Sequence[str]


class _Node(NamedTuple):
    """The same of one node."""

    name: str
    until_ms: str
    info: str
    slots: str
    queues: str
    draining: str
    held: int
    untaken: str


class _Numbers(NamedTuple):
    """How many there are of what."""

    timers: int
    decisions: int
    dead_letters: int
    poison_decisions: int
    open_batches: int
    running: int


_READ_FLEET = Verb("read_fleet", _Fleet._make, fleet=_Fleet, numbers=_Numbers)
_READ_NODES: Verb[list[Any]] = Verb("read_nodes", list, node=_Node)
_READ_QUEUES: Verb[list[Any]] = Verb("read_queues", list)


def fleet() -> Operation[Fleet]:
    """Return what the fleet looks like now: its parts as of moments that are some trips apart."""
    found = yield from _READ_FLEET()
    leader = pairs(found.leader)
    leads = int(leader.get(LeaderField.leads_until, 0)) > found.server_ms
    return Fleet(
        server_ms=found.server_ms,
        nodes=(yield from every_node()),
        queues=tuple(Queue(x[0], int(x[1]), int(x[2]), int(x[3])) for x in (yield from _queues("queues"))),
        counts={status: int(n) for status, n in pairs(found.counts).items()},
        leader=leader.get(LeaderField.id) if leads else None,
        leader_settings=leader.get(LeaderField.settings, "") if leads else "",
        term=int(leader.get(LeaderField.term, 0)),
        parked={x[0]: int(x[1]) for x in (yield from _queues("scopes")) if int(x[1])},
        pauses=pairs(found.pauses),
        **_Numbers._make(found.numbers)._asdict(),
    )


def leader() -> Operation[tuple[int, str | None]]:
    """Return the server's ms and who leads; None for nobody."""
    found = yield from _READ_FLEET()
    stored = pairs(found.leader)
    leads = int(stored.get(LeaderField.leads_until, 0)) > found.server_ms
    return found.server_ms, stored.get(LeaderField.id) if leads else None


def every_node() -> Operation[tuple[Node, ...]]:
    """Return all nodes, those that fell silent included until they are forgotten; the first to fall silent first."""
    found: dict[str, tuple[float, Node]] = {}
    at = ""
    while at != "0":
        at, now, *rows = yield from _READ_NODES(start=at or "0")
        for row in map(_Node._make, rows):
            found[row.name] = float(row.until_ms), _node(row, int(now))
    return tuple(node for _, node in sorted(found.values(), key=lambda one: (one[0], one[1].name)))


def _node(raw: _Node, now: int) -> Node:
    return Node(
        name=raw.name,
        alive=float(raw.until_ms) > now,
        until_ms=int(float(raw.until_ms)),
        info=raw.info,
        slots=int(raw.slots),
        held=raw.held,
        queues=dict(word.rsplit("=", 1) for word in raw.queues.split()),
        draining=raw.draining,
        untaken=int(raw.untaken),
    )


def _queues(kind: str) -> Operation[list[Any]]:
    found: dict[str, Any] = {}
    at = ""
    while at != "0":
        at, *rows = yield from _READ_QUEUES(set=kind, start=at or "0")
        found |= {row[0]: row for row in rows}
    return list(found.values())
