"""Row 22: hundreds of cancels in a second, of what waits and of what runs, while workers come and go."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from taskengine.models import ExecutionStatus, Task, TaskStatus

from ..fleet import Fleet, until
from .aftermath import intact
from .conftest import MakeFleet

Measured = Callable[[str, float], None]
_COUNT = 500


def cancel_all(fleet: Fleet, new: list[Task]) -> float:
    """Cancel every task, eight clients at once; how many seconds that took."""
    begin = time.monotonic()
    with fleet.api() as api, ThreadPoolExecutor(8) as clients:
        for done in clients.map(lambda task: api.cancel_task(task.id, "storm"), new):
            assert done
    return time.monotonic() - begin


@pytest.mark.alone
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_row_22_a_storm_of_cancels_while_workers_restart(make_fleet: MakeFleet, measured: Measured, pool: str) -> None:
    fleet = make_fleet()
    fleet.coordinator()
    workers = [fleet.celery(f"w{n}", "-Q", "work", pool=pool, slots=4) for n in range(2)]
    fleet.await_ready(*workers)
    fleet.await_leader()
    # Most heed a cancel, some clean up for a while, some never hear it: these are ended by force after their grace.
    new = [Task(capability="work", input={"do": "patient", "seconds": 60}) for _ in range(4)]
    new += [Task(capability="work", input={"do": "patient", "seconds": 60, "clean_up": 2}) for _ in range(2)]
    new += [Task(capability="work", input={"do": "deaf", "seconds": 20}) for _ in range(2)]
    running = len(new)
    new += [Task(capability="work", input={"do": "patient", "seconds": 60}) for _ in range(_COUNT - running)]
    fleet.submit(*new)
    until(lambda: len(fleet.effects("begin")) >= running)
    workers[0].send(signal.SIGTERM)
    took = cancel_all(fleet, new)
    measured("seconds of 500 cancels", took)
    replaced = fleet.celery("w2", "-Q", "work", pool=pool, slots=4)
    workers[1].kill()
    began = time.monotonic()
    limit = 10 + fleet.settings.cancel_grace_seconds + fleet.settings.kill_after_seconds
    statuses = fleet.wait([str(task.id) for task in new], limit)
    measured("seconds until all were cancelled", time.monotonic() - began)
    assert set(statuses) == {"cancelled"}
    assert took < 5  # the storm; a second on a machine of its own
    fleet.await_ready(replaced)
    assert workers[0].wait(30) == 0
    ran = intact(fleet, new)
    accepted = {ExecutionStatus.COMPLETED, ExecutionStatus.QUEUED, ExecutionStatus.RUNNING}
    assert not [one for attempts in ran.values() for one in attempts if one.status in accepted]
    after = Task(capability="work")
    fleet.submit(after)
    fleet.wait([str(after.id)])
    assert fleet.task(str(after.id)).status is TaskStatus.COMPLETED
    assert set(fleet.statuses([str(task.id) for task in new])) == {"cancelled"}
    assert {task.reason for task in map(fleet.task, (str(task.id) for task in new))} == {"storm"}
