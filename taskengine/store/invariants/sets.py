"""Members of sets, and what pauses and open queues say of each other."""

from __future__ import annotations

from taskengine.store import coordination, inspection, pauses
from taskengine.store.call import Operation
from taskengine.store.fields import TaskField
from taskengine.store.invariants.of_member import check_member
from taskengine.store.invariants.walk import Walk
from taskengine.store.pause_record import pause_from

#: Sets whose members are checked: fixed ones, and those with a name.
_SETS = ("leases", "granted_all", "timers", "dead", "releases", "erasing", "deadlines", "overdue")
NAMED_SETS = ("ready", "park", "granted", "slots", "suspended", "remote", "orphans", "flight", "reserved")


def check_sets(walk: Walk) -> Operation[None]:
    """Check the members of all sets."""
    sets = [(kind, "") for kind in _SETS]
    sets += [(kind, name) for kind in NAMED_SETS for name in sorted(walk.names.get(kind, ()))]
    for kind, name in sets:
        for member in (yield from inspection.members(kind, name)):
            walk.violations += check_member(member)


def check_pauses(walk: Walk) -> Operation[None]:
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


def _open_queues(walk: Walk, paused: set[str]) -> Operation[None]:
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
