"""JSON that is accepted can be read: one limit of depth, at every entry, with the path in the error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, InvalidInputError, Task
from taskengine.builders.document import Document
from taskengine.builders.graph_file import graph_of
from taskengine.cli.task.values import arguments, metadata
from taskengine.models import Outcome
from taskengine.models.depth import MAX_DEPTH, refuse_deep
from taskengine.models.outcome import Usage
from workers.invoke import encode

from ..store.world import World

FIELDS = ("input", "metadata", "execution_context")


def nested(levels: int) -> dict[str, Any]:
    """An object with so many lists and objects inside each other, itself counted."""
    value: Any = 1
    for level in range(levels - 1):
        value = [value] if level % 2 else {"b": value}
    return {"a": value}


def refused(do: Callable[[], object], path: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"{path}.* holds more than 64 lists and objects inside each other"):
        do()


@pytest.mark.parametrize("field", FIELDS)
def test_a_task_holds_64_levels_in_each_field_and_no_more(one: BlockingTaskAPI, world: World, field: str) -> None:
    deepest = one.create_task(Task(name="a", capability="lint", **{field: nested(MAX_DEPTH)}))
    assert getattr(one.get_task(deepest.id), field) == nested(MAX_DEPTH)
    assert [task.id for task in one.list_tasks()] == [deepest.id]
    before = world.key_names()
    for levels in (MAX_DEPTH + 1, 120, 230, 250):
        deep = Task(name="x", **{field: nested(levels)})
        refused(lambda deep=deep: one.create_task(deep), rf"task 'x': {field}\.a(\.b|\[0\])")
        refused(lambda deep=deep: one.create_tasks([deep, Task(name="y")]), rf"task 'x': {field}\.a(\.b|\[0\])")
    assert world.key_names() == before


@pytest.mark.parametrize("field", ["input", "metadata", "execution_context"])
def test_a_change_is_as_deep_as_a_task(one: BlockingTaskAPI, field: str) -> None:
    task = one.create_task(Task(name="a", hold=True))
    changed = one.update_task(task.id, **{field: nested(MAX_DEPTH)})
    assert getattr(changed, field) == nested(MAX_DEPTH)
    refused(lambda: one.update_task(task.id, **{field: nested(MAX_DEPTH + 1)}), rf"{field}\.a")
    assert getattr(one.get_task(task.id), field) == nested(MAX_DEPTH)


def test_a_filter_is_as_deep_as_a_task(one: BlockingTaskAPI) -> None:
    one.create_task(Task(name="a", metadata=nested(MAX_DEPTH)))
    assert [task.name for task in one.list_tasks(metadata=nested(MAX_DEPTH))] == ["a"]
    refused(lambda: one.list_tasks(metadata=nested(MAX_DEPTH + 1)), r"metadata\.a")


@pytest.mark.parametrize("levels", [300, 5000])
def test_what_no_model_takes_says_where_it_is_too_deep(levels: int) -> None:
    refused(lambda: Task(name="a", input=nested(levels)), r"Task\.input\.a")


def test_a_result_is_as_deep_as_a_task(one: BlockingTaskAPI, world: World) -> None:
    task = one.create_task(Task(name="a", capability="lint", created_by="ann"))
    outcome, text, _ = encode(Outcome("completed", output=nested(MAX_DEPTH)))
    world.finish(task, output=text)
    assert outcome.kind == "completed"
    assert one.get_task(task.id).result == nested(MAX_DEPTH)
    for levels in (MAX_DEPTH + 1, 220, 3000):
        outcome, text, _ = encode(Outcome("completed", output=nested(levels)))
        assert (outcome.kind, outcome.error_kind, text) == ("failed", "invalid_output", "")
        assert "result.a" in (outcome.error or "")
        assert "holds more than 64 lists and objects" in (outcome.error or "")
        assert "is not JSON" not in (outcome.error or "")


@pytest.mark.parametrize("name", ["g.json", "g.yaml"])
def test_a_graph_file_is_as_deep_as_a_task(name: str) -> None:
    def read(levels: int) -> Any:
        text = json.dumps({"tasks": [{"name": "a", "input": nested(levels)}]})
        return graph_of(Document(text, name, is_json=name.endswith("json"))).tasks[0].input

    assert read(MAX_DEPTH) == nested(MAX_DEPTH)
    refused(lambda: read(MAX_DEPTH + 1), rf"{name}.*: tasks\[0\]\.input\.a")


def test_options_without_end_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="--input: not JSON"):
        arguments('{"a": ' + "[" * 200_000)
    assert metadata(["a=" + "[" * 200_000])["a"].startswith("[[")


def test_what_holds_itself_many_times_is_refused_at_once() -> None:
    loop: list[Any] = []
    loop += [loop] * 10
    refused(lambda: refuse_deep(loop, "x"), r"x\[0\]\[0\]")


def test_what_is_held_often_is_not_deep_by_that() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = [value, value]
    refuse_deep(value, "x")


def test_a_number_that_no_reader_takes_is_no_usage() -> None:
    for number in (10**400, -(10**400), float("inf"), float("nan")):
        with pytest.raises(InvalidInputError, match="finite"):
            Usage(custom={"tokens": number})
