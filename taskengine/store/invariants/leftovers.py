"""What must belong to somebody: marks in bitmaps, agents, keys and artifacts."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.core.identity import execution_id
from taskengine.store import agents, inspection
from taskengine.store.call import Operation
from taskengine.store.fields import FrameField, TaskField
from taskengine.store.inspection import TaskFacts
from taskengine.store.invariants.walk import Walk
from taskengine.store.keys import BY_ID, FIXED, SERVICE


def check_bitmaps(walk: Walk) -> Operation[None]:
    """Compare the marks in bitmaps with those that the filters of all tasks add up to."""
    for name in sorted(walk.names.get("bits", ())):
        marked = yield from inspection.marks(walk.keys.of("bits", name))
        if marked != walk.marks[name]:
            walk.say("index", name, f"{marked} tasks are marked, {walk.marks[name]} should be")


def check_agents(walk: Walk) -> Operation[None]:
    """Hold what is known by name against what is stored of it."""
    known = set((yield from agents.names(walk.keys)))
    there = walk.names.get("agent", set())
    for name in sorted(there - known):
        walk.say("agent", name, "it has a record and is not known")
    names = sorted(known)
    for at in range(0, len(names), agents.PIECE):
        for name, says in (yield from agents.faults(names[at : at + agents.PIECE])):
            walk.say("agent", name, says)


def check_orphans(walk: Walk) -> Operation[None]:
    """Each key has a name that is known and an owner that is there, or a time to go."""
    kept = yield from _kept(walk)
    for kind, ids in sorted(walk.names.items()):
        if kind == "q":  # the queues are Celery's
            continue
        for id in sorted(ids):
            name = f"{walk.keys.prefix}{kind}{':' if id else ''}{id}"
            if kind not in (BY_ID if id else FIXED):
                walk.say("orphan", name, "no key is called so")
            elif kind in kept and id not in kept[kind]:
                left = yield from inspection.seconds_left(name)
                if left == -1:
                    walk.say("orphan", name, "its owner is not there")


def check_artifacts(walk: Walk) -> Operation[None]:
    """Each artifact has its bytes, and no bytes are of none."""
    places = walk.names.get("artifacts", set()) | walk.names.get("artifact_bodies", set())
    for execution in sorted(places):
        listed = yield from inspection.field_names(walk.keys.of("artifacts", execution))
        stored = yield from inspection.field_names(walk.keys.of("artifact_bodies", execution))
        if odd := set(listed) ^ set(stored):
            walk.say("artifact", execution, f"listed or stored, and not both: {', '.join(sorted(odd))[:200]}")


def _kept(walk: Walk) -> Operation[dict[str, set[str]]]:
    """By kind, the ids of keys that may stay for ever; others of these kinds must have a time to go."""
    tasks = walk.tasks
    executions = {str(execution_id(id, n)) for id, task in tasks.items() for n in _attempts(task)}
    segments = {str(task.number(TaskField.arrival) // 4096) for task in tasks.values()}
    runs = yield from inspection.names_by_score(walk.keys.fixed("runs"))
    batches = yield from inspection.names_by_score(walk.keys.fixed("batches"))
    batches += yield from inspection.set_members(walk.keys.fixed("commits"))
    queues = yield from inspection.set_members(walk.keys.fixed("queues"))
    scopes = yield from inspection.set_members(walk.keys.fixed("suspending"))
    nodes = yield from inspection.names_by_score(walk.keys.fixed("nodes"))
    steps = {id for id, task in tasks.items() if task.queue.startswith("%")}
    definitions: set[str] = set()
    for id in walk.names.get("frame", set()) & steps:
        digests = yield from inspection.field_of(walk.keys.of("frame", id), FrameField.definitions)
        definitions.update(digests.split())
    registered = yield from inspection.field_names(walk.keys.fixed("definitions"))
    for name in registered:
        versions = yield from inspection.entries(walk.keys, "versions", name)
        definitions.update(version.split()[0] for version in versions)
    places = walk.names.get("inbox", set()) | walk.names.get("signal_waiters", set())
    inboxes = {place for place in places if place.partition(":")[0] in steps}
    graphs: set[str] = set()
    for run in walk.names.get("named", ()):
        graphs.update((yield from inspection.entries(walk.keys, "named", run)))
    return {
        "exec": executions, "logs": executions, "artifacts": executions, "artifact_bodies": executions,
        "dependents": set(tasks), "done": set(), "claim": set(),
        "payload": executions | {task.fields.get(TaskField.large_input, "") for task in tasks.values()},
        "idem": {task.fields.get(TaskField.key, "") for task in tasks.values()},
        "codes": segments, "ids": segments,
        "run": set(runs), "events": set(runs), "ranges": set(runs), "named": set(runs),
        "graph": graphs, "order": graphs,
        "children": steps, "frame": steps, "variables": steps, "condition_waiters": steps, "items": steps,
        "received_signals": steps,
        "inboxes": steps, "inbox": inboxes, "signal_waiters": inboxes, "definition": definitions,
        "definition_users": definitions,
        "versions": set(registered),
        "batch": set(batches), "pending": set(batches), "ready": set(queues), "park": set(scopes),
        "suspended": set(scopes), "node": set(), "slots": {*nodes, SERVICE},
    }  # fmt: skip


def _attempts(task: TaskFacts) -> Iterator[int]:
    return iter(range(1, task.attempts + 1))
