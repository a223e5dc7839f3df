"""A task with very many parents, in its own run or in others: whatever is done with it touches 256 of them a script."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from taskengine.models import Task
from taskengine.store import coordination, graphs, retention, tasks
from taskengine.store.call import Call
from taskengine.store.records import index_names

from .world import World, steps

MANY = 300


def child_of_many(world: World, *, of: str = "") -> tuple[list[Task], Task]:
    """Parents in one run and their child, in that run too or in another."""
    parents = [world.task(f"p{n}") for n in range(MANY)]
    child = world.task("child", *parents)
    run = world.submit(*parents)
    world.submit(child, run=run if of == "same" else None)
    return parents, child


def pinned(world: World, parents: list[Task]) -> int:
    return sum(world.raw.hget(world.keys.of("task", parent.id), "pin") == b"1" for parent in parents)


def listed(world: World, parents: list[Task]) -> int:
    return sum(world.raw.llen(world.keys.of("dependents", parent.id)) for parent in parents)


def first_trip(world: World, work: Any) -> Any:
    """What the first trip of an operation answers; its caller dies then."""
    return world.run(next(work) if not isinstance(work, Call) else work)


def release_all(world: World) -> None:
    world.elect()
    while world.run(coordination.continue_releases(world.term)).number():
        pass


def test_an_end_unpins_256_parents_and_leaves_a_cursor(real: World) -> None:
    parents, child = child_of_many(real)
    assert pinned(real, parents) == MANY
    assert first_trip(real, tasks.cancel(str(child.id), "no")).ok
    assert pinned(real, parents) == MANY - 256
    real.check()
    assert real.run(tasks.delete(str(parents[-1].id), "", real.since())).word == "conflict"
    release_all(real)
    assert pinned(real, parents) == 0
    assert not real.raw.exists(real.keys.fixed("releases"))


def test_a_report_unpins_as_much_as_it_may_and_later_ones_go_on(real: World) -> None:
    parents, child = child_of_many(real)
    grandchildren = [real.task(f"g{n}", child) for n in range(10)]
    real.submit(*grandchildren)
    real.finish(*parents)
    real.finish(child, disposition="completed")
    assert pinned(real, parents) == MANY - 256
    assert real.counts() == {"completed": MANY + 1, "pending": 10}
    real.check()
    release_all(real)
    assert pinned(real, parents) == 0
    assert real.counts() == {"completed": MANY + 1, "ready": 10}


def test_opening_again_pins_in_pieces_before_it_may_run(real: World) -> None:
    parents, child = child_of_many(real)
    real.finish(*parents)
    real.run(tasks.cancel(str(child.id), "no"))
    release_all(real)
    assert first_trip(real, tasks.reopen(str(child.id))).ok
    assert pinned(real, parents) == 256
    assert real.status(child.id) == "pending"
    real.check()
    release_all(real)
    assert pinned(real, parents) == MANY
    assert real.status(child.id) == "ready"
    real.finish(child)


@pytest.mark.parametrize("verb", ["cancel", "reopen"])
def test_a_task_that_is_opened_again_may_be_ended_before_that_settled(real: World, verb: str) -> None:
    parents, child = child_of_many(real)
    real.run(tasks.cancel(str(child.id), "no"))
    if verb == "cancel":
        release_all(real)
        first_trip(real, tasks.reopen(str(child.id)))
        assert real.run(tasks.cancel(str(child.id), "really")).ok
    else:
        assert real.run(tasks.reopen(str(child.id))).ok
    release_all(real)
    assert pinned(real, parents) == (0 if verb == "cancel" else MANY)


@pytest.mark.parametrize("of", ["same", "other"])
def test_a_deleted_task_leaves_its_parents_in_pieces(real: World, of: str) -> None:
    parents, child = child_of_many(real, of=of)
    real.run(tasks.cancel(str(child.id), "no"))
    release_all(real)
    trips: list[str] = []

    def send(call: Call[Any]) -> Any:
        trips.append(call.name)
        answer = real.run(call)
        real.check()
        return answer

    assert steps(tasks.delete(str(child.id), index_names(real.read(child.id)), real.since()), send).ok
    assert trips == ["delete", "continue_delete", "continue_delete"]
    assert listed(real, parents) == 0
    assert real.status(child.id) == ""
    assert real.run(tasks.delete(str(child.id), "", real.since())).word == "missing"


def test_a_deletion_whose_client_died_is_nobody_s_and_ends(real: World) -> None:
    parents, child = child_of_many(real)
    real.run(tasks.cancel(str(child.id), "no"))
    release_all(real)
    index = index_names(real.read(child.id))
    assert first_trip(real, tasks.delete(str(child.id), index, real.since())).word == "leaving"
    assert real.status(child.id) == ""
    assert real.run(tasks.read([str(child.id)])) == [None]
    assert real.run(tasks.reopen(str(child.id))).word == "missing"
    assert real.create(real.task("late", child)).word == "missing"
    real.elect()
    assert real.run(coordination.continue_delete(real.term, str(child.id))).number() == 1
    assert listed(real, parents) == MANY - 256
    real.check()
    (begun,) = real.run(coordination.erasing(real.keys))
    while real.run(coordination.continue_delete(real.term, begun)).number():
        pass
    assert listed(real, parents) == 0
    assert real.run(coordination.erasing(real.keys)) == []


def test_a_copy_of_a_deletion_goes_on_with_it(real: World) -> None:
    _, child = child_of_many(real)
    real.run(tasks.cancel(str(child.id), "no"))
    release_all(real)
    index = index_names(real.read(child.id))
    first_trip(real, tasks.delete(str(child.id), index, real.since()))
    assert real.run(tasks.delete(str(child.id), index, real.since())).ok
    assert not real.raw.exists(real.keys.of("task", child.id))


def test_prune_takes_such_a_task_in_pieces_with_its_run(real: World) -> None:
    parents, child = child_of_many(real)
    real.run(tasks.cancel(str(child.id), "no"))
    release_all(real)
    run = real.run_of(child.id)
    (now,) = real.run(retention.expired(real.keys, -1))
    trips = 0

    def send(call: Call[Any]) -> Any:
        nonlocal trips
        trips += call.name == "prune"
        return real.run(call)

    while not now.over:
        word, now = steps(retention.prune_range(real.term, now), send)
        assert word == "ok"
    assert (trips, now.erased, listed(real, parents)) == (2, 1, 0)
    assert not real.raw.exists(real.keys.of("run", run), real.keys.of("task", child.id), real.keys.fixed("erasing"))


def test_a_run_stays_while_a_deletion_is_under_way(real: World) -> None:
    _, child = child_of_many(real)
    real.run(tasks.cancel(str(child.id), "no"))
    release_all(real)
    first_trip(real, tasks.delete(str(child.id), index_names(real.read(child.id)), real.since()))
    (now,) = real.run(retention.expired(real.keys, -1))
    while not now.over:
        _, now = real.run(retention.prune_range(real.term, now))
    real.check()
    while real.run(coordination.continue_delete(real.term, str(child.id))).number():
        pass


@pytest.mark.parametrize("of", ["same", "other"])
def test_an_abandoned_graph_leaves_its_parents_in_pieces(real: World, of: str) -> None:
    parents = [real.task(f"p{n}") for n in range(MANY)]
    child = real.task("child", *parents)
    if of == "other":
        real.submit(*parents)
    new = [*parents, child] if of == "same" else [child]
    operation = graphs.submit(str(uuid4()), [real.record(task) for task in new])
    step = next(operation)
    while step.name != "commit_graph":
        step = operation.send(real.run(step))
    batch = step.args[0]
    trips = 0
    while real.run(coordination.sweep_batch(batch, "")).number():
        trips += 1
        real.check()
        assert listed(real, parents) == (0 if trips > 1 else MANY - 256)
    assert trips == (7 if of == "same" else 2)
    assert real.statuses([child.id]) == [""]
    assert pinned(real, parents) == 0
