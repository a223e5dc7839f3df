"""What an agent gets and what becomes of what it returns, in both pools."""

from __future__ import annotations

from typing import Any

from taskengine.models import RetryRules, Task, TaskStatus
from taskengine.store import tasks

from ..fleet import Fleet, until
from .conftest import Pool

DONE, FAILED = TaskStatus.COMPLETED, TaskStatus.FAILED
#: Retries follow each other at once.
NOW = RetryRules(initial_interval=0.05, backoff_coefficient=1.0, jitter=0.0)


def work(pool: Pool, do: str, **input: Any) -> Task:
    return Task(capability=pool.queue, input={"do": do, **input})


def outcome(fleet: Fleet, task: Task) -> Any:
    """The output of a task that ran once."""
    (execution,) = fleet.executions(str(task.id))
    return execution.result


def test_a_task_runs_once_and_its_object_is_its_result(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(work(pool, "sleep", n=7))
    assert task.status is DONE
    assert outcome(fleet, task) == {"n": 7, "attempt": 1}
    assert [e.what for e in fleet.effects() if e.task == str(task.id)] == ["begin", "end"]
    (execution,) = fleet.executions(str(task.id))
    assert execution.executor_id == "worker"
    assert execution.node is not None
    assert execution.node.startswith(f"{pool.worker.name}@test#{pool.worker.pid}-")
    assert execution.resource_usage.wall_seconds is not None


def test_a_coroutine_is_awaited(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(Task(capability=pool.coroutine_queue, input={"seconds": 0.01}))
    assert (task.status, outcome(fleet, task)) == (DONE, {"slept": 0.01})


def test_coroutines_of_a_threads_worker_run_at_the_same_time(fleet: Fleet) -> None:
    new = [Task(capability="await", input={"seconds": 1}) for _ in range(4)]
    fleet.run(*new)
    began = [e.at for e in fleet.effects("begin") if e.task in {str(t.id) for t in new}]
    ended = [e.at for e in fleet.effects("end") if e.task in {str(t.id) for t in new}]
    assert max(began) < min(ended)


def test_the_context_tells_attempt_deadline_and_execution(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(Task(capability=pool.queue, input={"do": "ask", "deep": [1, {"x": None}]}, timeout=60))
    (execution,) = fleet.executions(str(task.id))
    told = execution.result
    assert told is not None
    assert task.started_at is not None
    assert told["deadline"] == task.started_at.timestamp() + 60
    del told["deadline"]
    assert told == {
        "attempt": 1,
        "execution": str(execution.id),
        "cancelled": False,
        "status": "running",
        "input": {"do": "ask", "deep": [1, {"x": None}]},
    }


def test_progress_and_log_lines_are_kept(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(work(pool, "ask"))
    (execution,) = fleet.executions(str(task.id))
    assert (execution.progress, execution.progress_note) == (0.25, "quarter")
    (line,) = execution.logs
    assert (line.level.value, line.message, line.metadata) == ("warning", "looked around", {"count": 2})


def test_results_of_dependencies_are_found_by_name_and_by_id(fleet: Fleet, pool: Pool) -> None:
    one = Task(name="one", capability=pool.queue, input={"n": 1})
    two = Task(name="two", capability=pool.queue, input={"n": 2})
    wanted = ["one", str(two.id)]
    last = Task(capability=pool.queue, depends_on={one.id, two.id}, input={"do": "read_results", "of": wanted})
    *_, task = fleet.run(one, two, last)
    assert outcome(fleet, task) == {
        "count": 2,
        "found": {"one": {"n": 1, "attempt": 1}, str(two.id): {"n": 2, "attempt": 1}},
        "depends_on": 2,
    }


def test_a_result_that_nobody_has_names_those_there_are(fleet: Fleet, pool: Pool) -> None:
    one = Task(name="one", capability=pool.queue)
    last = Task(
        capability=pool.queue, depends_on={one.id}, input={"do": "read_results", "of": ["two"]}, max_retries=0
    )
    *_, task = fleet.run(one, last)
    assert task.status is FAILED
    assert task.error_message is not None
    assert "no dependency is called 'two'; there are one" in task.error_message


def test_a_large_result_lies_by_reference_and_is_fetched_when_asked(fleet: Fleet, pool: Pool) -> None:
    parent = Task(name="big", capability=pool.queue, input={"do": "big", "bytes": 2_000_000})
    child = Task(capability=pool.queue, depends_on={parent.id}, input={"do": "read_results"})
    parent, child = fleet.run(parent, child)
    assert outcome(fleet, child) == {"count": 1, "found": {str(parent.id): 2_000_000}, "depends_on": 1}
    (execution,) = fleet.executions(str(parent.id))
    stored = fleet.server.client.hget(fleet.keys.of("exec", execution.id), "out")
    assert stored is None
    assert execution.result == {"text": "x" * 2_000_000}


def test_a_large_input_reaches_the_agent(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(work(pool, "ask", text="y" * 2_000_000))
    told = outcome(fleet, task)
    assert told["input"]["text"] == "y" * 2_000_000


def test_a_large_input_that_is_gone_fails_its_task_by_name_and_at_once(fleet: Fleet, pool: Pool) -> None:
    task = work(pool, "ask", text="y" * 300_000)
    task.hold = True
    fleet.submit(task)
    key = fleet.server.client.hget(fleet.keys.of("task", task.id), "big").decode()
    fleet.server.client.delete(fleet.keys.of("payload", key))
    with fleet.api() as api:
        api.execute_task(task.id, wait=False)
        (task,) = api.wait([task.id], 60)
    assert (task.status, task.attempt, task.error_kind) == (FAILED, 1, "missing_input")
    assert f"the input of task {task.id} is gone" in (task.error_message or "")
    assert not [effect for effect in fleet.effects() if effect.task == str(task.id)]


def test_a_large_result_that_is_gone_raises_where_it_is_asked_for(fleet: Fleet, pool: Pool) -> None:
    parent = Task(name="big", capability=pool.queue, input={"do": "big", "bytes": 300_000})
    (parent,) = fleet.run(parent)
    fleet.server.client.delete(fleet.keys.of("payload", parent.execution_id))
    child = Task(capability=pool.queue, depends_on={parent.id}, input={"do": "read_results"}, max_retries=0)
    (child,) = fleet.run(child)
    assert child.status is FAILED
    assert f"no result of task {parent.id}" in (child.error_message or "")
    with fleet.api() as api:
        assert (api.get_task(parent.id).status, api.get_task(parent.id).result) == (DONE, None)


def test_more_dependencies_than_travel_with_the_claim_are_all_there(fleet: Fleet, pool: Pool) -> None:
    parents = [Task(name=f"p{i}", capability=pool.queue, input={"n": i}) for i in range(70)]
    last = Task(capability=pool.queue, depends_on={p.id for p in parents}, input={"do": "read_results"})
    *ended, task = fleet.run(*parents, last)
    # Not always 1: what waits in a slot behind one that lasts is handed back before it began, and is another attempt.
    results = [{"n": i, "attempt": parent.attempt} for i, parent in enumerate(ended)]
    told = outcome(fleet, task)
    assert told["count"] == told["depends_on"] == 70
    assert told["found"] == {str(p.id): result for p, result in zip(parents, results, strict=True)}
    wanted = [p.name for p in parents]
    by_name = Task(
        capability=pool.queue, depends_on={p.id for p in parents}, input={"do": "read_results", "of": wanted}
    )
    (task,) = fleet.run(by_name)
    assert outcome(fleet, task)["found"] == dict(zip(wanted, results, strict=True))


def test_an_agent_that_raises_is_tried_again_after_a_wait(fleet: Fleet, pool: Pool) -> None:
    rules = RetryRules(initial_interval=0.3, backoff_coefficient=2.0, jitter=0.0)
    (task,) = fleet.run(
        Task(capability=pool.queue, input={"do": "fail", "times": 2}, max_retries=2, retry=rules)
    )
    assert (task.status, task.attempt, task.retry_count, task.lost_count) == (DONE, 3, 2, 0)
    first, second, third = fleet.executions(str(task.id))
    assert [first.status.value, second.status.value, third.status.value] == ["failed", "failed", "completed"]
    assert third.result == {"attempt": 3}
    waits = [(b.started_at - a.completed_at).total_seconds() for a, b in ((first, second), (second, third))]
    assert waits[0] >= 0.3
    assert waits[1] >= 0.6


def test_an_agent_that_always_raises_fails_with_its_message_and_place(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(
        Task(capability=pool.queue, input={"do": "fail", "message": "no ink"}, max_retries=2, retry=NOW)
    )
    assert (task.status, task.attempt, task.error_kind) == (FAILED, 3, "crash")
    assert task.error_message is not None
    assert task.error_message.startswith("ValueError: no ink (fleet_agents.py:")


def test_an_error_named_as_not_retryable_is_not_tried_again(fleet: Fleet, pool: Pool) -> None:
    rules = RetryRules(initial_interval=0.05, non_retryable_errors=("ValueError",))
    (task,) = fleet.run(Task(capability=pool.queue, input={"do": "fail"}, retry=rules))
    assert (task.status, task.attempt) == (FAILED, 1)


def test_a_result_that_is_not_json_fails_without_retry(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(work(pool, "unserialisable"))
    assert (task.status, task.attempt, task.error_kind) == (FAILED, 1, "invalid_output")
    assert task.error_message is not None
    assert "is not JSON" in task.error_message


def test_a_result_over_the_limit_fails_with_its_size_and_without_retry(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(work(pool, "big", bytes=20_000_000))
    assert (task.status, task.attempt, task.error_kind) == (FAILED, 1, "invalid_output")
    assert task.error_message is not None
    assert "result is 20000011 bytes, the limit is 16777216" in task.error_message


def test_an_agent_that_calls_exit_fails_its_task_alone(fleet: Fleet, pool: Pool) -> None:
    (task,) = fleet.run(Task(capability=pool.queue, input={"do": "call_exit", "code": 3}, max_retries=0))
    assert (task.status, task.error_kind) == (FAILED, "crash")
    assert task.error_message == "the agent called exit(3); return or raise instead"
    (after,) = fleet.run(work(pool, "sleep"))
    assert after.status is DONE


def test_a_child_that_vanishes_is_noticed_and_its_task_runs_again(fleet: Fleet) -> None:
    (task,) = fleet.run(Task(capability="work", input={"do": "vanish", "times": 1}))
    assert (task.status, task.attempt, task.lost_count, task.retry_count) == (DONE, 2, 1, 0)
    first, _ = fleet.executions(str(task.id))
    assert first.error_message is not None
    assert "its process ended with exit code 7" in first.error_message  # so no lease had to lapse


def test_a_task_that_loses_three_workers_is_a_dead_letter_with_its_story(fleet: Fleet) -> None:
    (task,) = fleet.run(Task(capability="work", input={"do": "vanish"}))
    assert (task.status, task.attempt, task.lost_count, task.error_kind) == (FAILED, 3, 3, "poison")
    assert task.error_message is not None
    assert "lost its worker 3 times, last on prefork@test" in task.error_message
    assert [e.status.value for e in fleet.executions(str(task.id))] == ["lost"] * 3
    assert str(task.id).encode() in fleet.server.client.zrange(fleet.keys.fixed("dead"), 0, -1)


def test_a_pinned_task_runs_on_its_agent(fleet: Fleet) -> None:
    (task,) = fleet.run(Task(capability="work", assigned_to="specialist"))
    assert outcome(fleet, task) == {"by": "specialist"}
    (execution,) = fleet.executions(str(task.id))
    assert execution.executor_id == "specialist"


def test_a_task_pinned_to_an_agent_that_nobody_runs_waits_with_its_reason(fleet: Fleet) -> None:
    (id,) = fleet.submit(Task(capability="work", assigned_to="nobody"))
    until(lambda: "no worker offers agent 'nobody'" in (fleet.task(id).reason or ""))
    assert fleet.statuses([id]) == ["ready"]
    assert fleet.cancel(id).ok


def test_a_record_that_cannot_be_read_fails_its_task_at_once(fleet: Fleet, pool: Pool) -> None:
    """An earlier release took it; a worker that raised would be lost three times."""
    (id,) = fleet.submit(work(pool, "sleep").model_copy(update={"hold": True}))
    deep = '{"capability":"lint","input":{"a":' + "[" * 230 + "]" * 230 + "}}"
    fleet.server.client.hset(fleet.keys.of("task", id), "doc", deep)
    assert fleet.store.run(tasks.execute(id, None)).ok
    fleet.until_status(id, "failed")
    (execution,) = fleet.executions(id)
    assert execution.error_kind == "unreadable_record"
    assert "cannot be read" in (execution.error_message or "")
