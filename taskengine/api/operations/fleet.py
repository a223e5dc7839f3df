"""How the whole engine is: queues, workers, coordinator, server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from taskengine.api.arguments import text
from taskengine.core.lifecycle import TERMINAL
from taskengine.errors import StoreError
from taskengine.models import TaskStatus
from taskengine.models.host import HostInfo
from taskengine.store import hosts, nodes, pauses
from taskengine.store.call import Call, Operation
from taskengine.store.codec import note
from taskengine.store.connect import ServerFacts, facts
from taskengine.store.nodes import Fleet, Node, Queue
from taskengine.store.pause_record import pause_from


def get_queue_statistics() -> Operation[dict[str, Any]]:
    """Tasks by status, and what waits, what runs and who serves in each queue; a trip for each 32 executions."""
    fleet: Fleet = yield from nodes.fleet()
    running = yield from pauses.running_by_queue()
    counts = {f"{status.value}_tasks": max(0, fleet.counts.get(status.value, 0)) for status in TaskStatus}
    open_tasks = sum(counts[f"{status.value}_tasks"] for status in TaskStatus if status not in TERMINAL)
    paused = _pauses(fleet)
    return {
        **counts,
        "total_tasks": sum(counts.values()),
        "open_tasks": open_tasks,
        "queues": {queue.name: _queue(queue, running[queue.name], paused) for queue in _queues(fleet, running)},
        "parked": dict(sorted(fleet.parked.items())),
        "pauses": list(paused.values()),
        "timers": fleet.timers,
        "dead_letters": fleet.dead_letters,
    }


def get_queue_demand(queue: str) -> Operation[dict[str, Any]]:
    """How many slots one queue could use now, and of what that is the sum.

    What runs counts: by what waits alone an autoscaler would end workers that are busy. What a pause holds back does
    not: no slot could take it.
    """
    name = text(queue, "queue")
    statistics = yield from get_queue_statistics()
    nothing = {"ready": 0, "granted": 0, "running": 0, "workers": 0, "paused": None}
    known = statistics["queues"].get(name, nothing)
    lacking = sum(count for scope, count in statistics["parked"].items() if _lacks_workers(scope, name))
    waiting = 0 if known["paused"] else known["ready"] + lacking
    return {"queue": name, "demand": waiting + known["granted"] + known["running"], **known, "parked": lacking}


def _lacks_workers(scope: str, queue: str) -> bool:
    """Whether what is parked there waits for a worker of that queue: of its agent, or on a host with more room."""
    return scope == f"offer:{queue.removeprefix('@')}" if queue.startswith("@") else scope.startswith(f"room:{queue}|")


def _pauses(fleet: Fleet) -> dict[str, str]:
    """Return what is paused, by scope, in words."""
    return {scope: str(pause_from(scope, record)) for scope, record in sorted(fleet.pauses.items())}


def _queues(fleet: Fleet, running: Iterable[str]) -> list[Queue]:
    """Return what waits or runs, by name: the store knows no queue of which all that was ready runs."""
    known = {queue.name: queue for queue in fleet.queues}
    for name in {*running} - known.keys():
        known[name] = Queue(name, 0, 0, sum(node.alive and name in node.queues for node in fleet.nodes))
    return [known[name] for name in sorted(known)]


def _queue(queue: Queue, running: int, paused: Mapping[str, str]) -> dict[str, Any]:
    own = f"agent:{queue.name[1:]}" if queue.name.startswith("@") else f"cap:{queue.name}"
    return {
        "ready": queue.ready,
        "granted": queue.granted,
        "running": running,
        "workers": queue.offered,
        "paused": paused.get("all") or paused.get(own),
    }


def list_workers() -> Operation[list[dict[str, Any]]]:
    """Worker nodes that beat, or did until a moment ago."""
    fleet: Fleet = yield from nodes.fleet()
    return [_worker(node) for node in sorted(fleet.nodes, key=lambda node: node.name)]


def _worker(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "alive": node.alive,
        "draining": node.draining or None,
        "slots": node.slots,
        "busy": node.held,
        "capabilities": sorted(queue for queue in node.queues if not queue.startswith("@")),
        "agents": sorted(set(node.queues.values())),
        "serves": dict(sorted(node.queues.items())),
        "info": note(node.info),
    }


def list_hosts() -> Operation[list[HostInfo]]:
    """Machines on which workers live, by name."""
    return (yield from hosts.every_host())


def health_check() -> Operation[dict[str, Any]]:
    """``healthy``, or ``degraded`` with its problems: tasks are kept, but some will not run."""
    server: ServerFacts = yield from Call("INFO", (), facts, command=True)
    fleet: Fleet = yield from nodes.fleet()
    problems = [*_server_problems(server), *_fleet_problems(fleet)]
    live = [node for node in fleet.nodes if node.alive]
    return {
        "status": "degraded" if problems else "healthy",
        "problems": problems,
        "server": {
            "software": server.software,
            "version": server.version,
            "append_only": server.append_only,
            "uptime_seconds": server.uptime_seconds,
        },
        "coordinator": fleet.leader,
        "workers": len(live),
        "slots": sum(node.slots for node in live),
        "running_tasks": fleet.running,
        "dead_letters": fleet.dead_letters,
        "pauses": list(_pauses(fleet).values()),
    }


def unhealthy(exc: StoreError) -> dict[str, Any]:
    """Return the answer when the server does not give one, or cannot hold the truth."""
    return {"status": "unhealthy", "problems": [str(exc)], "server": None, "coordinator": None, "workers": 0}


def _server_problems(server: ServerFacts) -> list[str]:
    if server.append_only:
        return []
    return [
        "the server keeps no append-only file: a crash loses tasks; "
        "set it with: redis-cli CONFIG SET appendonly yes"
    ]


def _fleet_problems(fleet: Fleet) -> list[str]:
    found = []
    if fleet.leader is None:
        found.append(
            "no coordinator leads: retries, schedules and lost workers wait; "
            "start one: taskengine coordinator"
        )
    if not any(node.alive for node in fleet.nodes):
        found.append("no worker is alive; start one: taskengine worker --import MODULE (a module with agents)")
    for queue in fleet.queues:
        if queue.ready and not queue.offered:
            found.append(f"{queue.ready} tasks wait in queue {queue.name!r}, which no worker offers")
    if fleet.poison_decisions:
        found.append(
            f"{fleet.poison_decisions} decisions failed five times and were put aside; see: taskengine doctor"
        )
    return found
