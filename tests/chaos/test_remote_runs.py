"""Runs at a service, while whoever has to do with them is killed at each moment: one run a task, and none is lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from taskengine import Task
from taskengine.models import TaskStatus

from ..doubles.codegen import ORG, TOKEN, CodegenService
from ..fleet import Fleet, Process, until
from .aftermath import at_rest
from .conftest import MakeFleet

MOMENTS = (
    "before_intent", "after_intent", "in_post", "after_post", "after_detach", "in_poll", "before_report",
    "after_report",
)  # fmt: skip
VICTIMS = ("whoever is there", "coordinator", "server")
Measured = Callable[[str, float], None]


@pytest.fixture
def service() -> Iterator[CodegenService]:
    with CodegenService(reads=1_000_000) as made:
        yield made


def worker(fleet: Fleet, service: CodegenService, name: str, moment: str) -> Process:
    return fleet.start(
        name, "-m", "celery", "-A", "workers", "worker", "-n", f"{name}@test", "-l", "INFO", "-P", "threads", "-c", "2",
        "--without-mingle", "-I", "dying_codegen",
        TASKENGINE_AGENT="codegen_agent", CODEGEN_TOKEN=TOKEN, DIE_AT=moment, FLEET_MOMENTS=str(fleet.folder),
        TASKENGINE_ALLOWED_HOSTS=service.url.removeprefix("http://"),
    )  # fmt: skip


def kill(fleet: Fleet, service: CodegenService, victim: str, pid: int, coordinator: Process, moment: str) -> None:
    """kill -9, and start another one."""
    if victim == "server":
        fleet.server.kill()
        threading.Event().wait(0.5)
        fleet.server.restart()
    elif victim == "coordinator":
        coordinator.kill()
        fleet.coordinator("c1")
    else:
        os.kill(pid, signal.SIGKILL)
        worker(fleet, service, "w2", moment)


@pytest.mark.parametrize(("victim", "moment"), list(product(VICTIMS, MOMENTS)))
def test_row_23_a_kill_at_any_moment_of_a_run_posts_none_twice_and_loses_none(
    make_fleet: MakeFleet, service: CodegenService, measured: Measured, victim: str, moment: str
) -> None:
    fleet = make_fleet()
    coordinator = fleet.coordinator("c0")
    fleet.await_leader()
    with fleet.api() as api:
        config = {"org_id": ORG, "base_url": service.url, "poll_seconds": 0.3, "requests_per_30_seconds": 100_000}
        api.register_agent("codegen_agent", "codegen", "code", secret="CODEGEN_TOKEN", config=config)
        fleet.await_ready(*(worker(fleet, service, f"w{n}", moment) for n in range(2)))
        prompt = "[run=0.5]" + "[post=1.5]" * (moment == "in_post")
        tasks = api.create_tasks(Task(name=f"t{n}", capability="code", description=prompt) for n in range(6))
        arrived = Path(fleet.folder / f"at-{moment}")
        pid = int(until(lambda: arrived.exists() and arrived.read_text(), 30, f"somebody at {moment}"))
        if moment == "in_post":
            until(lambda: service.posting and service.runs, 10, "a post under way")
        kill(fleet, service, victim, pid, coordinator, moment)
        (fleet.folder / f"go-{moment}").touch()
        done = api.wait([task.id for task in tasks], timeout=60)
    assert {task.status for task in done} == {TaskStatus.COMPLETED}
    assert service.paid == {str(task.id): 1 for task in tasks}, "one run a task"
    at_rest(fleet, 20)
    measured("runs posted", len(service.runs))
