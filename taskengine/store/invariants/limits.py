"""What limits and hosts count, who shares them, and who waits for room there."""

from __future__ import annotations

from taskengine.store import coordination, inspection
from taskengine.store.call import Operation
from taskengine.store.invariants.walk import Walk


def check_limits(walk: Walk) -> Operation[None]:
    """Compare limits with what is held of them, and with the agents that share them."""
    named = yield from inspection.set_members(walk.keys.fixed("limits"))
    for name, facts in (yield from inspection.limits(sorted(walk.names.get("limit", set()) | set(named)))):
        if facts.reserved != facts.held:
            walk.say("hold", name, f"{facts.reserved} tokens are reserved, its executions hold {facts.held}")
        if facts.probe:
            walk.say("hold", name, f"its breaker waits for execution {facts.probe}, which does not run")
        if facts.unwatched:
            walk.say("limit", name, f"it opens at {facts.unwatched}, and nobody looks then")
    shares = yield from inspection.hash_of(walk.keys.fixed("limited"))
    pairs = {(agent, name) for agent, words in shares.items() for name in words.split() if ":" not in name}
    sharing = walk.names.get("sharing", set())
    members = set()
    for name in sorted(sharing):
        members |= {(agent, name) for agent in (yield from inspection.set_members(walk.keys.of("sharing", name)))}
    for agent, name in pairs ^ members:
        walk.say("limit", name, f"agent {agent} shares it, or it says so, not both")
    for _, name in sorted(pairs - {(agent, name) for agent, name in pairs if name in named}):
        walk.say("limit", name, "agents share it, and it is not there")
    open_queues = yield from inspection.set_members(walk.keys.fixed("open_queues"))
    if (coordination.LIMITED in open_queues) != bool(shares):
        walk.say("limit", walk.keys.fixed("open_queues"), "agents have limits or it says so, not both")


def check_hosts(walk: Walk) -> Operation[None]:
    """Compare hosts with their nodes, and parks of tasks that wait for room with what is looked for."""
    hosts = set((yield from inspection.hash_of(walk.keys.fixed("hosts"))))
    kept = set((yield from inspection.hash_of(walk.keys.fixed("kept_hosts"))))
    for name in sorted((hosts ^ walk.names.get("host_nodes", set())) | (kept - hosts)):
        walk.say("reservation", name, "it is known what this host has, or nodes are on it, not both")
    looked_for = set((yield from inspection.set_members(walk.keys.fixed("room_queues"))))
    waits = walk.names.get("room_waits", set())
    for queue in sorted(looked_for ^ waits):
        walk.say("reservation", queue, "tasks of this queue wait for room, or it says so, not both")
    scopes = set()
    for queue in sorted(waits):
        own = yield from inspection.set_members(walk.keys.of("room_waits", queue))
        scopes |= {f"room:{queue}|{demand}" for demand in own}
    for scope in sorted(walk.names.get("park", set()) - scopes):
        if scope.startswith("room:"):
            walk.say("reservation", scope, "tasks wait for room there, and nobody looks for them")
    open_queues = yield from inspection.set_members(walk.keys.fixed("open_queues"))
    if (coordination.SHORT in open_queues) != bool(looked_for):
        walk.say("reservation", walk.keys.fixed("open_queues"), "tasks wait for room or it says so, not both")
