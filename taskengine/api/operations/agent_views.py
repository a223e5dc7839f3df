"""How agents stand: what is stored of each, and the workers that serve it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from taskengine.api.context import OperationContext
from taskengine.core.standing import Facts, Serving, standing
from taskengine.models import AgentStatus
from taskengine.models.agent import AgentInfo, AgentRecord
from taskengine.store import nodes, pauses
from taskengine.store.agents import Reading, StoredAgent, Unreadable
from taskengine.store.call import Operation
from taskengine.store.codec import moment, note
from taskengine.store.nodes import Node
from taskengine.store.pause_record import pause_from


def infos(context: OperationContext, reading: Reading) -> Operation[list[AgentInfo]]:
    """Return how each agent of *reading* stands, by name; one whose record cannot be read says so."""
    scopes = {name: f"agent:{name}" for name in sorted({*reading.agents, *reading.unreadable})}
    if not scopes:
        return []
    fleet = yield from nodes.every_node()
    running = yield from pauses.running(scopes.values())
    serving = _Serving.of(fleet, round(context.settings.lease_seconds * 1000))
    found = []
    for name, scope in scopes.items():
        stored = reading.agents.get(name)
        if stored is None:
            found.append(_unread(name, reading.unreadable[name], serving.live.get(name, ()), running[scope]))
        else:
            found.append(standing(_facts(stored, serving, reading.pause, running[scope])))
    return found


def _unread(name: str, what: Unreadable, serving: Sequence[Serving], running: int) -> AgentInfo:
    """Return what can be said of an agent whose record cannot be read; what was not read of it is the default."""
    record = AgentRecord.model_construct(id=name, type=what.type or "unknown", capabilities=what.capabilities)
    status = AgentStatus.ONLINE if serving else AgentStatus.OFFLINE
    workers, slots = tuple(each.node for each in serving), sum(each.slots for each in serving)
    return AgentInfo(
        record=record, is_readable=False, status=status, reason=what.why, workers=workers, slots=slots, running=running
    )


@dataclass(frozen=True, slots=True)
class _Serving:
    """Who serves what, and until when those were alive that are not."""

    live: Mapping[str, list[Serving]]
    seen_ms: Mapping[str, int]

    @classmethod
    def of(cls, fleet: Iterable[Node], lease_ms: int) -> _Serving:
        live: dict[str, list[Serving]] = {}
        seen: dict[str, int] = {}
        for node in fleet:
            for name in _served_by(node):
                if node.alive:
                    revision = _revision(node, name)
                    live.setdefault(name, []).append(Serving(node.name, node.slots, node.held, node.draining, revision))
                else:
                    seen[name] = max(seen.get(name, 0), node.until_ms - lease_ms)
        return cls(live, seen)


def _served_by(node: Node) -> set[str]:
    """Return the agents whose worker a node is, also while it takes nothing of them."""
    says = note(node.info).get("agents")
    return set(node.queues.values()) | (set(map(str, says)) if isinstance(says, dict) else set())


def _revision(node: Node, agent: str) -> int | None:
    says = note(node.info).get("agents")
    found = says.get(agent) if isinstance(says, dict) else None
    return found if isinstance(found, int) else None


def _facts(stored: StoredAgent, serving: _Serving, everything: str, running: int) -> Facts:
    name = stored.record.id
    record = stored.pause or everything
    scope = f"agent:{name}" if stored.pause else "all"
    seen = max(stored.seen_ms or 0, serving.seen_ms.get(name, 0))
    return Facts(
        record=stored.record,
        serving=serving.live.get(name, ()),
        pause=pause_from(scope, record) if record else None,
        draining_since=moment(stored.draining_ms),
        closed=stored.closed,
        running=running,
        seen_at=moment(seen or None),
    )
