"""Queues under pressure: a flood above the rest, and a capability that nobody serves."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from taskengine.models import Task, TaskPriority, TaskStatus

from ..fleet import Fleet, until
from .aftermath import intact
from .conftest import DEFAULTS, MakeFleet

Measured = Callable[[str, float], None]
CRITICAL, LOW = TaskPriority.CRITICAL, TaskPriority.LOW


def flooded(fleet: Fleet, *, critical: int) -> tuple[list[Task], list[Task]]:
    """Both slots of one worker at work, ten LOW tasks that wait, and behind them a flood of CRITICAL ones."""
    fleet.coordinator()
    fleet.worker("w", "-Q", "work", slots=2)
    fleet.await_leader()
    busy = fleet.submit(*(Task(capability="work", priority=CRITICAL, input={"seconds": 1}) for _ in range(2)))
    until(lambda: set(fleet.statuses(busy)) == {"running"})
    low = [Task(name=f"low {n}", capability="work", priority=LOW, input={"seconds": 0.01}) for n in range(10)]
    high = [Task(capability="work", priority=CRITICAL, input={"seconds": 0.01}) for _ in range(critical)]
    fleet.submit(*low)
    fleet.submit(*high)
    assert set(fleet.statuses(busy)) == {"running"}, "the flood came too late for this test"
    return low, high


def began(fleet: Fleet, tasks: list[Task]) -> list[float]:
    """Monotonic times of their starts, in order."""
    ids = {str(task.id) for task in tasks}
    return sorted(e.at for e in fleet.effects("begin") if e.task in ids)


@pytest.mark.alone
def test_row_24_nothing_low_starts_before_the_critical_ones(make_fleet: MakeFleet) -> None:
    fleet = make_fleet()
    low, high = flooded(fleet, critical=1000)
    fleet.wait([str(t.id) for t in (*low, *high)], 120)
    first = began(fleet, low)[0]
    waited = sum(at > first for at in began(fleet, high))
    assert waited <= 2, f"{waited} CRITICAL tasks began behind a LOW one"
    intact(fleet, [*low, *high])


@pytest.mark.alone
def test_row_24_a_flood_starves_nobody(make_fleet: MakeFleet, measured: Measured) -> None:
    aging = 0.5
    fleet = make_fleet(aging_seconds=aging)
    low, high = flooded(fleet, critical=1000)
    ready = max(t.ready_at for t in map(fleet.task, (str(t.id) for t in low)) if t.ready_at)
    fleet.wait([str(t.id) for t in (*low, *high)], 120)
    started = [t.started_at for t in map(fleet.task, (str(t.id) for t in low)) if t.started_at]
    waits = [(at - ready).total_seconds() for at in started]
    measured("LOW behind a flood of CRITICAL started after, in steps of aging", max(waits) / aging)
    assert min(waits) >= 4 * aging - 0.1, "it overtook before its time"
    assert max(waits) < 4 * aging * 1.05 + 2.0
    last = began(fleet, low)[-1]
    assert sum(at > last for at in began(fleet, high)) > 50, "the flood was over before the limit"
    intact(fleet, [*low, *high])


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_row_25_a_capability_without_workers_says_so_and_drains_on_their_return(
    make_fleet: MakeFleet, measured: Measured, how: signal.Signals
) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    workers = [fleet.celery(f"w{n}", "-Q", "work", slots=1) for n in range(2)]
    fleet.await_ready(*workers)
    other = fleet.worker("other", "-Q", "play", slots=1)
    fleet.run(Task(capability="work"))
    for worker in workers:
        os.kill(worker.pid, how)
    gone = time.monotonic()
    new = [Task(name=f"t{n}", capability="work") for n in range(20)]
    ids = fleet.submit(*new)

    def said() -> bool:
        return all("no worker offers capability 'work'" in (fleet.task(id).reason or "") for id in ids)

    until(said, what="every task says that nobody offers it")
    measured("seconds until tasks said that no worker offers them", time.monotonic() - gone)
    assert {fleet.task(id).status for id in ids} == {TaskStatus.READY}
    with fleet.api() as api:
        headline = api.explain(ids[0]).headline
    assert "no living worker offers capability 'work' (those that live offer play); start one" in headline
    fleet.worker("back", "-Q", "work", slots=2)
    assert set(fleet.wait(ids)) == {"completed"}
    assert other.exit_code is None
    intact(fleet, new)
