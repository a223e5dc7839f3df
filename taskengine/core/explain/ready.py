"""Why a task is READY and does not run: who could take it, and how many stand before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from taskengine.core import remedy
from taskengine.core.explain.inputs import NAMED, ExplainInputs, QueueView, Server
from taskengine.core.explain.room import room_facts
from taskengine.core.explain.words import clock, counted, nobody_leads, pause_facts, span
from taskengine.core.limits import why_closed
from taskengine.models.agent import AgentRecord
from taskengine.models.explanation import Fact
from taskengine.models.task import Task

#: How the scopes of pauses begin.
_PAUSES = ("all", "cap:", "agent:", "run:")


def ready(task: Task, inputs: ExplainInputs) -> Iterator[Fact]:
    now = inputs.queue_view
    able = [server for server in now.servers if not (server.draining or server.is_distrusted)]
    starved = not any(server.slots for server in able)
    yield from pause_facts(now)
    if starved:
        yield from _stuck(now.servers)
    short = list(room_facts(task, inputs))
    if short and not now.pause:
        yield from short
    elif now.park.startswith(_PAUSES):
        if now.pause is None:
            yield Fact(kind="parked", text="what held it back was resumed a moment ago; it goes back by itself")
            yield from nobody_leads(now, "it may stay so")
    elif now.park.startswith("room:"):
        yield Fact(kind="room", text="it waits for room on a host, and will be asked about again in a moment")
    elif now.park and not now.park.startswith("offer:"):
        yield Fact(
            kind="parked", text=task.reason or f"it is parked: {now.park}", details={"reason": now.park}
        )
    elif not now.servers:
        yield _unoffered(now, inputs.able)
    elif now.closed:
        for agent, closed in now.closed:
            yield Fact(
                kind="limit",
                text=f"agent {agent!r} starts nothing more now: {why_closed(closed)}",
                details={"agent": agent, **closed.model_dump(mode="json")},
            )
        if now.position >= 0 and able:
            yield _queued(inputs, able)
    elif now.claim_by is not None and not now.pause:
        yield Fact(
            kind="granted",
            text=f"a free slot was offered to it; its worker may take it until {clock(now.claim_by)}, "
            "then another is asked",
            details={"claim_by": now.claim_by.isoformat()},
        )
    elif now.position >= 0 and able:
        yield _queued(inputs, able)
    elif able and not now.pause:
        yield Fact(kind="queue", text="it is on its way from one place to the next; ask again in a moment")
    for server in now.servers:
        if server.draining:
            yield Fact(
                kind="draining",
                text=f"worker {server.node} offers {now.queue!r} and drains ({server.draining}): it takes nothing new",
                details={"node": server.node, "why": server.draining},
            )
        if server.is_distrusted:
            yield Fact(
                kind="untaken",
                text=f"worker {server.node} offers {now.queue!r} and took nothing of what it was granted "
                f"{server.untaken} times in a row: it is given one task a minute until it takes one; see its log, and "
                "whether its Redis user may subscribe",
                details={"node": server.node, "untaken": server.untaken},
            )
    if not starved:
        yield from _stuck(now.servers)
    if now.servers and not able:
        yield from nobody_leads(now, "nobody looks after workers that stop")


def _stuck(servers: Sequence[Server]) -> Iterator[Fact]:
    for server in servers:
        if server.stuck:
            yield Fact(
                kind="stuck",
                text=f"{server.stuck} of {server.slots + server.stuck} slots of worker {server.node} are held by "
                "agents that do not return after their end; mend the agent, or run it in a prefork pool",
                details={"node": server.node, "stuck": server.stuck},
            )


def _unoffered(now: QueueView, able: Sequence[AgentRecord]) -> Fact:
    what = f"agent {now.queue[1:]!r}" if now.queue.startswith("@") else f"capability {now.queue!r}"
    offered = [queue for queue in now.queues if not queue.startswith("@")]
    shown = ", ".join(offered[:NAMED]) + (f" and {len(offered) - NAMED} more" if len(offered) > NAMED else "")
    others = f"those that live offer {shown}" if offered else "nor anything else"
    return Fact(
        kind="unoffered",
        text=f"no living worker offers {what} ({others}); {_do_about(now.queue, able)}",
        details={"queue": now.queue, "offered": list(now.queues), "agents": [record.id for record in able]},
    )


def _do_about(queue: str, able: Sequence[AgentRecord]) -> str:
    """Return what brings a worker for a queue, by what is known of the agents that could do it."""
    draining = [record for record in able if record.draining is not None]
    if draining and len(draining) == len(able):
        names = " and ".join(f"agent {record.id!r} is drained by {record.draining}" for record in draining[:NAMED])
        return f"{names}; {remedy.resume_agent(draining[0].id)} ends that"
    registered = [record for record in able if record.origin == "api" and record.draining is None]
    if registered:
        first = registered[0]
        names = "" if queue.startswith("@") else f"{', '.join(each.id for each in registered[:NAMED])} can do it; "
        return f"{names}{remedy.start_agent(first.id, first.executor)}"
    if queue.startswith("@") and not able:
        registers = remedy.register_agent(queue[1:])
        return f"no agent {queue[1:]!r} is registered ({registers} does), nor imported; {remedy.start_worker(queue)}"
    return remedy.start_worker(queue)


def _queued(inputs: ExplainInputs, able: Sequence[Server]) -> Fact:
    now = inputs.queue_view
    slots, held = sum(server.slots for server in able), sum(server.held for server in able)
    workers = counted(len(able), "worker", "workers")
    busy = f"{held} of {slots} slots are busy on {workers}"
    start_in = _start_in(inputs, slots)
    soon = "" if start_in is None else f"; by what such tasks took it starts in about {span(start_in)}"
    aged = f"; by its waiting it stands among the {now.aged_to.name} ones" if now.aged_to else ""
    return Fact(
        kind="queue",
        text=f"it is number {now.position + 1} of {now.ready} that wait for {now.queue!r}; {busy}{soon}{aged}",
        details={
            "position": now.position + 1, "waiting": now.ready, "offered": now.granted, "slots": slots, "busy": held,
            "starts_in_seconds": start_in,
        },
    )  # fmt: skip


def _start_in(inputs: ExplainInputs, slots: int) -> float | None:
    """Seconds until it starts if every slot serves its queue alone; None when nobody knows, as under a pause."""
    if inputs.queue_seconds is None or not slots or inputs.queue_view.pause:
        return None
    return round((inputs.queue_view.position + 1) * inputs.queue_seconds / slots, 1)
