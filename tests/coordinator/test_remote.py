"""What the leader ends that holds no slot: over its time, or past the grace of its cancel."""

from __future__ import annotations

from typing import Any

from taskengine.agents import Reference
from taskengine.coordinator.duties import Remote
from taskengine.models import Task, TaskStatus
from taskengine.store import executions, remote, tasks

from .bench import Bench, until

POSTED = Reference("codegen", "posted", "17")


def detached(bench: Bench, **fields: Any) -> str:
    """Submit a task whose work goes on at a service; its id."""
    node = bench.node()
    id = bench.create(Task(**{"name": "a", "capability": "lint"} | fields))
    slot = node.slot()
    told = node.take(slot)
    asked = remote.detach(slot, told.execution_id, told.attempt, POSTED, poll_ms=60_000, taken_up=False, pull=False)
    assert bench.run(asked).word == "ok"
    return id


def test_a_slotless_run_over_its_timeout_ends_by_its_leader_alone(bench: Bench) -> None:
    id = detached(bench, timeout=0.3, max_retries=0)
    with bench.coordinated():
        bench.until_status([id], TaskStatus.FAILED)
    (execution,) = bench.run(executions.of_task(id))
    assert (execution.status, execution.error_kind) == ("timed_out", "timeout")
    assert [id for id, _ in bench.run(remote.poll_take("lint", "p", 1000)).orphans] == [str(execution.id)]


def test_a_cancel_that_no_poller_hears_ends_after_its_grace(valkey: Any) -> None:
    bench = Bench(valkey, cancel_grace_seconds=0.2)
    id = detached(bench)
    bench.run(tasks.cancel(id, "no"))
    with bench.coordinated():
        bench.until_status([id], TaskStatus.CANCELLED)
    bench.close()


def test_run_twice_it_ends_nothing_twice(bench: Bench) -> None:
    id = detached(bench, timeout=0.1, max_retries=0)
    until(lambda: bench.run_duty(Remote()) is not None and bench.statuses([id]) == ["failed"])
    before = bench.run(executions.of_task(id))
    bench.run_duty(Remote())
    assert bench.run(executions.of_task(id)) == before
