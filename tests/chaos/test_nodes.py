"""Worker nodes and their children: killed, frozen, restarted, stopped, stuck."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from taskengine.models import Task, TaskExecution, TaskStatus

from ..fleet import Effect, Fleet, Process, overlaps, until
from .aftermath import intact
from .conftest import DEFAULTS, MakeFleet

Measured = Callable[[str, float], None]


def layers(count: int, width: int, seconds: Callable[[], float]) -> list[Task]:
    """A graph of *count* tasks in layers of *width*, each depending on two of the layer before."""
    made: list[Task] = []
    for n in range(count):
        before = made[(n // width - 1) * width : n // width * width] if n >= width else []
        on = {before[n % width].id, before[(n + 1) % width].id} if before else set()
        made.append(Task(capability="work", input={"seconds": seconds(), "n": n}, depends_on=on))
    return made


def begun(fleet: Fleet, id: str, attempt: int = 1, seconds: float = 15.0) -> Effect:
    """The run of that attempt, once it began."""
    return until(lambda: [e for e in fleet.effects("begin") if (e.task, e.attempt) == (id, attempt)], seconds)[0]


def gaps(ran: dict[str, list[TaskExecution]], status: str) -> list[float]:
    """Seconds between the start of each attempt that ended so and the start of the next."""
    return [
        (after.started_at - before.started_at).total_seconds()  # type: ignore[operator]  # both started
        for attempts in ran.values()
        for before, after in pairwise(attempts)
        if before.status.value == status
    ]


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_row_1_killed_nodes_lose_nothing(make_fleet: MakeFleet, measured: Measured, full: bool) -> None:
    kills = 20 if full else 7
    fleet = make_fleet(max_lost=20)
    chance = random.Random(1)
    fleet.coordinator()

    def another(n: int) -> Process:
        return fleet.celery(f"w{n}", "-Q", "work", pool=("prefork", "threads")[n % 2], slots=2)

    workers = [another(n) for n in range(3)]
    fleet.await_ready(*workers)
    new = layers(60 * kills, 40, lambda: chance.uniform(0.01, 0.3))
    fleet.submit(*new)
    for n in range(kills):
        victim = workers.pop(chance.randrange(len(workers)))
        threading.Event().wait(chance.uniform(0.2, 1.5))
        victim.kill()
        workers.append(another(3 + n))
        if n % 2:
            fleet.await_ready(workers[-1])
    fleet.wait([str(task.id) for task in new], 150)
    ran = intact(fleet, new)
    assert {task.status for task in map(fleet.task, list(ran)[:50])} == {TaskStatus.COMPLETED}
    assert overlaps(fleet.effects()) == []
    lost = gaps(ran, "lost")
    assert lost, "no kill met a running task"
    measured("executions lost", len(lost))
    measured("longest seconds until it ran again", max(lost))
    assert max(lost) < 15


def test_row_1_with_the_defaults_a_killed_nodes_task_runs_again(make_fleet: MakeFleet, measured: Measured) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    # Both first: on a busy machine the task would be done before a second one is there.
    workers = [fleet.worker(name, "-Q", "work") for name in ("one", "other")]
    task = Task(capability="work", input={"seconds": 4})
    fleet.submit(task)
    ran_in = begun(fleet, str(task.id)).pid
    next(worker for worker in workers if ran_in in worker.children()).kill()
    killed = time.monotonic()
    measured("seconds until it ran again", begun(fleet, str(task.id), 2, 20).at - killed)
    assert time.monotonic() - killed < 15
    fleet.wait([str(task.id)])
    intact(fleet, [task])


def test_row_2_a_killed_child_is_noticed(make_fleet: MakeFleet, measured: Measured) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    fleet.worker("w", "-Q", "work")
    tasks = [Task(capability="work", input={"seconds": 6}) for _ in range(2)]
    fleet.submit(*tasks)
    victim = begun(fleet, str(tasks[0].id))
    begun(fleet, str(tasks[1].id))
    os.kill(victim.pid, signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: fleet.executions(str(tasks[0].id))[0].status.value == "lost")
    measured("seconds until noticed", time.monotonic() - killed)
    assert time.monotonic() - killed < 5
    fleet.wait([str(task.id) for task in tasks])
    ran = intact(fleet, tasks)
    assert [len(ran[str(task.id)]) for task in tasks] == [2, 1]  # the neighbour was not touched


def test_row_2_a_task_that_kills_its_child_every_time_is_a_dead_letter(make_fleet: MakeFleet) -> None:
    fleet = make_fleet()
    fleet.coordinator()
    fleet.worker("w", "-Q", "work")
    task = Task(capability="work", input={"do": "kill_itself"})
    fleet.submit(task)
    fleet.wait([str(task.id)])
    (stored,) = [fleet.task(str(task.id))]
    assert (stored.status, stored.lost_count, stored.error_kind) == (TaskStatus.FAILED, 3, "poison")
    assert "lost its worker 3 times, last on w@test" in (stored.error_message or "")
    assert fleet.view().dead_letters == 1
    intact(fleet, [task])


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_row_6_a_frozen_nodes_work_runs_elsewhere_and_its_reports_are_fenced(
    make_fleet: MakeFleet, measured: Measured, pool: str
) -> None:
    fleet = make_fleet()
    fleet.coordinator()
    zombie = fleet.worker("zombie", "-Q", "work", pool=pool)
    tasks = [Task(capability="work", input={"seconds": 5}) for _ in range(2)]
    fleet.submit(*tasks)
    for task in tasks:
        begun(fleet, str(task.id))
    fleet.worker("heir", "-Q", "work")
    zombie.freeze()
    frozen = time.monotonic()
    again = [begun(fleet, str(task.id), 2, 15).at - frozen for task in tasks]
    measured("seconds until it ran again", max(again))
    threading.Event().wait(max(0.0, 2 * fleet.settings.lease_seconds - (time.monotonic() - frozen)))
    zombie.thaw()
    fleet.wait([str(task.id) for task in tasks])
    late = until(lambda: [e for t in tasks for e in fleet.executions(str(t.id)) if e.late_outcome is not None] or None)
    assert {(one.attempt, one.status.value) for one in late} == {(1, "lost")}
    ran = intact(fleet, tasks)
    assert [len(ran[str(task.id)]) for task in tasks] == [2, 2]
    after = Task(capability="work")
    fleet.run(after)  # the thawed node is of use again, or at least in nobody's way
    assert zombie.exit_code is None


def test_row_7_a_rolling_restart_repeats_nothing(make_fleet: MakeFleet, measured: Measured) -> None:
    fleet = make_fleet()
    chance = random.Random(7)
    fleet.coordinator()
    workers = [fleet.celery(f"old{n}", "-Q", "work", pool=("prefork", "threads")[n % 2], slots=2) for n in range(3)]
    fleet.await_ready(*workers)
    new = layers(600, 30, lambda: chance.uniform(0.01, 0.4))
    fleet.submit(*new)
    for n, old in enumerate(workers):
        until(lambda n=n: len(fleet.effects("begin")) > 60 * (n + 1), 30)
        old.send(signal.SIGTERM)
        began = time.monotonic()
        assert old.wait(60) == 0
        measured("seconds until stopped", time.monotonic() - began)
        fleet.worker(f"new{n}", "-Q", "work", pool=("prefork", "threads")[n % 2], slots=2)
    fleet.wait([str(task.id) for task in new], 120)
    ran = intact(fleet, new)
    again = {id: n for id, n in Counter(e.task for e in fleet.effects("begin")).items() if n != 1}
    assert again == {}
    # What waited in a slot behind one that lasts never began, and is given back: an attempt, and no run.
    unbegun = {"handed_back"} if os.environ.get("FORCE_BATCHES") else set()
    assert {id: a for id, a in ran.items() if [one for one in a[:-1] if one.error_kind not in unbegun]} == {}


@pytest.mark.alone
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_row_8_quit_hands_back_within_two_seconds_and_spends_no_retry(
    make_fleet: MakeFleet, measured: Measured, pool: str
) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    leaver = fleet.worker("leaver", "-Q", "work", pool=pool, slots=4)
    tasks = [Task(capability="work", input={"do": "deaf", "seconds": 5}) for _ in range(4)]
    ids = fleet.submit(*tasks)
    for id in ids:
        begun(fleet, id)
    leaver.send(signal.SIGQUIT)
    asked = time.monotonic()
    until(lambda: set(fleet.statuses(ids)) == {"ready"})
    measured("seconds until handed back", time.monotonic() - asked)
    assert time.monotonic() - asked < 2
    fleet.worker("heir", "-Q", "work", slots=4)
    fleet.wait(ids)
    ran = intact(fleet, tasks)
    for id in ids:
        task = fleet.task(id)
        assert (task.status, task.retry_count, task.lost_count) == (TaskStatus.COMPLETED, 0, 0)
        assert [one.status.value for one in ran[id]] == ["cancelled", "completed"]
    until(lambda: not leaver.session())


def test_row_21_a_hung_tasks_processes_are_gone_after_the_grace(
    make_fleet: MakeFleet, measured: Measured, tmp_path: Path
) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    fleet.worker("w", "-Q", "work")
    pids = tmp_path / "pids"
    asked = {"do": "stubborn", "seconds": 300, "pids": str(pids)}
    task = Task(capability="work", input=asked, timeout=2, max_retries=0)
    fleet.submit(task)
    child = begun(fleet, str(task.id))
    family = [child.pid, *map(int, until(lambda: pids.exists() and pids.read_text()).split())]
    assert len(family) == 3
    fleet.until_status(str(task.id), "failed")
    timed_out = time.monotonic()
    until(lambda: not any(map(lives, family)), fleet.settings.kill_after_seconds + 5)
    measured("seconds until gone", time.monotonic() - timed_out)
    ran = intact(fleet, [task])
    assert [one.status.value for one in ran[str(task.id)]] == ["timed_out"]
    fleet.run(Task(capability="work"))


def test_row_28_a_task_that_holds_the_interpreter_keeps_its_lease_in_prefork(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    fleet.worker("w", "-Q", "work")
    task = Task(capability="work", input={"do": "hold_the_gil", "seconds": 15})
    fleet.submit(task)
    fleet.wait([str(task.id)])
    ran = intact(fleet, [task])
    assert [one.status.value for one in ran[str(task.id)]] == ["completed"]


def test_row_28_in_threads_it_is_fenced_and_that_is_said(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    worker = fleet.worker("w", "-Q", "work", pool="threads")
    task = Task(capability="work", input={"do": "hold_the_gil", "seconds": 15})
    (id,) = fleet.submit(task)
    begun(fleet, id)
    until(lambda: fleet.executions(id)[0].status.value == "lost")
    fleet.cancel(id, "seen enough")
    fleet.wait([id], 60)
    (first, *_) = fleet.executions(id)
    assert until(lambda: fleet.executions(id)[0].late_outcome)
    assert first.status.value == "lost"
    until(lambda: "an agent held the interpreter" in worker.log())
    until(lambda: any(json.loads(node.info)["held_seconds"] > 5 for node in fleet.nodes()))


def test_row_32_a_child_that_breaks_after_its_claim_loses_its_execution_soon(
    make_fleet: MakeFleet, measured: Measured
) -> None:
    fleet = make_fleet(**DEFAULTS)
    fleet.coordinator()
    worker = fleet.worker("w", "-Q", "work", slots=1, agents="broken_agents")
    (child,) = worker.children()
    task = Task(capability="work")
    submitted = time.monotonic()
    fleet.submit(task)
    fleet.wait([str(task.id)])
    ran = intact(fleet, [task])
    first, second = ran[str(task.id)]
    assert (first.status.value, second.status.value) == ("lost", "completed")
    noticed = (first.completed_at - first.started_at).total_seconds()  # type: ignore[operator]  # it ended
    measured("seconds until lost", noticed)
    assert noticed < 6
    assert worker.children() == [child]
    assert time.monotonic() - submitted < 10


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_row_34_a_cancelled_task_whose_worker_dies_is_not_run_again(
    make_fleet: MakeFleet, measured: Measured, pool: str
) -> None:
    fleet = make_fleet()
    fleet.coordinator()
    victim = fleet.worker("victim", "-Q", "work", pool=pool)
    fleet.worker("heir", "-Q", "play")
    task = Task(capability="work", input={"do": "patient", "clean_up": 5})
    fleet.submit(task)
    begun(fleet, str(task.id))
    assert fleet.cancel(str(task.id), "no more").word == "asked"
    until(lambda: fleet.effects("heard"))
    victim.kill()
    fleet.worker("second", "-Q", "work")
    killed = time.monotonic()
    stored = fleet.until_status(str(task.id), "cancelled")
    measured("seconds until cancelled", time.monotonic() - killed)
    assert stored.reason == "no more"
    ran = intact(fleet, [task])
    assert [one.status.value for one in ran[str(task.id)]] == ["lost"]
    fleet.run(Task(capability="work"))
    assert len([e for e in fleet.effects("begin") if e.task == str(task.id)]) == 1
