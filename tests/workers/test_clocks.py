"""Clocks of attempts in real workers: silence, and all attempts together."""

from __future__ import annotations

from taskengine.models import RetryRules, Task, TaskStatus

from ..fleet import Fleet
from .conftest import Pool

QUICKLY = RetryRules(initial_interval=0.05, jitter=0)


def test_a_silent_agent_is_ended_and_tried_again(fleet: Fleet, pool: Pool) -> None:
    task = Task(
        capability=pool.queue,
        input={"do": "patient", "seconds": 60},
        heartbeat_timeout=0.6,
        max_retries=1,
        retry=QUICKLY,
    )
    (id,) = fleet.submit(task)
    ended = fleet.until_status(id, "failed")
    assert ended.error_message == "attempt 2 said nothing for its heartbeat_timeout of 0.6 s"
    assert (ended.error_kind, ended.retry_count) == ("timeout", 1)
    assert [e.status.value for e in fleet.executions(id)] == ["timed_out", "timed_out"]


def test_an_agent_that_speaks_often_enough_runs_to_its_end(fleet: Fleet, pool: Pool) -> None:
    task = Task(capability=pool.queue, input={"do": "chatter", "lines": 80}, heartbeat_timeout=4)  # eight seconds
    (done,) = fleet.run(task)
    assert (done.status, done.attempt) == (TaskStatus.COMPLETED, 1)


def test_all_attempts_together_end_with_their_total(fleet: Fleet, pool: Pool) -> None:
    task = Task(
        capability=pool.queue,
        input={"do": "patient", "seconds": 60},
        timeout=0.8,
        total_timeout=2.4,
        max_retries=100,
        retry=QUICKLY,
    )
    (id,) = fleet.submit(task)
    ended = fleet.until_status(id, "failed")
    assert ended.error_kind == "timeout"
    assert "total_timeout of 2.4 s" in str(ended.error_message)
    executions = fleet.executions(id)
    assert len(executions) >= 2
    assert {e.status.value for e in executions} == {"timed_out"}
    began, end = executions[0].started_at, executions[-1].completed_at
    assert began is not None
    assert end is not None
    assert (end - began).total_seconds() < 30  # an agent lasts 60, and there are 100 retries
