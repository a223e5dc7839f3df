"""Every wrong input is an error of the library's tree that names the field, and nothing half-done remains."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from taskengine import BlockingTaskAPI, InvalidInputError, PayloadTooLargeError, Task, TaskCreateRequest

from ..cases import each
from ..store.world import World


@each(
    ("field", "value"),
    [
        ("deadline", datetime(2030, 1, 1)),
        ("scheduled_at", datetime(2030, 1, 1)),
        ("timeout", -1),
        ("timeout", 0),
        ("timeout", math.inf),
        ("max_retries", -1),
        ("priority", 7),
        ("task_type", "nonsense"),
        ("capability", "a,b"),
        ("assigned_to", "a b"),
        ("depends_on", {"x"}),
        ("estimated_seconds", -1),
        ("estimated_seconds", 1e308),
        ("idempotency_key", ""),
        ("name", "x" * 501),
        ("colour", "red"),
    ],
)
@each("noun", [Task, TaskCreateRequest])
def test_wrong_field_is_named(noun: type, field: str, value: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        noun(**{field: value})
    assert refused.value.field is not None
    assert refused.value.field.partition(".")[0] == field


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, b"x", math.nan, math.inf, uuid4(), "\ud800", datetime.now]
)
def test_what_is_not_json_is_refused_and_nothing_remains(api: Any, world: World, value: Any) -> None:
    for submit in (api.create_task, lambda task: api.create_tasks([Task(name="x"), task])):
        task = Task(name="a")
        task.input["x"] = {"deep": [value]}
        with pytest.raises(InvalidInputError, match="'a'"):
            submit(task)
        assert world.key_names() == set()


def test_json_without_end_is_refused(api: Any) -> None:
    deep: list[Any] = []
    for _ in range(3000):
        deep = [deep]
    loop: list[Any] = []
    loop.append(loop)
    for value in (deep, loop):
        with pytest.raises(InvalidInputError):
            Task(name="a", input={"x": value})
        task = Task(name="a")
        task.input["x"] = value
        with pytest.raises(InvalidInputError):
            api.create_task(task)


def test_payload_over_the_limit_is_refused_with_its_size(api: Any, world: World) -> None:
    task = Task(name="a", input={"text": "x" * (20 << 20)})
    for submit in (api.create_task, lambda task: api.create_tasks([Task(name="x"), task])):
        with pytest.raises(PayloadTooLargeError, match="20971") as refused:
            submit(task)
        assert refused.value.size > refused.value.limit == 16 << 20
        assert world.key_names() == set()


def test_fields_other_than_input_have_the_inline_limit(api: Any) -> None:
    with pytest.raises(PayloadTooLargeError) as refused:
        api.create_task(Task(name="a", metadata={"text": "x" * 300_000}))
    assert refused.value.limit == 256 * 1024


@pytest.mark.parametrize("value", ["x", "", None, 5, b"x", ["a"], "123e4567-e89b-12d3-a456-4266141"])
def test_wrong_id_is_named(one: BlockingTaskAPI, value: Any) -> None:
    for call in (
        one.get_task, one.delete_task, one.execute_task, one.retry_task, one.cancel_task,
        one.get_task_execution, one.get_task_executions, one.update_task,
    ):  # fmt: skip
        with pytest.raises(InvalidInputError) as refused:
            call(value)
        assert refused.value.field == "task_id"
    with pytest.raises(InvalidInputError) as refused:
        one.add_dependency(uuid4(), value)
    assert refused.value.field == "dependency_id"
    with pytest.raises(InvalidInputError) as refused:
        one.get_events(value)
    assert refused.value.field == "run_id"


def test_ids_may_be_text_in_any_spelling(one: BlockingTaskAPI) -> None:
    task = one.create_task(Task(name="a"))
    assert one.get_task(str(task.id).upper()).id == one.get_task(task.id.hex).id == task.id


@pytest.mark.parametrize("value", [5, None, [5], {"a": 1}, Task(name="a"), "abc"])
def test_wrong_list_of_tasks_is_named(one: BlockingTaskAPI, value: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        one.create_tasks(value)
    assert (refused.value.field or "").startswith("tasks")


@pytest.mark.parametrize("value", [{"name": "a"}, None, "a", 5])
def test_wrong_task_is_named(one: BlockingTaskAPI, value: Any) -> None:
    with pytest.raises(InvalidInputError, match="pass a Task or a TaskCreateRequest"):
        one.create_task(value)


@pytest.mark.parametrize("value", ["", " ", None, 5, "x" * 10_001])
def test_wrong_reason_is_named(one: BlockingTaskAPI, value: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        one.cancel_task(uuid4(), value)
    assert refused.value.field == "reason"


@pytest.mark.parametrize("value", ["", "a b", 5, "x" * 101])
def test_wrong_agent_is_named(one: BlockingTaskAPI, value: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        one.execute_task(uuid4(), value)
    assert refused.value.field == "agent_id"


def test_wrong_ids_to_wait_for_are_named(one: BlockingTaskAPI) -> None:
    for value in (5, None, ["x"], "x"):
        with pytest.raises(InvalidInputError) as refused:
            one.wait(value)  # type: ignore[arg-type]
        assert refused.value.field == "task_ids"
