"""Agents that fork: only the process that claimed reports and takes work, and nobody outlives the group."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from taskengine.models import Task

from ..fleet import Fleet, until
from .conftest import Pool


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(("child", "code"), [("exits", 7), ("raises", 1), ("returns", 0)])
def test_child_of_an_agent_ends_as_of_a_script_and_the_parent_reports(
    fleet: Fleet, pool: Pool, child: str, code: int
) -> None:
    (task,) = fleet.run(Task(capability=pool.queue, input={"do": "fork", "child": child}, max_retries=0))
    assert (task.status, task.lost_count) == ("completed", 0), task
    (execution,) = fleet.executions(str(task.id))
    assert execution.result is not None
    assert execution.result["code"] == code
    assert execution.late_outcome is None


def test_nobody_but_the_pool_takes_work_after_forks(fleet: Fleet) -> None:
    fleet.run(*(Task(capability="work", input={"do": "fork", "child": "returns"}) for _ in range(4)))
    plain = [Task(capability="work", input={"do": "nothing"}) for _ in range(20)]
    assert {task.status for task in fleet.run(*plain)} == {"completed"}
    ids = {str(task.id) for task in plain}
    worker = next(process for process in fleet.processes if process.name == "prefork")
    children = {child.pid for child in psutil.Process(worker.pid).children()}
    assert {effect.pid for effect in fleet.effects("begin") if effect.task in ids} <= children


def test_timeout_of_an_agent_ends_its_children_and_theirs(fleet: Fleet, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    task = Task(
        capability="work", timeout=3, max_retries=0,
        input={"do": "fork_and_stay", "pids": str(pids), "seconds": 120},
    )  # fmt: skip
    (done,) = fleet.run(task)
    assert (done.status, done.error_kind) == ("failed", "timeout")
    left = [int(pid) for pid in pids.read_text().split()]
    assert len(left) == 2
    until(lambda: not any(map(lives, left)), what="the end of the children")


def test_agent_has_pools_of_processes_of_its_own(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(Task(capability=pool.queue, input={"do": "use_processes"}, max_retries=0), seconds=60)
    assert task.status == "completed", task
    (execution,) = fleet.executions(str(task.id))
    assert execution.result == {"squares": [0, 1, 4, 9, 16, 25]}


def test_processes_that_an_agent_left_end_with_the_pool_child_that_had_it(bare_fleet: Fleet) -> None:
    bare_fleet.coordinator()
    worker = bare_fleet.worker("alone", "-Q", "work", slots=1)
    (task,) = bare_fleet.run(Task(capability="work", input={"do": "leave_processes"}, max_retries=0), seconds=60)
    (execution,) = bare_fleet.executions(str(task.id))
    assert execution.result is not None, task
    left = [int(str(pid)) for pid in execution.result["left"]]  # type: ignore[union-attr]
    assert len(left) == 2
    assert all(map(lives, left))
    os.kill(worker.pid, signal.SIGTERM)
    until(lambda: not any(map(lives, left)), what="the end of what was left")
    assert worker.wait() == 0
