"""Short tasks go to a slot several at a time; one that lasts keeps nobody waiting, and a death costs nobody a loss."""

from __future__ import annotations

import os
import signal

from taskengine.models import Task

from ..fleet import Fleet, until
from .conftest import Pool

#: All of one kind, so that a slot takes them together once it ran one.
NAME = "short"


def short(pool: Pool, n: int) -> list[Task]:
    return [Task(name=NAME, capability=pool.queue) for _ in range(n)]


def most_in_hand(fleet: Fleet, ids: list[str]) -> int:
    """The most executions that began at once in one slot: started in the same millisecond, by the same script."""
    starts: dict[tuple[str | None, object], int] = {}
    for id in ids:
        for execution in fleet.executions(id):  # on a busy machine some are handed back, and have another
            key = (execution.node, execution.started_at)
            starts[key] = starts.get(key, 0) + 1
    return max(starts.values())


def test_short_tasks_go_together_once_their_kind_is_known(fleet: Fleet, pool: Pool) -> None:
    tasks = fleet.run(*short(pool, 300), seconds=60)
    assert [task.status for task in tasks] == ["completed"] * 300
    assert most_in_hand(fleet, [str(task.id) for task in tasks]) > 1


def test_one_that_lasts_keeps_none_of_its_batch_waiting(fleet: Fleet, pool: Pool) -> None:
    fleet.run(*short(pool, 50), seconds=60)
    tasks = short(pool, 60)
    slow = tasks[5]
    slow.input = {"do": "patient", "seconds": 120.0}
    ids = fleet.submit(*tasks)
    others = [id for id in ids if id != str(slow.id)]
    until(lambda: fleet.statuses(others) == ["completed"] * 59, what="the others end while it sleeps")
    assert fleet.statuses([str(slow.id)]) == ["running"]
    fleet.cancel(str(slow.id))


def test_a_child_that_dies_in_a_batch_costs_no_task_a_loss(fleet: Fleet) -> None:
    tasks = [Task(name=NAME, capability="work") for _ in range(2000)]
    ids = fleet.submit(*tasks)
    prefork = next(process for process in fleet.processes if process.name == "prefork")
    for share in (200, 800, 1400):
        until(lambda share=share: fleet.statuses(ids).count("completed") > share, 60, "some are done")
        os.kill(prefork.children()[0], signal.SIGKILL)
    until(lambda: set(fleet.statuses(ids)) == {"completed"}, 90, "all are done")
    # On a busy machine any may last, and those behind it are given back: that is no loss either.
    again = [id for id in ids if any(one.status == "lost" for one in fleet.executions(id))]
    assert sum(fleet.task(id).lost_count for id in again) <= 3  # of one that was alone in its slot
    assert len(again) <= 3 * 8
