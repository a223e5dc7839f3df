"""``doctor --deep``: everything stored, read in bounded pieces and checked.

A task with all that must agree with it is one moment, read by one script, so work going on does not disturb
it. What spans many tasks (runs, dependents, keys) is gathered over the whole walk; a run that moved meanwhile
is left out, and whatever seems wrong is looked at a second time in a second walk: only what both saw is told.
Weakness: a fault that another change hides between the walks is told by the next check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

from taskengine.core.identity import execution_id
from taskengine.core.lifecycle import REOPENABLE
from taskengine.core.replay import Replay, replay
from taskengine.models import Event, Task
from taskengine.store import agents, coordination, history, inspection, pauses
from taskengine.store.call import Operation
from taskengine.store.fields import FrameField, RunField, TaskField
from taskengine.store.inspection import PIECE, Run, TaskFacts
from taskengine.store.invariant_rules import (
    RULES,
    Violation,
    check_counters,
    check_dependencies,
    check_member,
    check_rest,
    check_tally,
    check_task,
    is_over,
    is_whole,
)
from taskengine.store.keys import BY_ID, FIXED, SERVICE, Keys
from taskengine.store.pause_record import pause_from
from taskengine.store.records import index_names
from taskengine.store.step_rules import check_steps
from taskengine.store.tasks import read

__all__ = ["RULES", "Violation", "check_at_rest", "check_invariants"]

#: Sets whose members are checked: fixed ones, and those with a name.
_SETS = ("leases", "granted_all", "timers", "dead", "releases", "erasing", "deadlines", "overdue")
_NAMED_SETS = ("ready", "park", "granted", "slots", "suspended", "remote", "orphans", "flight", "reserved")
#: What must be empty when all work is done.
_EMPTY_AT_REST = ("leases", "overdue", "granted_all", "timers", "releases", "erasing", "commits", "batches")
_DECISIONS = 1000
#: Of a run that has one of these, some tasks were erased after their end.
_LETS_GO = frozenset({RunField.pruned, RunField.forgotten})
#: Ended tasks that still list their dependents: they may be opened again.
_KEEP_DEPENDENTS = frozenset(status.value for status in REOPENABLE)


def check_invariants(keys: Keys) -> Operation[list[Violation]]:
    """Violations of what must hold at any moment, sorted; [] is health. Safe while the fleet works."""
    first = yield from _walk(keys)
    if not first.violations:
        return []
    second = yield from _walk(keys)
    again = {(v.kind, v.id) for v in first.violations}
    return sorted(v for v in second.violations if (v.kind, v.id) in again)


def check_at_rest(keys: Keys) -> Operation[list[Violation]]:
    """Violations of what must hold when all work is done: also that all of it is, and that nothing waits."""
    walk = yield from _walk(keys)
    found = [v for task in walk.tasks.values() for v in check_rest(task)]
    found += [Violation("left", keys.fixed("decisions"), f"task {id} is to be decided about") for id in walk.asked]
    for kind in (*_NAMED_SETS, *_EMPTY_AT_REST):
        for name in sorted(walk.names.get(kind, ())):
            key = keys.of(kind, name) if name else keys.fixed(kind)
            found.append(Violation("left", key, "it is not empty"))
    return sorted([*walk.violations, *found])


@dataclass(slots=True)
class _Walk:
    """What one walk over everything saw."""

    keys: Keys
    violations: list[Violation] = field(default_factory=list)
    #: Kind -> ids of the keys of that kind; a fixed key has the id ''.
    names: dict[str, set[str]] = field(default_factory=dict)
    tasks: dict[str, TaskFacts] = field(default_factory=dict)
    #: Tasks that the coordinator has yet to decide about.
    asked: frozenset[str] = frozenset()
    #: Marks that the filters of all tasks add up to, by bitmap.
    marks: Counter[str] = field(default_factory=Counter)

    def say(self, kind: str, id: str, detail: str) -> None:
        self.violations.append(Violation(kind, id, detail))


def _walk(keys: Keys) -> Operation[_Walk]:
    walk = _Walk(keys)
    yield from _names(walk)
    before = yield from inspection.runs(sorted(walk.names.get("run", ())))
    yield from _tasks(walk)
    yield from _sets(walk)
    yield from _pauses(walk)
    yield from _limits(walk)
    yield from _hosts(walk)
    yield from _agents(walk)
    walk.violations += check_tally((yield from inspection.tally()))
    _dependencies_of_many(walk)
    yield from _dependents(walk)
    _pins(walk)
    after = yield from inspection.runs([run.id for run in before])
    yield from _runs(walk, [run for run in after if run in before])
    yield from _graphs(walk)
    yield from _bitmaps(walk)
    yield from _orphans(walk)
    yield from _artifacts(walk)
    return walk


def _names(walk: _Walk) -> Operation[None]:
    cursor = "0"
    while True:
        cursor, names = yield from inspection.scan(walk.keys, cursor)
        for name in names:
            kind, _, id = name.removeprefix(walk.keys.prefix).partition(":")
            walk.names.setdefault(kind, set()).add(id)
        if cursor == "0":
            return


def _tasks(walk: _Walk) -> Operation[None]:
    walk.asked = yield from _asked(walk.keys)
    ids = sorted(walk.names.get("task", ()))
    for at in range(0, len(ids), PIECE):
        piece = ids[at : at + PIECE]
        stored = yield from read(piece)
        names = [_index_names(task) if task else "" for task in stored]
        for task in (yield from inspection.look(list(zip(piece, names, strict=True)))):
            walk.tasks[task.id] = task
            walk.violations += check_task(task, walk.asked)
            segment = task.number(TaskField.arrival) // 4096
            own = task.fields.get(TaskField.filters) or dict(zip(piece, names, strict=True))[task.id]
            index = "" if task.is_step else own
            walk.marks.update(f"{name}:{segment}" for name in index.splitlines())


def _index_names(task: Task) -> str:
    """Return the filters that find it, with the one that scripts mark while it asks."""
    return f"{index_names(task)}\nq:1" if task.question else index_names(task)


def _asked(keys: Keys) -> Operation[frozenset[str]]:
    """Tasks that the coordinator has yet to decide about."""
    found: set[str] = set()
    after = "0"
    while piece := (yield from coordination.decisions(keys, after, _DECISIONS)):
        found |= {decision.task_id for decision in piece}
        after = piece[-1].entry
    return frozenset(found)


def _sets(walk: _Walk) -> Operation[None]:
    sets = [(kind, "") for kind in _SETS]
    sets += [(kind, name) for kind in _NAMED_SETS for name in sorted(walk.names.get(kind, ()))]
    for kind, name in sets:
        for member in (yield from inspection.members(kind, name)):
            walk.violations += check_member(member)


def _pauses(walk: _Walk) -> Operation[None]:
    """Compare each pause with the open queues, its end and what stands because of it."""
    stored = yield from pauses.stored(walk.keys)
    yield from _open_queues(walk, set(stored))
    timers = yield from inspection.names_by_score(walk.keys.fixed("timers"))
    ends = {timer.removeprefix("resume:") for timer in timers if timer.startswith("resume:")}
    paused = [task for task in walk.tasks.values() if TaskField.pause in task.fields]
    stored |= {f"task:{task.id}": task.fields[TaskField.pause] for task in paused}
    for scope in ends ^ {scope for scope, detail in stored.items() if pause_from(scope, detail).until}:
        walk.say("pause", scope, "its end has a timer, or it has an end, not both")
    for scope in walk.names.get("suspended", set()) - set(
        (yield from inspection.set_members(walk.keys.fixed("suspending")))
    ):
        walk.say("pause", scope, "timers stand under it and nobody knows")


def _open_queues(walk: _Walk, paused: set[str]) -> Operation[None]:
    """Slots look into each queue but those whose capability is paused, and know which other pauses there may be."""
    at = walk.keys.fixed("open_queues")
    queues = set((yield from inspection.set_members(walk.keys.fixed("queues"))))
    found = set((yield from inspection.set_members(at)))
    closed = {queue for queue in queues if f"cap:{queue}" in paused}
    flags = {coordination.PAUSED, coordination.RUN_PAUSED, coordination.LIMITED, coordination.SHORT}
    for queue in (found - flags) ^ (queues - closed):
        walk.say("pause", at, f"queue {queue} is open and must not be, or is not and should be")
    if coordination.PAUSED not in found and any(not scope.startswith(("cap:", "run:")) for scope in paused):
        walk.say("pause", at, "an agent or everything is paused and it does not say so")
    if coordination.RUN_PAUSED not in found and any(scope.startswith("run:") for scope in paused):
        walk.say("pause", at, "a run is paused and it does not say so")
    if not paused and not found.isdisjoint({coordination.PAUSED, coordination.RUN_PAUSED}):
        walk.say("pause", at, "nothing is paused and it says that something may be")


def _limits(walk: _Walk) -> Operation[None]:
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


def _hosts(walk: _Walk) -> Operation[None]:
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


def _dependencies_of_many(walk: _Walk) -> None:
    """Judge tasks with more dependencies than one look brings by what the walk saw of these."""
    for task in walk.tasks.values():
        if is_whole(task):
            continue
        stored = {id: walk.tasks[id].fields if id in walk.tasks else {} for id in task.depends_on}
        whole = replace(task, dependencies=tuple({**fields, "id": id} for id, fields in stored.items()))
        walk.violations += check_dependencies(whole)
        if not any(parent.keys() & {TaskField.releasing, TaskField.undoing} for parent in whole.dependencies):
            walk.violations += check_counters(whole)


def _dependents(walk: _Walk) -> Operation[None]:
    """Compare each list of dependents with the tasks that depend."""
    expected: dict[str, list[str]] = {}
    for task in walk.tasks.values():
        for dependency in task.depends_on[task.number(TaskField.deleting) :]:
            expected.setdefault(dependency, []).append(task.id)
        if TaskField.parent in task.fields:
            expected.setdefault(task.id, []).append(task.fields[TaskField.parent])
    for id, parent in walk.tasks.items():
        listed = []
        if id in walk.names.get("dependents", ()):
            listed = yield from inspection.entries(walk.keys, "dependents", id)
        if _keeps_dependents(parent) and sorted(listed) != sorted(expected.get(id, [])):
            detail = f"listed {len(listed)}, {len(expected.get(id, []))} depend on it"
            odd = sorted(set(listed) ^ set(expected.get(id, [])))
            walk.say("edge", id, f"{detail}; for example {odd[0]}" if odd else f"{detail}; one is there twice")
        elif not _keeps_dependents(parent) and listed and TaskField.releasing not in parent.fields:
            walk.say("edge", id, f"it completed and still lists {len(listed)} dependents")


def _keeps_dependents(task: TaskFacts) -> bool:
    """Return whether its list of dependents is complete: not once it completed, whoever comes then does not wait."""
    return not (is_over(task.status) and task.status not in _KEEP_DEPENDENTS)


def _pins(walk: _Walk) -> None:
    pins: Counter[str] = Counter()
    for task in walk.tasks.values():
        if TaskField.crosses_runs in task.fields:
            foreign = (p for p in _pinned(task) if p in walk.tasks and _run(walk, p) != task.fields[TaskField.run])
            pins.update(foreign)
    for id, task in walk.tasks.items():
        if task.number(TaskField.pinned) != pins[id]:
            walk.say("pin", id, f"stored {task.number('pin')}, open dependents in other runs: {pins[id]}")


def _pinned(task: TaskFacts) -> list[str]:
    """Return the dependencies that it keeps: all until it is over, and while a cursor runs those on one side of it."""
    on = task.depends_on
    if is_over(task.status):
        return on[task.number(TaskField.pinning) :] if TaskField.pinning in task.fields else []
    return on[: task.number(TaskField.pinning)] if TaskField.pinning in task.fields else on


def _run(walk: _Walk, id: str) -> str:
    return walk.tasks[id].fields[TaskField.run]


def _runs(walk: _Walk, runs: list[Run]) -> Operation[None]:
    of_run: dict[str, list[TaskFacts]] = {}
    for task in walk.tasks.values():
        if not task.is_staged:
            of_run.setdefault(task.fields[TaskField.run], []).append(task)
    for run in runs:
        tasks = of_run.get(run.id, [])
        _numbers(walk, run, tasks)
        if RunField.pruned not in run.fields:  # of which children may go before their steps
            walk.violations += [Violation(*found) for found in check_steps(tasks, walk.asked)]
        _compare(walk, run, tasks, replay((yield from _history(walk.keys, run))))


def _numbers(walk: _Walk, run: Run, tasks: list[TaskFacts]) -> None:
    unfinished = sum(not is_over(task.status) for task in tasks)
    stored = (int(run.fields.get(RunField.total, 0)), int(run.fields.get(RunField.open, 0)))
    if stored != (len(tasks), unfinished):
        detail = f"total and open are stored as {stored}, its tasks say {(len(tasks), unfinished)}"
        walk.say("run", run.id, detail)
    if wrong := _listed_wrong(run):
        walk.say("graph", run.id, wrong)
    if run.finished != (unfinished == 0):
        finished = "finished" if run.finished else "not finished"
        walk.say("run", run.id, f"{unfinished} tasks are open and it is {finished}")


def _listed_wrong(run: Run) -> str:
    """Return what is wrong with its place among the graphs; one whose tasks were deleted may have fewer than two."""
    if run.listed and run.listed != run.fields.get(RunField.created):
        return f"it stands among the graphs by {run.listed} and was created at {run.fields.get(RunField.created)}"
    if not run.listed and (RunField.name in run.fields or int(run.fields.get(RunField.total, 0)) > 1):
        return "it has a name or more than one task, and is not among the graphs"
    return ""


def _graphs(walk: _Walk) -> Operation[None]:
    """Everybody among the graphs is a run."""
    listed = yield from inspection.names_by_score(walk.keys.fixed("graphs"))
    for run in set(listed) - walk.names.get("run", set()):
        if not (yield from history.run_exists(walk.keys, run)):  # else it came after the names were read
            walk.say("graph", run, "it stands among the graphs, and there is no such run")


def _history(keys: Keys, run: Run) -> Operation[list[Event]]:
    found: list[Event] = []
    after = 0
    while True:
        piece = yield from history.events(keys, run.id, after, history.PIECE)
        found += piece
        if len(piece) < history.PIECE:
            return found
        after = piece[-1].sequence


def _compare(walk: _Walk, run: Run, tasks: list[TaskFacts], told: Replay) -> None:
    for sentence in told.wrong:
        walk.say("history", run.id, sentence)
    stored = {UUID(task.id): task for task in tasks}
    for id, task in stored.items():
        if TaskField.batch in task.fields or (id not in told.statuses and not told.whole):
            continue
        if told.statuses.get(id) != task.status:
            walk.say("history", task.id, f"it is {task.status}, its events say {told.statuses.get(id)}")
    for id, status in told.statuses.items():
        if id not in stored and not (is_over(status) and run.fields.keys() & _LETS_GO):
            walk.say("history", str(id), f"its events say {status}, and it is not there")


def _bitmaps(walk: _Walk) -> Operation[None]:
    for name in sorted(walk.names.get("bits", ())):
        marked = yield from inspection.marks(walk.keys.of("bits", name))
        if marked != walk.marks[name]:
            walk.say("index", name, f"{marked} tasks are marked, {walk.marks[name]} should be")


def _agents(walk: _Walk) -> Operation[None]:
    """Hold what is known by name against what is stored of it."""
    known = set((yield from agents.names(walk.keys)))
    there = walk.names.get("agent", set())
    for name in sorted(there - known):
        walk.say("agent", name, "it has a record and is not known")
    names = sorted(known)
    for at in range(0, len(names), agents.PIECE):
        for name, says in (yield from agents.faults(names[at : at + agents.PIECE])):
            walk.say("agent", name, says)


def _orphans(walk: _Walk) -> Operation[None]:
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


def _artifacts(walk: _Walk) -> Operation[None]:
    """Each artifact has its bytes, and no bytes are of none."""
    places = walk.names.get("artifacts", set()) | walk.names.get("artifact_bodies", set())
    for execution in sorted(places):
        listed = yield from inspection.field_names(walk.keys.of("artifacts", execution))
        stored = yield from inspection.field_names(walk.keys.of("artifact_bodies", execution))
        if odd := set(listed) ^ set(stored):
            walk.say("artifact", execution, f"listed or stored, and not both: {', '.join(sorted(odd))[:200]}")


def _kept(walk: _Walk) -> Operation[dict[str, set[str]]]:
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
