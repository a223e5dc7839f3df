"""SIGHUP: a worker finishes what it runs, or hands it back, and begins anew with the same command line."""

from __future__ import annotations

import signal

import pytest

from taskengine.models import Task

from ..fleet import Fleet, Process, until
from .test_stopping import started


def incarnation(fleet: Fleet) -> str:
    """The name of the one node that takes work."""
    return until(lambda: [node.name for node in fleet.nodes() if not node.draining], what="a node")[0]


@pytest.fixture(params=["celery prefork", "celery threads", "taskengine worker"])
def worker(request: pytest.FixtureRequest, bare_fleet: Fleet) -> Process:
    """Each way to start one, with two slots of ``travel``."""
    bare_fleet.coordinator()
    if request.param == "taskengine worker":
        words = ("worker", "--queues", "travel", "--concurrency", "2", "--import", "fleet_agents")
        made = bare_fleet.start("w", "-P", "-m", "taskengine.cli", *words, TASKENGINE_DRAIN_SECONDS="1.5")
        bare_fleet.await_ready(made)
        return made
    kind = request.param.split()[1]
    return bare_fleet.worker("w", "-Q", "travel", pool=kind, TASKENGINE_DRAIN_SECONDS="1.5")


@pytest.mark.matrix
def test_hang_up_lets_running_work_finish_and_begins_anew(bare_fleet: Fleet, worker: Process) -> None:
    before = incarnation(bare_fleet)
    ids = bare_fleet.submit(Task(capability="travel", input={"seconds": 1.0}))
    started(bare_fleet, ids)
    worker.send(signal.SIGHUP)
    waiting = bare_fleet.submit(Task(capability="travel"))
    assert bare_fleet.wait([*ids, *waiting]) == ["completed", "completed"]
    assert [len(bare_fleet.executions(id)) for id in ids] == [1]
    assert incarnation(bare_fleet) != before
    assert worker.log().count("SIGHUP: draining, then starting again") == 1
    assert worker.exit_code is None
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0


@pytest.mark.matrix
def test_what_outlasts_the_drain_is_handed_back_before_the_worker_begins_anew(
    bare_fleet: Fleet, worker: Process
) -> None:
    (id,) = bare_fleet.submit(Task(capability="travel", input={"do": "deaf", "seconds": 4}))
    started(bare_fleet, [id])
    worker.send(signal.SIGHUP)
    worker.send(signal.SIGHUP)
    assert bare_fleet.wait([id]) == ["completed"]
    task = bare_fleet.task(id)
    assert (task.lost_count, task.retry_count) == (0, 0)
    assert [run.error_kind for run in bare_fleet.executions(id)] == ["handed_back", None]
    assert worker.exit_code is None


def test_a_worker_that_is_told_to_end_does_not_begin_anew(bare_fleet: Fleet) -> None:
    bare_fleet.coordinator()
    worker = bare_fleet.worker("w", "-Q", "travel")
    started(bare_fleet, bare_fleet.submit(Task(capability="travel", input={"seconds": 1})))
    worker.send(signal.SIGHUP)
    worker.send(signal.SIGTERM)
    worker.send(signal.SIGHUP)
    assert worker.wait() == 0
    assert worker.log().count(" ready.") == 1


def test_a_coordinator_begins_anew_too(bare_fleet: Fleet) -> None:
    coordinator = bare_fleet.coordinator()
    before = bare_fleet.await_leader()
    coordinator.send(signal.SIGHUP)
    until(lambda: (bare_fleet.view().leader or before) != before, what="another leader")
    assert coordinator.exit_code is None
    coordinator.send(signal.SIGTERM)
    assert coordinator.wait() == 0


HANGS_UP = """
import os, signal
from pathlib import Path
from celery.signals import worker_before_create_process

@worker_before_create_process.connect(weak=False)
def hang_up(**_):
    if not Path("hung-up").exists():
        Path("hung-up").touch()
        os.kill(os.getpid(), signal.SIGHUP)
"""


@pytest.mark.matrix
@pytest.mark.parametrize("door", ["celery", "taskengine"])
def test_hang_up_before_it_is_ready_begins_a_worker_anew(bare_fleet: Fleet, door: str) -> None:
    bare_fleet.coordinator()
    (bare_fleet.folder / "hangs_up.py").write_text(HANGS_UP)
    modules = "fleet_agents,hangs_up"
    if door == "celery":
        worker = bare_fleet.celery("w", "-Q", "travel", agents=modules)
    else:
        words = ("worker", "--queues", "travel", "--concurrency", "2", "--import", modules)
        worker = bare_fleet.start("w", "-P", "-m", "taskengine.cli", *words)
    ids = bare_fleet.submit(Task(capability="travel"))
    assert bare_fleet.wait(ids) == ["completed"]
    assert (bare_fleet.folder / "hung-up").exists()
    worker.send(signal.SIGTERM)
    assert worker.wait() == 0
