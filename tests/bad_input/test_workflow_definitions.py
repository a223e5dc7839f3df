"""Any JSON in any place of a definition is a fault with a path, never another error and never a long one."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from taskengine import InvalidInputError, WorkflowBuilder
from taskengine.builders.document import EVERY_LINE, Document
from taskengine.builders.workflow_file import examine_document
from taskengine.core.lint_workflow import lint
from taskengine.core.workflow_faults import examine

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "workflows"
GOOD: list[dict[str, Any]] = [
    *(yaml.load(path.read_text("utf-8"), yaml.BaseLoader) for path in sorted(EXAMPLES.glob("*.yaml"))),
    *(
        workflow.definition.model_dump(mode="json")
        for workflow in (
            WorkflowBuilder.create_ci_cd_workflow("w", repository_url="r"),
            WorkflowBuilder.create_data_processing_workflow("w", data_sources=["a"]),
            WorkflowBuilder.create_code_review_workflow("w", pull_request_url="r/pull/1", approvers=["ann"]),
        )
    ),
]
words = st.sampled_from(
    [
        "",
        "x",
        "${",
        "${}",
        "${x}",
        "${steps.x.output}",
        "a b",
        "task",
        "loop",
        "2030-01-01",
        "1 +",
        "\0",
        "é" * 70,
        "$ref",
    ]
)
keys = st.sampled_from(
    ["kind", "name", "steps", "sub_steps", "when", "field", "operator", "value", "expression", "x", ""]
)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | words, inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, held in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(held, (*path, key))


ALL = [(at, path) for at, good in enumerate(GOOD) for path in places(good) if path]


def changed(value: Any, path: tuple[Any, ...], put: Any) -> Any:
    made = copy.deepcopy(value)
    held = made
    for key in path[:-1]:
        held = held[key]
    held[path[-1]] = put
    return made


@given(st.lists(st.tuples(st.sampled_from(ALL), junk), min_size=1, max_size=3))
@settings(max_examples=600, deadline=None)
def test_any_json_in_any_place_is_taken_or_told(changes: list[tuple[tuple[int, tuple[Any, ...]], Any]]) -> None:
    (at, _), _ = changes[0]
    given = GOOD[at]
    for (other, path), put in changes:
        if other == at and path in set(places(given)):
            given = changed(given, path, put)
    before = time.thread_time()
    made, found = examine(given)
    assert time.thread_time() - before < 2
    assert (made is None) is bool(found)
    for fault in found:
        assert fault.message
        assert len(str(fault)) < 1500
    if made is not None:
        lint(made)


@given(st.dictionaries(keys | st.sampled_from(["context", "variables", "outputs", "finally_steps"]), junk, max_size=5))
def test_any_object_is_taken_or_told(fields: dict[str, Any]) -> None:
    examine(fields)


@pytest.mark.parametrize(
    "value", [[], {}, 3, "x", None, [[]], {"steps": {}}, {"name": {}, "steps": [[]]}, {"steps": [{"steps": [{}]}]}]
)
def test_what_is_no_definition_at_all_is_told(value: Any) -> None:
    document = Document("", "w.yaml", noted=EVERY_LINE)
    document.value = value
    made, found = examine_document(document)
    assert made is None
    assert found


def test_a_file_of_ten_thousand_levels_is_refused() -> None:
    with pytest.raises(InvalidInputError):
        Document("name: w\nsteps: " + "[" * 10_000 + "]" * 10_000, "w.yaml", noted=EVERY_LINE)
