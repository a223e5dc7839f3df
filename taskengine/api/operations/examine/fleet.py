"""Whether somebody coordinates and works, and what waits for nobody."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.models.finding import Finding, notice, ok, wrong
from taskengine.store.codec import note
from taskengine.store.nodes import Fleet, Node
from taskengine.store.pause_record import pause_from

#: Decisions that wait, from which on a coordinator does not keep up.
_MANY_DECISIONS = 1000
#: Files and sockets that a slot in a thread may have open, and what the process needs beside.
_FILES_A_SLOT, _OTHER_FILES = 2, 200
#: Kinds of scopes that are pauses.
_PAUSES = frozenset({"all", "cap", "agent", "run"})


def examine(fleet: Fleet) -> Iterator[Finding]:
    """Findings about the fleet at one moment."""
    yield _coordinator(fleet)
    yield from _workers(fleet)
    yield from _pauses(fleet)
    yield from _queues(fleet)
    yield from _left_over(fleet)


def _coordinator(fleet: Fleet) -> Finding:
    if fleet.leader is None:
        says = "nobody leads: retries, schedules, lost workers and failed dependencies wait"
        return wrong("coordinator", says, "taskengine coordinator (or taskengine up)")
    if fleet.decisions > _MANY_DECISIONS:
        says = f"{fleet.leader} leads, and {fleet.decisions} decisions wait for it"
        return notice("coordinator", says, "see whether it keeps up: its log, the load of its machine")
    return ok("coordinator", f"{fleet.leader} leads, term {fleet.term}")


def _workers(fleet: Fleet) -> Iterator[Finding]:
    live = [node for node in fleet.nodes if node.alive]
    if not live:
        yield wrong("workers", "none is alive: nothing runs", "taskengine worker --import my_agents")
    for node in fleet.nodes:
        yield _worker(node)


def _worker(node: Node) -> Finding:
    info = note(node.info)
    name = f"worker {info.get('hostname', node.name)}"
    if not node.alive:
        return notice(name, "fell silent; what it held is given to others", "see on its machine what became of it")
    if stuck := info.get("stuck"):
        says = f"{stuck} of {node.slots + stuck} slots are held by agents that do not return after their end"
        return wrong(name, says, "mend the agent, or run it in a prefork pool; a worker of which most are stuck ends")
    if node.draining:
        return notice(name, f"drains: {node.draining}", "nothing, if somebody stopped it")
    if node.is_distrusted:
        says = f"took nothing of what it was granted {node.untaken} times in a row: it gets one task a minute"
        return wrong(name, says, "read its log; may its Redis user subscribe (ACL)? then start it again")
    if not node.queues:
        advice = "read its log; may its Redis user BRPOP (ACL)? or: celery -A workers control add_consumer NAME"
        return notice(name, "consumes no queue: it is given nothing", advice)
    needed = _FILES_A_SLOT * node.slots + _OTHER_FILES
    if info.get("pool") == "threads" and needed > info.get("open_files", needed):
        says = f"may have {info['open_files']} files open; its {node.slots} slots may need {needed}"
        return notice(name, says, f"raise it (ulimit -n {needed}, or LimitNOFILE of its service), or take fewer slots")
    agents = ", ".join(sorted(set(node.queues.values())))
    return ok(name, f"{info.get('pool', '')}, {node.held} of {node.slots} slots busy, agents {agents}")


def _pauses(fleet: Fleet) -> Iterator[Finding]:
    for scope, record in sorted(fleet.pauses.items()):
        pause = pause_from(scope, record)
        option = f"--{pause.scope} {pause.name}" if pause.name else f"--{pause.scope}"
        yield notice("paused", str(pause), f"taskengine resume {option}, when it may go on")


def _queues(fleet: Fleet) -> Iterator[Finding]:
    for queue in fleet.queues:
        if queue.ready and not queue.offered:
            option = f"--queues {queue.name} " if not queue.name.startswith("@") else ""
            yield wrong(
                f"queue {queue.name}",
                f"{_tasks(queue.ready)} READY, no worker offers it",
                f"taskengine worker {option}--import MODULE (the module with its agent)",
            )
    for scope, count in fleet.parked.items():
        kind, _, name = scope.partition(":")
        if kind == "offer":
            says = f"{_tasks(count)} READY and pinned to it, no live worker has it"
            yield wrong(f"agent {name}", says, "taskengine worker --import MODULE (the module that declares it)")
        elif kind == "room":
            of, _, demand = name.partition("|")
            says = f"{_tasks(count)} READY and wait for room on a host ({demand or 'the share of its agent'})"
            yield notice(f"queue {of}", says, "taskengine task why ID; taskengine status shows what hosts have")
        elif kind not in _PAUSES:  # these are told above, or about to go back
            yield _parked(scope, count)


def _parked(scope: str, count: int) -> Finding:
    return notice(f"parked {scope}", f"{_tasks(count)} READY and may not run", "remove the reason")


def _left_over(fleet: Fleet) -> Iterator[Finding]:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(fleet.counts.items()) if count > 0)
    yield ok("tasks", counts or "none")
    if fleet.dead_letters:
        yield notice(
            "dead letters",
            f"{_tasks(fleet.dead_letters)} lost one worker after another and FAILED",
            "taskengine dead list; taskengine dead show ID; mend what kills the workers; taskengine dead requeue ID",
        )
    if fleet.poison_decisions:
        yield wrong(
            "decisions",
            f"{fleet.poison_decisions} raised five times and were put aside with their errors",
            "this is a fault of taskengine: report it with what the coordinator logged",
        )


def _tasks(count: int) -> str:
    return f"{count} task{'s' if count != 1 else ''}"
