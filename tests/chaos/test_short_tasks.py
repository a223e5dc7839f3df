"""Thousands of tasks of a millisecond, of which a slot takes several at a time, while what runs them is killed.

``FAULT_TASKS=20000`` makes it long; the default is a sample.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import pytest

from taskengine.models import ExecutionStatus, Task, TaskExecution, TaskStatus

from ..fleet import Fleet, Process, overlaps, until
from .aftermath import intact
from .conftest import MakeFleet

Measured = Callable[[str, float], None]
TASKS = int(os.environ.get("FAULT_TASKS", "2000"))
#: Of each kind of kill.
KILLS = 8
SLOTS = 2
#: What one slot holds at most.
BATCH = 8


class Killer:
    """Kills at even steps of what is done; counts the slots that it ended."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.chance = random.Random(TASKS)
        self.workers = [self._worker(n) for n in range(2)]
        self.slots = 0
        fleet.await_ready(*self.workers)

    def child(self, n: int) -> None:  # noqa: ARG002  # as the others
        """One slot, in the middle of whatever it does."""
        worker = self.chance.choice(self.workers)
        os.kill(self.chance.choice(until(worker.children)), signal.SIGKILL)
        self.slots += 1

    def worker(self, n: int) -> None:
        """A parent, and with it all of its children."""
        self.workers.pop(0).kill()
        self.slots += SLOTS
        self.workers.append(self._worker(2 + n))
        self.fleet.await_ready(self.workers[-1])

    def server(self, n: int) -> None:  # noqa: ARG002
        """No slot ends by it: each asks again until it is back.

        Not while a write to its disk lasts: with ``appendfsync everysec`` it answers meanwhile from memory alone, for
        two seconds at most, and would forget what it answered, as at a power cut.
        """
        until(lambda: not self.fleet.server.client.info("persistence")["aof_pending_bio_fsync"])
        self.fleet.server.kill()
        threading.Event().wait(0.5)
        self.fleet.server.restart()

    def _worker(self, n: int) -> Process:
        return self.fleet.celery(f"w{n}", "-Q", "work", slots=SLOTS)


def short() -> Task:
    return Task(name="short", capability="work", input={"seconds": 0.001})


def done(fleet: Fleet) -> int:
    return fleet.view().counts.get("completed", 0)


@pytest.mark.parametrize("what", ["child", "worker", "server"])
def test_a_kill_loses_no_short_task_and_repeats_at_most_a_batch_for_each_slot(
    make_fleet: MakeFleet, measured: Measured, what: str
) -> None:
    # A lease that a busy machine does not let lapse: only a kill may take work from a slot here.
    fleet = make_fleet(lease_seconds=10.0)
    fleet.coordinator()
    killer = Killer(fleet)
    new = [short() for _ in range(TASKS)]
    ids = fleet.submit(*new)
    for n in range(KILLS):
        share = TASKS * (n + 1) // (KILLS + 2)
        until(lambda share=share: done(fleet) >= share, 60 + TASKS / 50, f"{share} are done")
        getattr(killer, what)(n)
    assert set(fleet.wait(ids, 60 + TASKS / 50)) == {"completed"}
    ran = intact(fleet, new)
    assert overlaps(fleet.effects()) == []
    again = sum(Counter(effect.task for effect in fleet.effects("begin")).values()) - TASKS
    measured("slots ended", killer.slots)
    measured("began again", again)
    assert again <= BATCH * killer.slots
    _no_neighbour_pays(fleet, ran, killer, measured)


def _no_neighbour_pays(fleet: Fleet, ran: dict[str, list[TaskExecution]], killer: Killer, measured: Measured) -> None:
    """Nobody knows at which task of a batch a slot died, so it counts for none; of one that was alone it does."""
    lost = [one for attempts in ran.values() for one in attempts if one.status is ExecutionStatus.LOST]
    together: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for one in lost:
        together[one.node, one.pid, one.completed_at].append(str(one.task_id))
    batches = [mates for mates in together.values() if len(mates) > 1]
    counted = {id: fleet.task(id).lost_count for id in {str(one.task_id) for one in lost}}
    measured("lost in batches", sum(map(len, batches)))
    measured("losses counted", sum(counted.values()))
    assert len(lost) <= BATCH * killer.slots
    assert sum(counted.values()) <= killer.slots - len(batches)
    only_once = {id for id in counted if len(_lost(ran[id])) == 1}
    assert {id: counted[id] for mates in batches for id in mates if id in only_once and counted[id]} == {}
    assert all(fleet.task(id).status is TaskStatus.COMPLETED for id in counted)


def _lost(attempts: Sequence[TaskExecution]) -> list[TaskExecution]:
    return [one for one in attempts if one.status is ExecutionStatus.LOST]
