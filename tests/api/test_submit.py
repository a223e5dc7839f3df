"""create_task and create_tasks: what is stored, what is answered, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from taskengine import (
    BlockingTaskAPI,
    CircularDependencyError,
    InvalidInputError,
    RetryRules,
    Task,
    TaskCreateRequest,
    TaskPriority,
    TaskStatus,
    TaskType,
    UnknownDependencyError,
)
from taskengine.settings import Settings

from ..store.world import World


def full(**fields: Any) -> Task:
    soon = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    return Task(
        **{
            "name": "a",
            "description": "what for",
            "task_type": TaskType.TESTING,
            "capability": "lint",
            "priority": TaskPriority.HIGH,
            "created_by": "ann",
            "input": {"x": [1, 2.5, None, {"é": "ü"}]},
            "metadata": {"k": {"n": 1}},
            "execution_context": {"cwd": "/"},
            "resource_requirements": {"cpu_cores": 2},
            "deadline": soon,
            "timeout": 12.5,
            "max_retries": 7,
            "retry": RetryRules(initial_interval=2),
            "estimated_seconds": 3,
        }
        | fields
    )


def test_stored_task_comes_back_as_it_was_sent(api: Any) -> None:
    sent = full()
    created = api.create_task(sent)
    assert created == api.get_task(sent.id)
    state = {"run_id", "created_at", "ready_at", "status", "reason"}
    assert created.model_dump(exclude=state) == sent.model_dump(exclude=state)
    assert created.status == TaskStatus.READY
    assert created.run_id is not None
    assert created.reason == (
        "no worker offers capability 'lint'; "
        "start one: taskengine worker --queues lint --import MODULE (the module with its agent)"
    )


def test_request_becomes_a_task_with_defaults(api: Any) -> None:
    created = api.create_task(TaskCreateRequest(task_type="code_review", created_by=None))
    assert (created.name, created.capability) == ("code_review", "code_review")
    assert created.created_by


def test_values_put_into_a_task_after_it_was_made_are_sent(api: Any) -> None:
    task = Task(name="a")
    task.input["x"] = 1
    task.metadata["team"] = "core"
    created = api.create_task(task)
    assert (created.input, created.metadata) == ({"x": 1}, {"team": "core"})


def test_state_that_a_client_invents_is_ignored(api: Any) -> None:
    task = Task(name="a", status="completed", attempt=9, retry_count=4, result={"x": 1})
    for created in (api.create_task(task), api.create_tasks([task.model_copy(update={"id": uuid4()})])[0]):
        assert (created.status, created.attempt, created.retry_count, created.result) == ("ready", 0, 0, None)


def test_held_task_waits_for_execute(api: Any) -> None:
    task = api.create_task(Task(name="a", hold=True))
    assert (task.status, task.reason) == ("pending", "held; execute_task starts it")
    api.execute_task(task.id, wait=False)
    assert api.get_task(task.id).status == "ready"


def test_scheduled_task_waits_for_its_time(api: Any) -> None:
    task = api.create_task(Task(name="a", scheduled_at=datetime.now(UTC) + timedelta(hours=1)))
    assert (task.status, task.reason) == ("pending", "waits for its scheduled time")


def test_large_input_lies_by_reference_and_comes_back_whole(api: Any) -> None:
    text = "é" * 600_000
    for task in (Task(name="a", input={"text": text}), Task(name="b", input={"text": text})):
        api.create_task(task) if task.name == "a" else api.create_tasks([task])
        assert api.get_task(task.id).input == {"text": text}


def test_lone_task_with_more_dependencies_than_one_script_may_touch_is_stored_in_pieces(
    api: Any, world: World
) -> None:
    parents = [Task(name=f"p{n}", hold=True) for n in range(600)]
    api.create_tasks(parents)
    before = world.key_names()
    last = Task(name="last", depends_on={p.id for p in parents}, input={"text": "x" * 300_000})
    stored = api.create_task(last)
    assert (stored.id, stored.status, stored.depends_on, stored.input) == (
        last.id, TaskStatus.PENDING, last.depends_on, last.input
    )  # fmt: skip
    assert world.fields("task", last.id)["w"] == "600"
    assert any(name.startswith(world.keys.of("batch", "")) for name in world.key_names() - before)
    assert api.create_task(last) == stored
    assert api.create_task(last, run_id=stored.run_id) == stored
    world.check()


def test_graph_is_stored_in_any_order_given(api: Any, world: World) -> None:
    a, b, c = Task(name="a"), Task(name="b"), Task(name="c")
    b.add_dependency(a.id)
    c.add_dependency(b.id)
    stored = api.create_tasks([c, a, b])
    assert [task.name for task in stored] == ["c", "a", "b"]
    assert [task.status for task in stored] == ["pending", "ready", "pending"]
    assert len({task.run_id for task in stored}) == 1
    assert [task.model_dump(exclude={"ready_at", "reason"}) for task in stored] == [
        api.get_task(task.id).model_dump(exclude={"ready_at", "reason"}) for task in stored
    ]


def test_flat_graph_keeps_its_order_of_arrival(one: BlockingTaskAPI, world: World) -> None:
    made = one.create_tasks(Task(name=str(n), capability="lint") for n in range(300))
    assert world.ready() == [str(task.id) for task in made]


def test_longer_path_goes_first(one: BlockingTaskAPI, world: World) -> None:
    short = Task(name="short", capability="lint")
    long = Task(name="long", capability="lint")
    last = Task(name="last", capability="lint", depends_on={long.id}, estimated_seconds=60)
    one.create_tasks([short, long, last])
    assert world.ready() == [str(long.id), str(short.id)]


def test_later_submit_joins_an_existing_run(api: Any) -> None:
    first = api.create_task(Task(name="a"))
    (second,) = api.create_tasks([Task(name="b", depends_on={first.id})], run_id=first.run_id)
    third = api.create_task(Task(name="c"), run_id=str(first.run_id))
    assert first.run_id == second.run_id == third.run_id


def test_no_tasks_are_no_run(api: Any, world: World) -> None:
    assert api.create_tasks([]) == []
    assert world.key_names() == set()


def test_graph_on_a_stored_task(api: Any, world: World) -> None:
    done = api.create_task(Task(name="done", capability="lint"))
    world.finish(done)
    (after,) = api.create_tasks([Task(name="after", depends_on={done.id})])
    assert after.status == "ready"


def test_unknown_dependency_is_refused_by_name(api: Any, world: World) -> None:
    stranger = uuid4()
    task = Task(name="build", depends_on={stranger})
    for submit in (lambda: api.create_task(task), lambda: api.create_tasks([Task(name="x"), task])):
        with pytest.raises(UnknownDependencyError, match="build") as refused:
            submit()
        assert refused.value.missing == (str(stranger),)
        assert world.key_names() == set()


def test_cycle_is_refused_with_its_path(api: Any, world: World) -> None:
    a, b, c = Task(name="a"), Task(name="b"), Task(name="c")
    a.add_dependency(c.id)
    b.add_dependency(a.id)
    c.add_dependency(b.id)
    with pytest.raises(CircularDependencyError) as refused:
        api.create_tasks([a, b, c])
    assert refused.value.path == ("a", "c", "b", "a")
    assert world.key_names() == set()


def test_self_dependency_put_in_behind_the_model_is_a_cycle(api: Any) -> None:
    task = Task(name="a")
    task.depends_on.add(task.id)
    for submit in (lambda: api.create_task(task), lambda: api.create_tasks([task])):
        with pytest.raises(CircularDependencyError) as refused:
            submit()
        assert refused.value.path == ("a", "a")


def test_graph_over_the_limit_is_refused(settings: Settings) -> None:
    with (
        BlockingTaskAPI(settings=settings.model_copy(update={"max_graph": 3})) as api,
        pytest.raises(InvalidInputError, match="MAX_GRAPH"),
    ):
        api.create_tasks(Task(name="a") for _ in range(4))


def test_graph_of_thousands_is_whole(one: BlockingTaskAPI) -> None:
    tasks = [Task(name="0")]
    for n in range(1, 3000):
        tasks.append(Task(name=str(n), depends_on={tasks[-1].id, tasks[n // 2].id}))
    stored = one.create_tasks(tasks)
    assert [task.name for task in stored] == [str(n) for n in range(3000)]
    assert one.get_queue_statistics()["pending_tasks"] == 2999
