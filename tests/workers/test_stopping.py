"""How a worker stops: SIGTERM lets running work finish, SIGQUIT gives it back at once."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from taskengine.models import Task, TaskStatus

from ..fleet import Effect, Fleet, Process, until


def started(fleet: Fleet, ids: list[str]) -> list[Effect]:
    """The runs of all these tasks, once all began."""
    return until(
        lambda: (
            found if len(found := [e for e in fleet.effects("begin") if e.task in ids]) >= len(ids) else None
        )
    )


def gone(fleet: Fleet, worker: Process) -> None:
    """It left the fleet, and nobody of it lives."""
    until(lambda: not any(f"#{worker.pid}-" in node.name for node in fleet.nodes()))
    until(lambda: not worker.session())


@pytest.fixture(params=["prefork", "threads"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def leaver(fleet: Fleet, kind: str) -> Any:
    """A worker that is going to stop: two slots of ``travel``, which nobody else offers."""
    return fleet.worker(f"leaver-{kind}-{time.monotonic_ns()}", "-Q", "travel", pool=kind)


def test_term_lets_running_work_finish_and_takes_nothing_new(fleet: Fleet, kind: str) -> None:
    leaver = fleet.worker(f"patient-{kind}", "-Q", "travel", pool=kind, TASKENGINE_DRAIN_SECONDS="15")
    running = [Task(capability="travel", input={"seconds": 1.2}) for _ in range(2)]
    ids = fleet.submit(*running)
    started(fleet, ids)
    (waiting,) = fleet.submit(Task(capability="travel"))
    leaver.send(signal.SIGTERM)
    assert leaver.wait() == 0
    gone(fleet, leaver)
    assert fleet.statuses([*ids, waiting]) == ["completed", "completed", "ready"]
    assert [len(fleet.executions(id)) for id in ids] == [1, 1]
    fleet.cancel(waiting)


@pytest.mark.matrix
def test_work_that_outlasts_the_drain_is_handed_back_without_a_retry(fleet: Fleet, leaver: Process) -> None:
    (id,) = fleet.submit(Task(capability="travel", input={"do": "deaf", "seconds": 90}))
    started(fleet, [id])
    began = time.monotonic()
    leaver.send(signal.SIGTERM)
    task = fleet.until_status(id, "ready")
    assert time.monotonic() - began >= fleet.settings.drain_seconds
    assert (task.retry_count, task.lost_count) == (0, 0)
    leaver.wait()
    gone(fleet, leaver)
    (execution,) = fleet.executions(id)
    assert (execution.status.value, execution.error_kind) == ("cancelled", "handed_back")
    fleet.cancel(id)


def test_a_worker_that_is_killed_while_it_drains_costs_its_tasks_no_loss(
    fleet: Fleet, leaver: Process
) -> None:
    """As containers do it: TERM, then KILL before the drain is over."""
    (id,) = fleet.submit(Task(capability="travel", input={"do": "deaf", "seconds": 90}))
    started(fleet, [id])
    leaver.send(signal.SIGTERM)
    until(lambda: any(f"#{leaver.pid}-" in node.name and node.draining for node in fleet.nodes()))
    leaver.close()
    task = fleet.until_status(id, "ready")
    assert (task.retry_count, task.lost_count) == (0, 0)
    assert [run.status.value for run in fleet.executions(id)] == ["lost"]
    fleet.cancel(id)


@pytest.mark.matrix
def test_quit_gives_work_back_at_once_without_a_retry(fleet: Fleet, leaver: Process) -> None:
    tasks = [Task(capability="travel", input={"do": "deaf", "seconds": 8}) for _ in range(2)]
    ids = fleet.submit(*tasks)
    started(fleet, ids)
    began = time.monotonic()
    leaver.send(signal.SIGQUIT)
    until(lambda: fleet.statuses(ids) == ["ready", "ready"])
    assert time.monotonic() - began < fleet.settings.drain_seconds, "it waited for them"
    assert leaver.wait() == 0
    gone(fleet, leaver)
    for id in ids:
        task = fleet.task(id)
        assert (task.retry_count, task.lost_count, task.attempt) == (0, 0, 1)
        assert fleet.executions(id)[0].status.value == "cancelled"
    fleet.worker(f"heir-{leaver.name}", "-Q", "travel", pool="threads", slots=4)
    assert fleet.wait(ids) == ["completed", "completed"]
    assert [e.attempt for e in fleet.executions(ids[0])] == [1, 2]
    fleet.processes[-1].close()


def test_quit_ends_a_worker_that_has_nothing_to_do(fleet: Fleet, leaver: Process) -> None:
    leaver.send(signal.SIGQUIT)
    assert leaver.wait() == 0
    gone(fleet, leaver)


def test_a_cancelled_task_that_is_handed_back_is_cancelled(fleet: Fleet, leaver: Process) -> None:
    (id,) = fleet.submit(Task(capability="travel", input={"do": "deaf", "seconds": 6}))
    started(fleet, [id])
    fleet.cancel(id)
    leaver.send(signal.SIGQUIT)
    fleet.until_status(id, "cancelled")
    leaver.wait()


def deaf(seconds: float) -> Task:
    """A task whose time is over long before its agent returns."""
    return Task(capability="travel", input={"do": "deaf", "seconds": seconds}, timeout=0.3, max_retries=0)


def consumes(fleet: Fleet) -> bool:
    """Whether any worker waits for messages."""
    clients = fleet.server.client.client_list()
    return any(client["cmd"] == "brpop" and "b" in client["flags"] for client in clients)


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_a_thread_that_returns_after_its_timeout_gives_its_slot_back(fleet: Fleet, pool: str) -> None:
    """Also when it was the only one: the worker waits as long for it as for a cancelled agent."""
    worker = fleet.worker(f"slow-{pool}", "-Q", "travel", pool=pool, slots=1)
    (id,) = fleet.submit(deaf(fleet.settings.cancel_grace_seconds))
    assert fleet.wait([id]) == ["failed"]
    (after,) = fleet.run(Task(capability="travel"))
    assert (after.status, worker.exit_code) == (TaskStatus.COMPLETED, None)
    worker.close()


def test_a_node_goes_on_while_half_of_its_threads_are_left(fleet: Fleet) -> None:
    worker = fleet.worker("halved", "-Q", "travel", pool="threads", slots=2)
    began = time.monotonic()
    fleet.wait(fleet.submit(deaf(30)))
    until(lambda: time.monotonic() - began > 2 * fleet.settings.cancel_grace_seconds)
    (after,) = fleet.run(Task(capability="travel"))
    assert (after.status, worker.exit_code) == (TaskStatus.COMPLETED, None)
    worker.close()


def test_a_node_of_stuck_threads_drains_and_ends_with_its_own_code_and_a_last_word(bare_fleet: Fleet) -> None:
    fleet = bare_fleet
    fleet.coordinator()
    worker = fleet.worker(
        "stuck", "-Q", "travel", pool="threads", slots=3, TASKENGINE_CANCEL_GRACE_SECONDS="1.5",
        TASKENGINE_DRAIN_SECONDS="60",
    )  # fmt: skip
    healthy = fleet.submit(Task(capability="travel", input={"do": "deaf", "seconds": 12}))
    started(fleet, healthy)
    until(lambda: consumes(fleet))
    stuck = fleet.submit(deaf(30), deaf(30))
    assert fleet.wait(stuck) == ["failed", "failed"]
    assert worker.exit_code is None
    until(lambda: any(node.draining == "stuck" for node in fleet.nodes()))
    until(lambda: not consumes(fleet))
    assert fleet.statuses(healthy) == ["running"]
    assert worker.wait() == 70
    assert fleet.statuses(healthy) == ["completed"]
    gone(fleet, worker)
    assert "2 of 3 slots are stuck" in worker.log()
    assert "stuck@test ends with exit code 70: start it again" in worker.log()


@pytest.mark.matrix
def test_a_stopping_node_takes_no_more_messages(bare_fleet: Fleet, kind: str) -> None:
    bare_fleet.coordinator()
    worker = bare_fleet.worker("w", "-Q", "travel", pool=kind, TASKENGINE_DRAIN_SECONDS="0")
    ids = bare_fleet.submit(Task(capability="travel", input={"do": "deaf", "seconds": 90}))
    started(bare_fleet, ids)
    until(lambda: consumes(bare_fleet))
    worker.send(signal.SIGTERM)
    until(lambda: not consumes(bare_fleet))
    assert bare_fleet.statuses(ids) == ["running"]


@pytest.mark.matrix
def test_quit_ends_a_worker_whose_server_is_away(bare_fleet: Fleet, kind: str) -> None:
    bare_fleet.coordinator()
    worker = bare_fleet.worker("w", "-Q", "travel", pool=kind)
    ids = bare_fleet.submit(Task(capability="travel", input={"do": "deaf", "seconds": 90}))
    started(bare_fleet, ids)
    bare_fleet.server.kill()
    worker.send(signal.SIGQUIT)
    assert worker.wait() in (0, 1)  # 1 when Celery was just connecting again: its own error ends it first
    until(lambda: not worker.session())
