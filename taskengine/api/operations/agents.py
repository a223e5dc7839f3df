"""Agents by name: registered, changed, looked at, drained and forgotten.

What is stored names the revision that it rests on. So a registration that two apps send at once is made once, and a
change of one is never lost in that of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from taskengine.api.arguments import agent_name, capability_name, member, number, text, user
from taskengine.api.context import OperationContext
from taskengine.api.operations import pause
from taskengine.api.operations.agent_fields import checked, plain, refuse_other_changes, refuse_value
from taskengine.api.operations.agent_views import infos
from taskengine.api.operations.limits import inline_limit, no_limit
from taskengine.core import remedy
from taskengine.core.demand import stored as stored_amounts
from taskengine.core.lifecycle import TERMINAL
from taskengine.core.peaks import agent_kind, compared, names_of, peak_from
from taskengine.errors import (
    AgentConflictError,
    ConflictError,
    NotAllowedError,
    NotFoundError,
)
from taskengine.models import AgentStatus, Pause, TaskStatus
from taskengine.models.agent import AgentInfo, AgentRecord
from taskengine.store import agents, nodes, pauses, tasks
from taskengine.store.call import Operation
from taskengine.store.estimates import read_estimates

#: Times that a change is tried again after somebody else's.
_TRIES = 8
_LONGEST_REASON = 1000


def register_agent(
    context: OperationContext, agent_id: str, agent_type: str, capabilities: Iterable[str] | str, **fields: Any
) -> Operation[AgentInfo]:
    """Store an agent, or give it this content; how it stands then."""
    id = agent_name(agent_id)
    inline = fields.get("limits")
    if isinstance(inline, Mapping):
        fields["limits"] = ()
    record = checked({**plain({"capabilities": capabilities, **fields}), "id": id, "type": agent_type})
    if isinstance(inline, Mapping):
        record = record.model_copy(update={"limits": ((yield from inline_limit(id, inline, record.secret)),)})

    def change(known: AgentRecord | None) -> AgentRecord:
        if known is not None and known.origin == "api" and known.type != record.type:
            raise AgentConflictError(id, known.type, record.type)
        return record

    yield from _store(id, change, mends=True)
    return (yield from get_agent(context, id))


def update_agent(
    context: OperationContext, agent_id: str, if_revision: int | None, changes: Mapping[str, Any]
) -> Operation[AgentInfo]:
    """Change some fields of an agent; how it stands then."""
    id = agent_name(agent_id)
    expected = None if if_revision is None else number(if_revision, "if_revision", 1, 2**53)
    refuse_other_changes(id, changes)
    values = dict(changes)
    if isinstance(inline := changes.get("limits"), Mapping):
        values["limits"] = yield from _inline(id, inline, changes)
    values = plain(values)

    def change(known: AgentRecord | None) -> AgentRecord:
        if known is None:
            raise unknown_agent(id)
        if expected is not None and known.revision != expected:
            raise ConflictError(
                f"agent {id!r} has revision {known.revision}, not {expected}: somebody changed it; read it again"
            )
        return checked({**known.model_dump(), **values, "origin": "api"})

    yield from _store(id, change)
    return (yield from get_agent(context, id))


def get_agent(context: OperationContext, agent_id: str) -> Operation[AgentInfo]:
    """Return one agent; NotFoundError when none of that name is registered."""
    id = agent_name(agent_id)
    reading = yield from agents.read([id])
    if id not in reading.agents:
        raise unknown_agent(id, (yield from agents.names(context.keys)))
    (found,) = yield from infos(context, reading)
    return found.model_copy(update={"used": (yield from _used(context, found.record))})


def _used(context: OperationContext, record: AgentRecord) -> Operation[str]:
    """Return what its executions used beside what each reserves; '' where nothing was measured."""
    if not record.resources:
        return ""
    kind = agent_kind(record.id)
    known = yield from read_estimates(context.keys, names_of(kind))
    return compared(stored_amounts(record.resources), peak_from(known, kind))


def list_agents(
    context: OperationContext, status: AgentStatus | str | None, capability: str | None
) -> Operation[list[AgentInfo]]:
    """Return all agents, by name; one whose record cannot be read says so and hides no other."""
    wanted = None if status is None else {member(AgentStatus, status, "status")}
    able = None if capability is None else capability_name(capability)
    reading = yield from agents.read_all((yield from agents.names(context.keys)))
    found = yield from infos(context, reading)
    return [
        info
        for info in found
        if (wanted is None or info.status in wanted) and (able is None or able in info.record.capabilities)
    ]


def pause_agent(
    context: OperationContext, agent_id: str, reason: str | None, until: datetime | None, by: str | None
) -> Operation[Pause]:
    """Pause all that a registered agent would run."""
    id = agent_name(agent_id)
    if id not in (yield from agents.read([id])).agents:
        raise unknown_agent(id, (yield from agents.names(context.keys)))
    terms = pause.pause(capability=None, agent_id=id, run_id=None, everything=False, reason=reason, until=until, by=by)
    return (yield from terms)


def resume_agent(context: OperationContext, agent_id: str, by: str | None) -> Operation[bool]:
    """End the pause and the draining of a registered agent; whether there was one."""
    id = agent_name(agent_id)
    answer = yield from agents.end_drain(id)
    if not answer.ok:
        raise unknown_agent(id, (yield from agents.names(context.keys)))
    resumed = yield from pause.resume(capability=None, agent_id=id, run_id=None, everything=False, by=by)
    return resumed or answer.number() == 1


def drain_agent(context: OperationContext, agent_id: str, reason: str | None, by: str | None) -> Operation[AgentInfo]:
    """Let an agent take nothing new; how it stands then."""
    id = agent_name(agent_id)
    why = None if reason is None else text(reason, "reason", _LONGEST_REASON)
    answer = yield from agents.drain(id, user(by, "by"), why)
    if not answer.ok:
        raise unknown_agent(id, (yield from agents.names(context.keys)))
    return (yield from get_agent(context, id))


def unregister_agent(context: OperationContext, agent_id: str, cascade: bool) -> Operation[None]:
    """Forget an agent that nobody needs any more."""
    id = agent_name(agent_id)
    reading = yield from agents.read_all([id])
    if id not in reading.agents and id not in reading.unreadable:
        raise unknown_agent(id, (yield from agents.names(context.keys)))
    pinned = yield from _pinned(id)
    if pinned and not cascade:
        shown = f"{_MOST_COUNTED} or more" if pinned >= _MOST_COUNTED else str(pinned)
        keep = remedy.named("cascade=True forgets it all the same", "--cascade forgets it all the same")
        raise NotAllowedError(
            f"agent {id!r} is named by {shown} open tasks (assigned_to); cancel them or name another agent; {keep}, "
            "and they wait for a worker of that name",
            id=id,
        )
    known = reading.agents.get(id)
    if cascade and known is not None and known.record.origin == "api":
        yield from _drained(context, id)
    elif running := (yield from pauses.running([f"agent:{id}"]))[f"agent:{id}"]:
        raise NotAllowedError(f"agent {id!r} runs {running} executions; ask again once they ended", id=id)
    answer = yield from agents.unregister(id)
    if answer.word == "serves":
        raise NotAllowedError(
            f"agent {id!r} is served by {answer.number()} living workers; stop them first, or drain it: "
            + remedy.named(f"drain_agent({id!r})", f"taskengine agents drain {id}"),
            id=id,
        )


def unknown_agent(id: str, known: Iterable[str] = ()) -> NotFoundError:
    """Return the error for a name that is not registered; it names some that are."""
    names = list(known)
    others = f"registered are {', '.join(names[:20])}{', …' if len(names) > 20 else ''}" if names else "none is"
    return NotFoundError("agent", id, says=f"no agent {id!r} is registered ({others}); {remedy.register_agent(id)}")


def _inline(id: str, bounds: Mapping[str, int | None], changes: Mapping[str, Any]) -> Operation[str]:
    """Set the limit that a change brings along; its name."""
    known = (yield from agents.read([id])).agents.get(id)
    secret = changes.get("secret", known.record.secret if known else None)
    refuse_value(secret)
    return (yield from inline_limit(id, bounds, secret))


# -- storing


def _store(id: str, change: Callable[[AgentRecord | None], AgentRecord], *, mends: bool = False) -> Operation[None]:
    """Store what *change* makes of what is there, again when somebody else was faster; with *mends* also where that
    cannot be read.
    """
    for _ in range(_TRIES):
        reading = yield from agents.read_all([id])
        reading.refuse_unreadable([] if mends else [id])
        known, bad = reading.agents.get(id), reading.unreadable.get(id)
        record = change(known.record if known else None)
        answer = yield from agents.register(record, known.record.revision if known else bad.revision if bad else 0)
        if answer.ok:
            return
        if answer.word == "unknown":
            raise (yield from no_limit(answer.text()))
        if answer.word == "full":
            raise ConflictError(
                f"{agents.MOST_AGENTS} agents are registered, which is the most; unregister those that are gone"
            )
    raise ConflictError(f"agent {id!r} was changed by somebody else {_TRIES} times meanwhile; try again")


# -- forgetting

#: Tasks that are counted at most.
_MOST_COUNTED = 1000
_OPEN = frozenset(TaskStatus) - TERMINAL
#: Leases that workers have to hear that an agent drains.
_PATIENCE = 2.0


def _pinned(id: str) -> Operation[int]:
    """Return how many open tasks name the agent, up to a bound."""
    below, found = 0, 0
    more = True
    while more and found < _MOST_COUNTED:
        below, ids, _ = yield from tasks.find_fitting(below, 256, _OPEN, [f"a:{id}"])
        found += len(ids)
        more = below > 0
    return found


def _drained(context: OperationContext, id: str) -> Operation[None]:
    """Drain an agent, and wait until its workers take nothing of it and nothing of it runs; NotAllowedError when that
    takes longer than they need to hear of it.
    """
    yield from agents.drain(id, user(None, "by"), "it is being unregistered")
    until = context.clock() + _PATIENCE * context.settings.lease_seconds
    while True:
        running = (yield from pauses.running([f"agent:{id}"]))[f"agent:{id}"]
        fleet = yield from nodes.every_node()
        if not running and not any(id in node.queues.values() for node in fleet if node.alive):
            return
        if context.clock() > until:
            raise NotAllowedError(
                f"agent {id!r} drains and takes nothing new, and {running} of its executions still run; "
                "ask again once they ended",
                id=id,
            )
        yield from tasks.until_done(context.keys, f"agent:{id}", 0.2)
