"""How an execution ends that does not end by itself: its time is over, or somebody cancelled it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil

from taskengine.models import Task, TaskStatus
from taskengine.store import executions

from ..fleet import Effect, Fleet, until
from .conftest import Pool


def begun(fleet: Fleet, id: str) -> Effect:
    """The first run of a task, once it began."""
    return until(lambda: [e for e in fleet.effects("begin") if e.task == id], what=f"begin of {id}")[0]


def left(fleet: Fleet, what: str, id: str) -> list[Effect]:
    return [e for e in fleet.effects(what) if e.task == id]


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_hung_child_is_timed_out_and_gone_with_all_that_it_started(fleet: Fleet, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    task = Task(
        capability="work",
        input={"do": "stubborn", "seconds": 60, "pids": str(pids)},
        timeout=3,
        max_retries=0,
    )
    fleet.submit(task)
    child = begun(fleet, str(task.id))
    grandchildren = [int(pid) for pid in until(lambda: pids.exists() and pids.read_text()).split()]
    assert len(grandchildren) == 2
    assert all(map(lives, grandchildren))

    done = fleet.until_status(str(task.id), "failed")
    assert done.error_kind == "timeout"
    assert done.error_message == "attempt 1 ran longer than its timeout of 3 s"
    (execution,) = fleet.executions(str(task.id))
    assert execution.status.value == "timed_out"
    until(lambda: not any(map(lives, [child.pid, *grandchildren])))
    (after,) = fleet.run(Task(capability="work"))
    assert after.status is TaskStatus.COMPLETED


def test_what_a_killed_child_started_goes_with_it(fleet: Fleet, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    task = Task(capability="work", input={"do": "stubborn", "seconds": 60, "pids": str(pids)})
    fleet.submit(task)
    child = begun(fleet, str(task.id))
    grandchildren = [int(pid) for pid in until(lambda: pids.exists() and pids.read_text()).split()]
    os.kill(child.pid, signal.SIGKILL)
    fleet.cancel(str(task.id))  # one run is enough
    fleet.until_status(str(task.id), "cancelled")
    assert [e.status.value for e in fleet.executions(str(task.id))] == ["lost"]
    until(lambda: not any(map(lives, grandchildren)))


def test_a_run_that_was_fenced_behind_its_nodes_back_is_ended(fleet: Fleet, pool: Pool) -> None:
    """As after a freeze or a cut link: its lease lapsed, and somebody else may run the task."""
    task = Task(capability=pool.queue, input={"do": "patient", "seconds": 60})
    (id,) = fleet.submit(task)
    first = begun(fleet, id)
    (execution,) = fleet.executions(id)
    assert fleet.store.run(executions.hand_back([(str(execution.id), execution.token)], "the test says so"))[0].ok
    fleet.cancel(id)
    until(lambda: fleet.executions(id)[0].late_outcome)
    if pool.worker.name == "prefork":
        until(lambda: not lives(first.pid))
    else:
        assert [e.attempt for e in left(fleet, "heard", id)][:1] == [1]
    assert fleet.wait([id]) == ["cancelled"]


def test_a_timed_out_attempt_is_tried_again(fleet: Fleet) -> None:
    (task,) = fleet.run(
        Task(capability="work", input={"do": "deaf", "seconds": 30}, timeout=0.3, max_retries=1)
    )
    assert (task.status, task.attempt, task.retry_count) == (TaskStatus.FAILED, 2, 1)
    assert [e.status.value for e in fleet.executions(str(task.id))] == ["timed_out", "timed_out"]


def test_a_report_after_the_deadline_is_refused_whoever_looked_first(fleet: Fleet, pool: Pool) -> None:
    """Most of these end between two looks of the worker's parent; none of them counts."""
    tasks = [
        Task(capability=pool.queue, input={"seconds": 0.1}, timeout=0.05, max_retries=0) for _ in range(6)
    ]
    assert {task.error_kind for task in fleet.run(*tasks)} == {"timeout"}
    for task in tasks:
        (execution,) = fleet.executions(str(task.id))
        assert (execution.status.value, execution.result) == ("timed_out", None)
        assert execution.error_message == "attempt 1 ran longer than its timeout of 0.05 s"
    (after,) = fleet.run(Task(capability=pool.queue))
    assert after.status is TaskStatus.COMPLETED


def test_a_child_that_is_ended_may_clean_up_and_its_report_is_fenced(fleet: Fleet) -> None:
    task = Task(capability="work", input={"do": "deaf", "seconds": 30}, timeout=1, max_retries=0)
    fleet.run(task)
    until(lambda: left(fleet, "end", str(task.id)))
    (late,) = until(lambda: [e.late_outcome for e in fleet.executions(str(task.id)) if e.late_outcome])
    assert (late["disposition"], late["error"]) == ("cancelled", "the agent was ended by its worker")
    assert fleet.statuses([str(task.id)]) == ["failed"]


