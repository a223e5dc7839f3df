"""What a client asked for is found by the fields that were set, and no field is overlooked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine.models import Task, TaskPriority, TaskType
from taskengine.store.codec import _DEFAULTS, content

GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "capability": st.sampled_from([None, "lint", "test"]),
        "description": st.sampled_from([None, "d"]),
        "task_type": st.sampled_from(TaskType),
        "priority": st.sampled_from(TaskPriority),
        "input": st.sampled_from([{}, {"x": 1}]),
        "metadata": st.sampled_from([{}, {"y": "z"}]),
        "hold": st.booleans(),
        "timeout": st.sampled_from([None, 5.0]),
        "max_retries": st.sampled_from([3, 0]),
        "estimated_seconds": st.sampled_from([1.0, 2.5]),
    },
)


@given(given_=GIVEN, later=GIVEN)
def test_content_is_every_field_that_differs_from_its_default(given_: dict[str, Any], later: dict[str, Any]) -> None:
    task = Task(**given_)
    for name, value in later.items():
        setattr(task, name, value)
    differs = {name for name, default in _DEFAULTS.items() if getattr(task, name) != default}
    assert content(task) == task.model_dump(mode="json", include=differs)


@pytest.mark.parametrize("name", ["input", "metadata", "execution_context", "resource_requirements"])
def test_what_is_put_in_place_is_content(name: str) -> None:
    task = Task()
    getattr(task, name)["x"] = 1
    assert content(task) == {"capability": "custom", name: {"x": 1}}


def test_copy_with_checked_values_is_the_copy_that_pydantic_makes() -> None:
    task = Task(name="a", input={"x": 1})
    task.metadata["y"] = 2
    made = task.with_checked({"attempt": 3})
    assert made == task.model_copy(update={"attempt": 3})
    assert made.model_dump() == task.model_copy(update={"attempt": 3}).model_dump()
    assert made.model_fields_set == {*task.model_fields_set, "attempt"}
    assert task.attempt != 3
