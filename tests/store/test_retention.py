"""Pruning in pieces: what one script erases is bounded by edges too, not only by tasks."""

from __future__ import annotations

from typing import Any

from taskengine.models import Task
from taskengine.store import retention, tasks
from taskengine.store.call import Call, Operation
from taskengine.store.retention import Pass

from .world import World, steps


def counted(world: World, work: Operation[Any]) -> tuple[Any, int]:
    """What *work* comes to, and how many times it pruned."""
    pruned = 0

    def send(call: Call[Any]) -> Any:
        nonlocal pruned
        pruned += call.name == "prune"
        return world.run(call)

    return steps(work, send), pruned


def test_cancelled_tasks_with_many_dependencies_are_erased_a_few_at_a_time(real: World) -> None:
    parents = [real.task(f"p{n}", hold=True) for n in range(200)]
    real.submit(*parents)
    wide: list[Task] = [real.task(f"w{n}", *parents, hold=True) for n in range(20)]
    run = real.submit(*wide)
    for task in wide:
        real.run(tasks.cancel(str(task.id), "no"))
    term = real.elect()
    ms = int(real.raw.zscore(real.keys.fixed("finished"), run))
    (word, now), pruned = counted(real, retention.prune_range(term, Pass(run, ms)))
    assert (word, now.over, now.erased, now.kept) == ("ok", True, 20, 0)
    assert pruned >= 20 * 200 / 1024
    assert set(real.statuses([task.id for task in wide])) == {""}
    assert not real.raw.exists(real.keys.of("run", run), *(real.keys.of("dependents", parent.id) for parent in parents))


def test_empty_range_ends_its_run(real: World) -> None:
    a = real.task("a")
    run = real.submit(a)
    real.run(tasks.cancel(str(a.id), "no"))
    term = real.elect()
    ms = int(real.raw.zscore(real.keys.fixed("finished"), run))
    assert counted(real, retention.prune_range(term, Pass(run, ms)))[0][1].erased == 1
    assert counted(real, retention.prune_range(term, Pass(run, ms)))[0][0] == "open"