def test_a_foreign_term_costs_no_child_its_run(fleet: Fleet) -> None:
    task = Task(capability="work", input={"seconds": 0.5})
    fleet.submit(task)
    os.kill(begun(fleet, str(task.id)).pid, signal.SIGTERM)
    fleet.wait([str(task.id)])
    assert [e.status.value for e in fleet.executions(str(task.id))] == ["completed"]


def test_a_hung_thread_is_fenced_and_occupies_its_slot_until_it_returns(fleet: Fleet) -> None:
    def published() -> int:
        return next(node.slots for node in fleet.nodes() if node.name.startswith("threads@"))

    task = Task(capability="play", input={"do": "deaf", "seconds": 8}, timeout=1, max_retries=0)
    fleet.submit(task)
    done = fleet.until_status(str(task.id), "failed")
    assert done.error_kind == "timeout"
    assert not left(fleet, "end", str(task.id))
    until(lambda: published() == 3)
    until(lambda: left(fleet, "end", str(task.id)))
    until(lambda: published() == 4)
    (execution,) = fleet.executions(str(task.id))
    assert execution.status.value == "timed_out"
    assert execution.late_outcome == {"disposition": "completed", "output": {"late": True}, "error": ""}
    assert execution.result is None
    assert fleet.statuses([str(task.id)]) == ["failed"]


def test_a_thread_over_its_time_is_told(fleet: Fleet) -> None:
    task = Task(capability="play", input={"do": "patient"}, timeout=1, max_retries=0)
    fleet.submit(task)
    fleet.until_status(str(task.id), "failed")
    until(lambda: left(fleet, "heard", str(task.id)))


def test_a_coroutine_over_its_time_is_interrupted(fleet: Fleet) -> None:
    task = Task(capability="await", input={"seconds": 60}, timeout=1, max_retries=0)
    fleet.submit(task)
    fleet.until_status(str(task.id), "failed")
    until(lambda: left(fleet, "interrupted", str(task.id)))


def test_a_cancel_reaches_a_running_agent_and_what_it_returns_is_kept_but_not_applied(
    fleet: Fleet, pool: Pool
) -> None:
    task = Task(capability=pool.queue, input={"do": "patient"})
    fleet.submit(task)
    begun(fleet, str(task.id))
    asked = time.monotonic()
    assert fleet.cancel(str(task.id), "changed my mind").word == "asked"
    assert fleet.task(str(task.id)).cancel_requested
    fleet.until_status(str(task.id), "cancelled")
    (heard,) = left(fleet, "heard", str(task.id))
    assert heard.at - asked < fleet.settings.cancel_grace_seconds
    done = fleet.task(str(task.id))
    assert (done.reason, done.result) == ("changed my mind", None)
    (execution,) = fleet.executions(str(task.id))
    assert (execution.status.value, execution.result) == ("cancelled", {"cleaned_up": True})


def test_a_cancel_interrupts_a_coroutine_once(fleet: Fleet, pool: Pool) -> None:
    task = Task(capability=pool.coroutine_queue, input={"seconds": 60, "clean_up": 0.5})
    fleet.submit(task)
    begun(fleet, str(task.id))
    fleet.cancel(str(task.id))
    fleet.until_status(str(task.id), "cancelled")
    assert len(left(fleet, "interrupted", str(task.id))) == 1
    assert len(left(fleet, "cleaned_up", str(task.id))) == 1


def test_an_agent_deaf_to_a_cancel_is_ended_after_the_grace(fleet: Fleet, pool: Pool) -> None:
    task = Task(capability=pool.queue, input={"do": "deaf", "seconds": 12})
    fleet.submit(task)
    run = begun(fleet, str(task.id))
    asked = time.monotonic()
    fleet.cancel(str(task.id))
    fleet.until_status(str(task.id), "cancelled")
    assert fleet.settings.cancel_grace_seconds <= time.monotonic() - asked < 12
    (execution,) = fleet.executions(str(task.id))
    assert (execution.status.value, execution.result) == ("cancelled", None)
    if pool.queue == "work":
        until(lambda: not lives(run.pid))
    else:
        until(lambda: fleet.executions(str(task.id))[0].late_outcome)
    assert fleet.statuses([str(task.id)]) == ["cancelled"]


def test_a_task_that_waits_is_cancelled_at_once(fleet: Fleet, pool: Pool) -> None:
    first = Task(capability=pool.queue, input={"seconds": 0.5})
    second = Task(capability=pool.queue, depends_on={first.id})
    ids = fleet.submit(first, second)
    assert fleet.cancel(ids[1]).ok
    assert fleet.statuses(ids)[1] == "cancelled"
    assert fleet.wait(ids) == ["completed", "cancelled"]
    assert not left(fleet, "begin", ids[1])
