"""What stands around a task: its place in its queue, who could run it, whether anybody coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from taskengine.core.explain.inputs import QueueView, Server
from taskengine.core.order import priority_of
from taskengine.models.enums import TaskPriority
from taskengine.store.call import Operation
from taskengine.store.codec import moment, note, pairs
from taskengine.store.fields import TaskField
from taskengine.store.keys import RULED
from taskengine.store.limits import closed_from
from taskengine.store.nodes import Node, every_node
from taskengine.store.pause_record import pause_from
from taskengine.store.verb import Verb

#: Queues told of, of those that living nodes offer.
_MOST_QUEUES = 100


class _Row(NamedTuple):
    """The same, as ``queue_view`` says it."""

    server_ms: int
    #: Of the task's record, a flat list.
    fields: Sequence[str]
    #: -1 where it does not stand in its queue.
    position: int
    ready: int
    granted: int
    #: '' for nobody.
    leader: str
    #: Scope and record of a pause that it feels, or nothing.
    pause: tuple[str, str] | tuple[()]
    #: 'node until ms' of who polls for it, or did last; '' for nobody.
    poller: str
    #: (agent, limit, bound, ms or '', why) of agents that their limits let start nothing.
    closed: Sequence[Sequence[Any]]


def _queue_view(row: _Row, nodes: Sequence[Node]) -> QueueView:
    live = [node for node in nodes if node.alive]
    f = pairs(row.fields)
    queue = f[TaskField.queue]
    poller, _, polled_until = row.poller.rpartition(" ")
    return QueueView(
        now=_at(row.server_ms),
        queue=queue,
        waiting=int(f.get(TaskField.waiting, 0)) + (RULED if TaskField.rule in f else 0) - (TaskField.batch in f),
        failed=int(f.get(TaskField.failed, 0)),
        skipped=int(f.get(TaskField.skipped, 0)),
        due=moment(f.get(TaskField.due)),
        held=TaskField.held in f,
        settling=TaskField.batch in f,
        park=f.get(TaskField.parked, ""),
        cancel=f.get(TaskField.cancel),
        claim_by=moment(f.get("claim by")),
        position=row.position,
        ready=row.ready,
        granted=row.granted,
        servers=tuple(_server(node, node.queues[queue]) for node in live if queue in node.queues),
        queues=tuple(sorted({queue for node in live for queue in node.queues})[:_MOST_QUEUES]),
        leader=row.leader,
        aged_to=TaskPriority(priority_of(float(f[TaskField.score]))) if TaskField.aged in f else None,
        pause=pause_from(*row.pause) if row.pause else None,
        poller=poller,
        polled_until=moment(polled_until or None),
        closed=tuple((str(agent), found) for agent, *words in row.closed if (found := closed_from(words))),
    )


def _server(node: Node, agent: str) -> Server:
    stuck = note(node.info).get("stuck") or 0
    return Server(node.name, node.slots, node.held, node.draining, node.untaken, node.is_distrusted, stuck, agent)


def _row(raw: Sequence[Any]) -> _Row | None:
    return _Row._make(raw) if raw else None


_READ_QUEUE_VIEW = Verb("read_queue_view", _row, queue_view=_Row)


def queue_view(id: str) -> Operation[QueueView | None]:
    """Return the queue view of a task, and of the nodes that may run it some trips later; None when there is none."""
    row = yield from _READ_QUEUE_VIEW(task=id)
    return _queue_view(row, (yield from every_node())) if row else None


def _at(ms: Any) -> datetime:
    found = moment(ms)
    assert found is not None
    return found
