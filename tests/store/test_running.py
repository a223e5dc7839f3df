"""The task that an agent gets is the same whether its document was seen before or not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine.errors import InvalidInputError
from taskengine.models import RetryRules, Task
from taskengine.store.codec import content
from taskengine.store.replies import Assignment
from taskengine.store.running import _MOST, Templates

from ..cases import each

CONTAINERS = ("input", "metadata", "execution_context", "resource_requirements")
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_OBJECTS = st.dictionaries(st.text(max_size=5), _VALUES, max_size=3)
ASKED = st.fixed_dictionaries(
    {"capability": st.sampled_from(["lint", "test"])},
    optional={
        **dict.fromkeys(CONTAINERS, _OBJECTS),
        "description": st.text(max_size=20),
        "deadline": st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
        "retry": st.just({"initial_interval": 2.0, "non_retryable_errors": ["ValueError"]}),
        "priority": st.sampled_from([1, 3]),
        "timeout": st.floats(0.1, 100),
        "created_by": st.sampled_from(["ada", "bob"]),
        "of a later release": st.integers(),
    },
)


def told(doc: str = '{"capability":"lint"}', parents: int = 0, **fields: Any) -> Assignment:
    parted = tuple((str(uuid4()), f"p{n}", "{}") for n in range(parents))
    known = Assignment(str(uuid4()), str(uuid4()), 1, 0, str(uuid4()), "t1", doc, 0, "", parted)
    return replace(known, **fields)


def same(one: Task, other: Task) -> bool:
    """Equal in all that an agent or the runner can see."""
    return (
        one == other
        and one.model_fields_set == other.model_fields_set
        and repr(one) == repr(other)
        and one.model_dump_json() == other.model_dump_json()
        and content(one) == content(other)
    )


@given(asked=ASKED, parents=st.integers(0, 3), attempt=st.integers(1, 9))
def test_a_copy_is_the_task_that_is_read_whole(asked: dict[str, Any], parents: int, attempt: int) -> None:
    doc, known = json.dumps(asked), Templates()
    known.task(told(doc), None)
    one = told(doc, parents, attempt=attempt, retries=attempt - 1, name=f"t{attempt}")
    assert same(known.task(one, None), Templates().task(one, None))
    assert known.task(one, None).depends_on == {UUID(id) for id, _, _ in one.inputs}


@pytest.mark.parametrize("doc", ['{"capability":"lint"}', json.dumps({name: {"x": {"y": [1]}} for name in CONTAINERS})])
def test_what_an_agent_changes_in_its_task_no_other_sees(doc: str) -> None:
    known, untouched = Templates(), Templates().task(told(doc), None)
    for _ in range(3):  # the one that was read whole, and copies
        task = known.task(told(doc, parents=1), None)
        assert [getattr(task, name) for name in CONTAINERS] == [getattr(untouched, name) for name in CONTAINERS]
        assert len(task.depends_on) == 1
        for name in CONTAINERS:
            getattr(task, name)["mine"] = 1
            getattr(task, name).setdefault("x", {"y": []})["y"].append(2)
        task.depends_on.add(uuid4())
        task.description, task.max_retries, task.priority = "mine", 99, 5
        task.retry = RetryRules(jitter=0)
        task.model_fields_set.clear()


def test_a_document_that_was_changed_between_two_attempts_is_read_anew() -> None:
    known, first = Templates(), told('{"capability":"lint","max_retries":1}')
    assert known.task(first, None).max_retries == 1
    second = replace(first, doc='{"capability":"lint","max_retries":7,"input":{"x":1}}', attempt=2, name="renamed")
    task = known.task(second, None)
    assert (task.max_retries, task.input, task.attempt, task.name) == (7, {"x": 1}, 2, "renamed")
    assert known.task(first, None).max_retries == 1


def test_an_input_by_reference_is_that_tasks_alone() -> None:
    known, doc = Templates(), '{"capability":"lint"}'
    assert known.task(told(doc), None).input == {}
    assert known.task(told(doc), '{"x": 1}').input == {"x": 1}
    assert known.task(told(doc), None).input == {}


@each("doc", ["{", "[]", '{"max_retries":-1}', '{"input":{"x":NaN}}', '{"input":[]}'])
def test_what_cannot_be_read_is_refused_each_time(doc: str) -> None:
    known = Templates()
    for _ in range(2):
        with pytest.raises(InvalidInputError):
            known.task(told(doc), None)


def test_a_task_without_a_name_has_its_default_each_time() -> None:
    known = Templates()
    assert [known.task(told(name=""), None).name for _ in range(2)] == ["lint"] * 2


def test_many_documents_and_long_ones_take_bounded_memory() -> None:
    known = Templates()
    for n in range(3 * _MOST):
        known.task(told(json.dumps({"capability": "lint", "max_retries": n})), None)
        assert len(known._known) <= _MOST
    known = Templates()
    known.task(told(json.dumps({"capability": "lint", "description": "x" * 5000})), None)
    assert not known._known
