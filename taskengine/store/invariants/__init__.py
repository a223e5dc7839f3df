"""``doctor --deep``: everything stored, read in bounded pieces and checked.

A task with all that must agree with it is one moment, read by one script, so work going on does not disturb
it. What spans many tasks (runs, dependents, keys) is gathered over the whole walk; a run that moved meanwhile
is left out, and whatever seems wrong is looked at a second time in a second walk: only what both saw is told.
Weakness: a fault that another change hides between the walks is told by the next check.
"""

from __future__ import annotations

from taskengine.store import inspection
from taskengine.store.call import Operation
from taskengine.store.invariants.edges import check_dependents, check_many_dependencies, check_pins
from taskengine.store.invariants.leftovers import check_agents, check_artifacts, check_bitmaps, check_orphans
from taskengine.store.invariants.limits import check_hosts, check_limits
from taskengine.store.invariants.of_member import check_tally
from taskengine.store.invariants.of_task import check_rest
from taskengine.store.invariants.rules import RULES, Violation
from taskengine.store.invariants.runs import check_graphs, check_runs
from taskengine.store.invariants.sets import NAMED_SETS, check_pauses, check_sets
from taskengine.store.invariants.walk import Walk, read_names, read_tasks
from taskengine.store.keys import Keys

__all__ = ["RULES", "Violation", "check_at_rest", "check_invariants"]

#: What must be empty when all work is done.
_EMPTY_AT_REST = ("leases", "overdue", "granted_all", "timers", "releases", "erasing", "commits", "batches")


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
    for kind in (*NAMED_SETS, *_EMPTY_AT_REST):
        for name in sorted(walk.names.get(kind, ())):
            key = keys.of(kind, name) if name else keys.fixed(kind)
            found.append(Violation("left", key, "it is not empty"))
    return sorted([*walk.violations, *found])


def _walk(keys: Keys) -> Operation[Walk]:
    walk = Walk(keys)
    yield from read_names(walk)
    before = yield from inspection.runs(sorted(walk.names.get("run", ())))
    yield from read_tasks(walk)
    yield from check_sets(walk)
    yield from check_pauses(walk)
    yield from check_limits(walk)
    yield from check_hosts(walk)
    yield from check_agents(walk)
    walk.violations += check_tally((yield from inspection.tally()))
    check_many_dependencies(walk)
    yield from check_dependents(walk)
    check_pins(walk)
    after = yield from inspection.runs([run.id for run in before])
    yield from check_runs(walk, [run for run in after if run in before])
    yield from check_graphs(walk)
    yield from check_bitmaps(walk)
    yield from check_orphans(walk)
    yield from check_artifacts(walk)
    return walk
