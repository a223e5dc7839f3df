"""A delete never takes a dependency from an open task, whenever that task came: long after its dependency completed,
while somebody looks who depends on it, or with a graph that is not committed yet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from taskengine import NotAllowedError, Task
from taskengine.api.context import OperationContext
from taskengine.api.operations.bulk import delete_tasks
from taskengine.api.operations.delete import delete_task
from taskengine.api.selection import Selection
from taskengine.models import BulkResult, TriggerRule
from taskengine.store import graphs, retention, tasks
from taskengine.store.call import Call
from taskengine.store.invariants import check_invariants
from taskengine.store.records import index_names

from ..store.world import World, steps

#: Lets a task depend on another; made before anybody looks, it is done when it is called.
Arrival = Callable[[World, Task], Callable[[], object]]
ARRIVALS: dict[str, Arrival] = {}


def arrival(make: Arrival) -> Arrival:
    ARRIVALS[make.__name__] = make
    return make


@arrival
def create(world: World, parent: Task) -> Callable[[], object]:
    run = world.run_of(parent.id)
    return lambda: world.create(world.task("late", parent, hold=True), run)


@arrival
def submit(world: World, parent: Task) -> Callable[[], object]:
    run = world.run_of(parent.id)
    return lambda: world.submit(world.task("late", parent, hold=True), run=run)


@arrival
def submit_of_another_run(world: World, parent: Task) -> Callable[[], object]:
    return lambda: world.submit(world.task("late", parent, hold=True))


@arrival
def stage(world: World, parent: Task) -> Callable[[], object]:
    run = world.run_of(parent.id)
    return lambda: world.staged(world.task("late", parent, hold=True), run=run)


@arrival
def more_edges_of_a_staged_task(world: World, parent: Task) -> Callable[[], object]:
    late = world.task("late", world.new("gate", hold=True))
    world.staged(late, run=world.run_of(parent.id))
    return lambda: world.run(graphs.stage_edges("batch", str(late.id), [str(parent.id)]))


@arrival
def added_edge(world: World, parent: Task) -> Callable[[], object]:
    late = world.task("late", hold=True)
    world.create(late, world.run_of(parent.id))

    def add() -> None:
        revision = world.run(tasks.edge_revision(world.keys))
        assert world.run(tasks.add_dependency(str(late.id), str(parent.id), revision, "sha")).ok

    return add


@arrival
def changed_edges(world: World, parent: Task) -> Callable[[], object]:
    late = world.task("late", hold=True)
    world.create(late, world.run_of(parent.id))

    def change() -> None:
        stored = world.read(late.id)
        new = world.record(stored.model_copy(update={"depends_on": {parent.id}}))
        edges = tasks.EdgeChange(world.run(tasks.edge_revision(world.keys)), added=(str(parent.id),))
        verb = tasks.update(
            str(late.id), "0", new, int(new.row["score"]), index_names(stored), before_first_run=True, edges=edges
        )
        assert world.run(verb).ok

    return change


@arrival
def reopened(world: World, parent: Task) -> Callable[[], object]:
    late = world.task("late", parent, hold=True, trigger_rule=TriggerRule.ALL_DONE)
    world.create(late, world.run_of(parent.id))
    assert world.run(tasks.cancel(str(late.id), "no")).ok
    return lambda: world.run(tasks.reopen(str(late.id))).ok or pytest.fail("it was not opened again")


def ended(world: World, disposition: str) -> Task:
    """A task that is over, and something open in its run."""
    parent, other = world.task("parent"), world.task("other", hold=True)
    world.submit(parent, other)
    world.finish(parent, disposition=disposition)
    world.think()
    return parent


def scope_of(world: World) -> OperationContext:
    return OperationContext(world.keys, world.store.settings, time.monotonic)


def meanwhile(world: World, what: Callable[[], object]) -> Callable[[Call[Any]], Any]:
    """The wire on which *what* happens just before the first delete."""
    done: list[object] = []

    def send(call: Call[Any]) -> Any:
        if call.name == "delete" and not done:
            done.append(what())
        return world.run(call)

    return send


@pytest.mark.parametrize("disposition", ["completed", "failed"])
@pytest.mark.parametrize("how", ARRIVALS)
def test_who_comes_while_a_delete_looks_keeps_its_dependency(world: World, how: str, disposition: str) -> None:
    parent = ended(world, disposition)
    come = ARRIVALS[how](world, parent)
    with pytest.raises(NotAllowedError):
        steps(delete_task(scope_of(world), parent.id, cascade=False), meanwhile(world, come))
    assert world.status(parent.id) == disposition
    world.check()


@pytest.mark.parametrize("disposition", ["completed", "failed"])
@pytest.mark.parametrize("how", ARRIVALS)
def test_who_comes_while_many_are_deleted_keeps_its_dependency(world: World, how: str, disposition: str) -> None:
    parent = ended(world, disposition)
    spare = world.new("spare")
    world.finish(spare, disposition=disposition)
    come = ARRIVALS[how](world, parent)
    selection = Selection({"status": disposition}, everything=False, dry_run=False, progress=None)
    done: BulkResult = steps(delete_tasks(scope_of(world), selection), meanwhile(world, come))
    assert (done.matched, done.done, done.skipped) == (2, 1, {"waited": 1})
    assert (world.status(parent.id), world.status(spare.id)) == (disposition, "")
    world.check()


def test_who_ends_while_many_are_deleted_and_is_needed_stays(world: World) -> None:
    """The look was before it ended, and before somebody came who depends on it and waits for something else, too."""
    parent = world.new("parent", hold=True)
    newer = [world.new(f"n{n}") for n in range(40)]  # more than one script deletes
    world.finish(*newer)

    def come() -> None:
        world.create(world.task("late", parent, hold=True), world.run_of(parent.id))
        world.run(tasks.execute(str(parent.id), None))
        world.finish(parent)

    selection = Selection({}, everything=True, dry_run=False, progress=None)
    done: BulkResult = steps(delete_tasks(scope_of(world), selection), meanwhile(world, come))
    assert (done.done, done.skipped) == (40, {"waited": 1})
    assert (world.status(parent.id), set(world.statuses(task.id for task in newer))) == ("completed", {""})
    world.check()


@pytest.mark.parametrize("cascade", [False, True])
def test_a_graph_that_is_being_submitted_keeps_what_it_depends_on(world: World, cascade: bool) -> None:
    parent = world.new("parent")
    world.finish(parent)
    late = world.task("late", parent)
    world.staged(late, run=world.run_of(parent.id))
    with pytest.raises(NotAllowedError, match=f"{late.id}, which is just being submitted"):
        steps(delete_task(scope_of(world), parent.id, cascade), world.run)
    assert world.run(graphs.commit("batch")).ok
    world.settle("batch")
    assert [id for id, _, _ in world.start().inputs] == [str(parent.id)]
    world.check()


def test_a_graph_that_was_given_up_keeps_nobody(world: World) -> None:
    parent = world.new("parent")
    world.finish(parent)
    world.staged(world.task("late", parent), run=world.run_of(parent.id))
    steps(graphs.abandon("batch"), world.run)
    assert steps(delete_task(scope_of(world), parent.id, cascade=False), world.run)


def test_retention_waits_for_a_graph_that_is_being_submitted(world: World) -> None:
    parent = world.new("parent")
    world.finish(parent)
    world.staged(world.task("late", parent), run=world.run_of(parent.id))
    world.elect()
    assert world.run(retention.expired(world.keys, -60)) == []
    [finished] = world.raw.zrange(world.keys.fixed("finished"), 0, -1, withscores=True)
    one = retention.Pass(finished[0].decode(), int(finished[1]))
    assert world.run(retention.prune_range(world.term, one))[0] == "open"
    assert world.run(graphs.commit("batch")).ok
    world.settle("batch")
    assert world.status(parent.id) == "completed"
    assert world.run(check_invariants(world.keys)) == []


def test_late_edges_of_others_do_not_hold_a_delete_up(world: World) -> None:
    """Somebody submits onto finished work all the time: only who deletes that very work looks again."""
    parent, busy = ended(world, "completed"), ended(world, "completed")
    tries: list[str] = []

    def send(call: Call[Any]) -> Any:
        if call.name == "delete":
            tries.append(call.name)
            world.create(world.task("late", busy, hold=True), world.run_of(busy.id))
        return world.run(call)

    assert steps(delete_task(scope_of(world), parent.id, cascade=False), send)
    assert tries == ["delete"]
    world.check()
