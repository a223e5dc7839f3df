"""update_task: what may change when, all of it or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from taskengine import (
    BlockingTaskAPI,
    CircularDependencyError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    Task,
    TaskUpdateRequest,
    TriggerRule,
    UnknownDependencyError,
)

from ..coordinator.bench import until
from ..store.world import World
from .test_submit import full


def lint(name: str = "a", **fields: Any) -> Task:
    return Task(**{"name": name, "capability": "lint"} | fields)


def test_only_the_named_fields_change(api: Any) -> None:
    before = api.create_task(full())
    after = api.update_task(before.id, TaskUpdateRequest(description="new", metadata={"z": 1}))
    assert after.model_dump() == before.model_dump() | {"description": "new", "metadata": {"z": 1}}
    assert api.get_task(before.id) == after


def test_creator_and_defaults_survive(api: Any) -> None:
    before = api.create_task(lint())
    after = api.update_task(before.id, name="b")
    assert (after.name, after.created_by, after.max_retries) == ("b", before.created_by, 3)
    assert [task.id for task in api.list_tasks(created_by=before.created_by)] == [before.id]


def test_none_takes_back_what_is_optional(api: Any) -> None:
    before = api.create_task(full())
    after = api.update_task(before.id, description=None, deadline=None, timeout=None, retry=None)
    assert (after.description, after.deadline, after.timeout, after.retry) == (None, None, None, None)


def test_timeout_taken_back_is_the_default_again(api: Any, world: World) -> None:
    task = api.create_task(lint(timeout=5))
    api.update_task(task.id, timeout=None)
    assert "to" not in world.fields("task", task.id)


@pytest.mark.parametrize("wrong", [{"priority": None}, {"priority": 9}, {"max_retries": -1}, {"nonsense": 1}])
def test_wrong_field_changes_nothing(api: Any, wrong: dict[str, Any]) -> None:
    before = api.create_task(lint())
    with pytest.raises(InvalidInputError) as refused:
        api.update_task(before.id, **wrong, description="new")
    assert refused.value.field == next(iter(wrong))
    assert api.get_task(before.id) == before


def test_request_and_fields_together_are_refused(api: Any) -> None:
    with pytest.raises(InvalidInputError, match="one TaskUpdateRequest"):
        api.update_task(uuid4(), TaskUpdateRequest(name="a"), priority=1)


def test_new_priority_counts_at_once_and_keeps_the_rank(one: BlockingTaskAPI, world: World) -> None:
    first, second = lint("first", estimated_seconds=50), lint("second")
    one.create_tasks([first, second])
    one.update_task(second.id, priority=5)
    assert world.ready() == [str(second.id), str(first.id)]
    one.update_task(first.id, priority=5)
    assert world.ready() == [str(first.id), str(second.id)]
    assert {task.name for task in one.list_tasks(priority=5)} == {"first", "second"}
    assert one.list_tasks(priority=2) == []


def test_new_deadline_counts_at_once(one: BlockingTaskAPI, world: World) -> None:
    first, second = lint("first"), lint("second")
    one.create_tasks([first, second])
    one.update_task(second.id, deadline=datetime(2040, 1, 1, tzinfo=UTC))
    assert world.ready() == [str(second.id), str(first.id)]


def test_granted_task_keeps_its_grant_at_its_new_place(one: BlockingTaskAPI, world: World) -> None:
    world.beat(slots=1)
    task = one.create_task(lint())
    assert len(world.granted()) == 1
    one.update_task(task.id, priority=5)
    assert len(world.granted()) == 1
    assert world.messages()[0]["properties"]["priority"] == 0


def test_running_task_takes_a_new_name_but_no_new_input(api: Any, world: World) -> None:
    task = api.create_task(lint())
    world.start()
    assert api.update_task(task.id, name="b").status == "running"
    for early in ({"input": {"x": 1}}, {"execution_context": {"x": 1}}, {"depends_on": set()}):
        with pytest.raises(NotAllowedError, match="before its first attempt") as refused:
            api.update_task(task.id, **early)
        assert [line.split()[1] for line in refused.value.history] == ["created", "ready", "started", "updated"]


def test_finished_task_is_not_changed(api: Any, world: World) -> None:
    task = api.create_task(lint())
    world.finish(task)
    with pytest.raises(NotAllowedError, match="completed; what is over is not changed") as refused:
        api.update_task(task.id, name="b")
    assert refused.value.id == str(task.id)
    assert "completed" in refused.value.history[-1]


def test_input_becomes_large_and_small_again(api: Any, world: World) -> None:
    task = api.create_task(lint(input={"x": 1}))
    big = {"text": "x" * 400_000}
    assert api.update_task(task.id, input=big).input == big
    assert api.update_task(task.id, description="other").input == big
    assert api.get_task(task.id).input == big
    assert api.update_task(task.id, input={"x": 2}).input == {"x": 2}
    assert "big" not in world.fields("task", task.id)


def test_fields_that_grow_push_the_input_out_but_lose_nothing(api: Any, world: World) -> None:
    task = api.create_task(lint(input={"text": "x" * 200_000}))
    world.start()
    api.update_task(task.id, metadata={"text": "y" * 100_000})
    after = api.get_task(task.id)
    assert (len(after.input["text"]), len(after.metadata["text"])) == (200_000, 100_000)
    api.update_task(task.id, metadata={})
    assert api.get_task(task.id).input == {"text": "x" * 200_000}


def test_large_input_does_not_expire_after_an_update(
    one: BlockingTaskAPI, shared_valkey: Any, world: World
) -> None:
    task = one.create_task(lint(input={"text": "x" * 400_000}))
    for changes in (
        {"input": {"text": "y" * 400_000}},
        {"description": "d"},
        {"execution_context": {"a": 1}},
    ):
        one.update_task(task.id, **changes)
        key = world.keys.of("payload", world.fields("task", task.id)["big"])
        assert shared_valkey.client.ttl(key) == -1


def test_dependencies_are_replaced_in_one_go(api: Any, world: World) -> None:
    a, b, c = lint("a"), lint("b"), lint("c")
    c.add_dependency(a.id)
    api.create_tasks([a, b, c])
    after = api.update_task(c.id, depends_on={b.id}, name="sea")
    assert (after.depends_on, after.status, after.name) == ({b.id}, "pending", "sea")
    world.finish(a)
    assert api.get_task(c.id).status == "pending"
    world.finish(b)
    assert api.get_task(c.id).status == "ready"


def test_task_without_its_last_dependency_is_ready(api: Any, world: World) -> None:
    a, b = lint("a"), lint("b")
    b.add_dependency(a.id)
    api.create_tasks([a, b])
    assert api.update_task(b.id, depends_on=set()).status == "ready"
    world.finish(a, b)


def test_ready_task_waits_for_its_new_dependency(api: Any, world: World) -> None:
    world.beat()
    a, b = lint("a"), lint("b")
    api.create_tasks([a, b])
    assert api.update_task(b.id, depends_on={a.id}).status == "pending"
    world.finish(a, b)
    assert world.happened(b.id) == ["created", "ready", "updated", "pending", "ready", "started", "completed"]


def test_failed_dependency_that_is_taken_off_closes_nothing(api: Any, world: World) -> None:
    a, b = lint("a"), lint("b")
    b.add_dependency(a.id)
    api.create_tasks([a, b])
    world.finish(a, disposition="failed")
    assert api.update_task(b.id, depends_on=set()).status == "ready"
    world.think()
    assert api.get_task(b.id).status == "ready"


def test_new_dependency_on_a_failed_task_closes_this_one(api: Any, world: World) -> None:
    a, b = lint("a"), lint("b")
    api.create_tasks([a, b])
    api.cancel_task(b.id)
    assert api.update_task(a.id, depends_on={b.id}).status == "pending"
    world.think()
    after = api.get_task(a.id)
    assert (after.status, after.closed_by) == ("cancelled", b.id)


def test_dependency_of_another_run_is_let_go(api: Any, world: World) -> None:
    a = api.create_task(lint("a"))
    b = api.create_task(lint("b", depends_on={a.id}))
    assert world.fields("task", a.id)["pin"] == "1"
    api.update_task(b.id, depends_on=set())
    assert "pin" not in world.fields("task", a.id)


def test_refused_dependency_changes_nothing_else(api: Any) -> None:
    a, b = lint("a"), lint("b")
    b.add_dependency(a.id)
    before, _ = api.create_tasks([a, b])
    with pytest.raises(CircularDependencyError) as cycle:
        api.update_task(a.id, depends_on={b.id}, name="new")
    assert cycle.value.path == ("a", "b", "a")
    with pytest.raises(UnknownDependencyError):
        api.update_task(a.id, depends_on={uuid4()}, name="new")
    with pytest.raises(CircularDependencyError):
        api.update_task(a.id, depends_on={a.id}, name="new")
    assert api.get_task(a.id).model_dump(exclude={"ready_at", "reason"}) == before.model_dump(
        exclude={"ready_at", "reason"}
    )


def test_hundreds_of_dependencies_change_in_pieces(one: BlockingTaskAPI) -> None:
    parents = [lint(str(n)) for n in range(257)]
    task = lint("all")
    one.create_tasks([*parents, task])
    with pytest.raises(InvalidInputError, match="257 dependencies"):
        one.update_task(task.id, depends_on={parent.id for parent in parents})
    half = {parent.id for parent in parents[:256]}
    assert one.update_task(task.id, depends_on=half).depends_on == half


def test_nothing_to_change_changes_nothing(api: Any, world: World) -> None:
    before = api.create_task(lint())
    assert api.update_task(before.id) == before
    assert world.happened(before.id) == ["created", "ready"]


def test_unknown_task_is_not_found(api: Any) -> None:
    with pytest.raises(NotFoundError):
        api.update_task(uuid4(), name="a")


def later(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_a_new_rule_and_a_new_time_to_start_count_at_once(api: Any, world: World) -> None:
    first = api.create_task(lint("first", hold=True))
    second = api.create_task(lint("second", depends_on={first.id}))
    assert api.update_task(second.id, trigger_rule="always").trigger_rule is TriggerRule.ALWAYS
    world.think()
    assert api.get_task(second.id).status.value == "ready"
    moved = api.update_task(second.id, scheduled_at=later(60), queue_timeout=5)
    assert (moved.status.value, moved.reason) == ("pending", "waits for its scheduled time")
    api.update_task(second.id, scheduled_at=None)
    world.think()
    assert api.get_task(second.id).status.value == "ready"


def test_what_began_keeps_its_rule_and_its_times(api: Any, world: World) -> None:
    task = api.create_task(lint())
    world.start()
    for changes in ({"trigger_rule": "always"}, {"scheduled_at": later(60)}, {"expires_at": later(60)}):
        with pytest.raises(NotAllowedError, match=f"{next(iter(changes))} can be changed only before its first"):
            api.update_task(task.id, **changes)
    assert api.update_task(task.id, total_timeout=60, queue_timeout=5, heartbeat_timeout=5).total_timeout == 60


def test_a_change_of_something_else_minds_no_deadline_that_passed_since(api: Any, world: World) -> None:
    task = api.create_task(lint(deadline=later(0.3), expires_at=later(0.3), hold=True))
    until(lambda: later(0) > task.deadline + timedelta(seconds=0.1))
    assert api.update_task(task.id, description="late").description == "late"
    with pytest.raises(InvalidInputError, match="deadline"):
        api.update_task(task.id, deadline=task.deadline)
