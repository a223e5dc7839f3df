"""What a watcher is told since its last look, and what it is told to list for."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import uuid4

import pytest

from taskengine.models import Task
from taskengine.store import changes, graphs, pauses, tasks
from taskengine.store.changes import Changes, Position

from .world import World


class Watcher:
    """Somebody who follows the runs of what he knows."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.position: Position = world.run(changes.here(world.keys))

    def look(self, *follow: Task) -> Changes:
        runs = [self.world.run_of(task.id) for task in follow]
        told = self.world.run(changes.since(self.world.keys, self.position, runs))
        self.position = told.position
        return told


def ids(new: Iterable[Task]) -> set[str]:
    return {str(task.id) for task in new}


def old_task(world: World) -> Task:
    """A task whose run is not new any more."""
    old = world.new("old")
    world.raw.zadd(world.keys.fixed("runs"), {world.run_of(old.id): 1})
    return old


def test_nothing_happened_and_nothing_is_told(world: World) -> None:
    old = old_task(world)
    watcher = Watcher(world)
    assert watcher.look(old).begun == {world.run_of(old.id)}
    told = watcher.look(old)
    assert (told.tasks, told.begun, told.others, told.untold) == (frozenset(), frozenset(), False, 0)


def test_new_runs_and_changes_of_followed_ones_are_told(world: World) -> None:
    old = old_task(world)
    watcher = Watcher(world)
    watcher.look(old)
    new = [world.task("a"), world.task("b")]
    world.submit(*new)
    assert watcher.look(old).tasks == ids(new)
    world.run(tasks.cancel(str(old.id), "no"))
    told = watcher.look(old)
    assert (told.tasks, told.untold, told.others) == (ids([old]), 0, False)


def test_a_task_in_a_run_that_is_not_followed_is_missed_by_number(world: World) -> None:
    old = old_task(world)
    watcher = Watcher(world)
    world.create(world.task("beside it"), world.run_of(old.id))
    told = watcher.look()
    assert (told.tasks, told.untold) == (frozenset(), 1)


def test_a_run_that_is_new_at_the_first_look_is_told_once(world: World) -> None:
    """It may have begun in the millisecond before."""
    world.new("just now")
    watcher = Watcher(world)
    told = watcher.look()
    assert (told.tasks, told.untold) == (frozenset(), 0)


def test_a_graph_that_is_staged_before_it_is_told_of_evens_out(world: World) -> None:
    watcher = Watcher(world)
    new = [world.task(f"t{n}") for n in range(5)]
    batch = world.staged(*new)
    assert watcher.look().untold == 5
    world.run(graphs.commit(batch))
    world.settle(batch)
    told = watcher.look()
    assert (told.tasks, told.untold) == (ids(new), -5)


@pytest.mark.parametrize("what", ["reopened", "paused"])
def test_what_no_history_of_a_run_tells_is_said(world: World, what: str) -> None:
    old = world.new("old")
    world.run(tasks.cancel(str(old.id), "no"))
    watcher = Watcher(world)
    if what == "reopened":
        assert world.run(tasks.reopen(str(old.id))).ok
    else:
        world.run(pauses.pause("cap:lint", "ann", None, None))
    assert watcher.look().others


def test_many_runs_and_long_histories_are_read_in_pieces(real: World) -> None:
    watcher = Watcher(real)
    wide = [real.task(f"t{n}") for n in range(1500)]
    real.submit(*wide)
    many = [real.new(f"m{n}") for n in range(300)]
    told = watcher.look()
    assert told.tasks == ids([*wide, *many])
    assert told.untold == 0
    assert watcher.look(wide[0], *many).tasks == frozenset()


def test_a_run_that_is_gone_is_told_nothing_of(world: World) -> None:
    watcher = Watcher(world)
    told = world.run(changes.since(world.keys, watcher.position, [str(uuid4())]))
    assert told.tasks == frozenset()
