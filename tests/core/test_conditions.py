"""Every operator over every kind of value, what is missing, and combinations."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine import ConditionOperator, ExpressionError, WorkflowCondition
from taskengine.core.bindings import Bindings
from taskengine.core.conditions import equal, holds, holds_yet
from taskengine.core.expressions import MissingValueError

HERE = Bindings(
    context={"repo": "r", "both": "context"},
    variables={"n": 2, "f": 2.0, "t": "text", "yes": True, "none": None, "l": [1, "a"], "d": {"k": 1}, "both": "var"},
    steps={"build": {"status": "completed", "output": {"url": "u", "sha": "s"}}},
    previous=("build", {"url": "u", "both": "output"}),
)


def ask(field: str, operator: str, value: Any = None) -> bool:
    return holds(WorkflowCondition(field=field, operator=operator, value=value), HERE)


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("n", "equals", 2.0),
        ("n", "not_equals", "2"),
        ("yes", "equals", True),
        ("yes", "not_equals", 1),
        ("d", "equals", {"k": 1.0}),
        ("d", "not_equals", {"k": True}),
        ("l", "equals", [1, "a"]),
        ("none", "equals", None),
        ("n", "less_than", 2.5),
        ("n", "less_than_or_equal", 2),
        ("f", "greater_than", 1),
        ("f", "greater_than_or_equal", 2),
        ("t", "less_than", "texts"),
        ("t", "greater_than", "Text"),
        ("n", "in", [1, 2.0]),
        ("yes", "not_in", [1, "true"]),
        ("t", "contains", "ex"),
        ("l", "contains", 1.0),
        ("l", "not_contains", True),
        ("d", "contains", "k"),
        ("d", "not_contains", "x"),
        ("t", "starts_with", "te"),
        ("t", "ends_with", "xt"),
        ("t", "matches", "^t.x"),
        ("n", "exists", None),
        ("none", "not_exists", None),
        ("nowhere", "not_exists", None),
        ("steps.build.output.url", "exists", None),
        ("steps.build.output.gone", "not_exists", None),
        ("steps.nobody.output", "not_exists", None),
        ("l[0]", "equals", 1),
        ("d.k", "equals", 1),
        ("steps.build.status", "equals", "completed"),
        ("context.both", "equals", "context"),
        ("both", "equals", "var"),
        ("repo", "equals", "r"),
        ("url", "equals", "u"),
        ("t", "equals", "${variables.t}"),
        ("n", "equals", "${1 + 1}"),
    ],
)
def test_it_holds(field: str, operator: str, value: Any) -> None:
    assert ask(field, operator, value)
    condition = WorkflowCondition(field=field, operator=operator, value=value)
    assert not holds(WorkflowCondition(not_=condition), HERE)


def test_every_operator_is_tried_above() -> None:
    marks = [mark for mark in test_it_holds.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    assert {case[1] for case in marks[0].args[1]} == {*ConditionOperator}


@pytest.mark.parametrize(
    ("field", "operator", "value", "says"),
    [
        ("t", "less_than", 3, "less_than compares two numbers or two texts; it is 'text', compared with 3"),
        ("yes", "less_than", 3, "less_than compares two numbers or two texts; it is True"),
        ("none", "greater_than", 3, "it is None, compared with 3"),
        ("n", "contains", 3, "contains looks for a text in a text"),
        ("t", "contains", 3, "contains looks for a text in a text"),
        ("n", "starts_with", "3", "starts_with compares two texts"),
        ("n", "matches", "3", "matches compares two texts"),
        ("t", "matches", "(", "no regular expression"),
        ("n", "in", "${variables.t}", "in needs a list"),
    ],
)
def test_types_that_do_not_fit_are_an_error_with_both_values(field: str, operator: str, value: Any, says: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        ask(field, operator, value)
    assert says in str(caught.value)
    assert not isinstance(caught.value, MissingValueError)
    with pytest.raises(ExpressionError):
        holds_yet(WorkflowCondition(field=field, operator=operator, value=value), HERE)


def test_a_missing_field_names_the_three_places_and_the_remedy() -> None:
    with pytest.raises(MissingValueError) as caught:
        ask("test_status", "equals", "passed")
    assert str(caught.value) == (
        "test_status: is in none of variables (has n, f, t, yes, none, l, d, both), context (has repo, both), "
        "the output of 'build' (has url, both); begin with variables={'test_status': …}, or give the step that knows "
        "it outputs={'test_status': '${output.…}'}"
    )


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("steps.build.output.tag", "steps.build.output has url, sha, not 'tag'"),
        ("steps.test.output", "steps has build, not 'test'"),
        ("d.x", "d has k, not 'x'"),
        ("l[7]", "l has 2 elements, not 7"),
        ("item.name", "there is no item here"),
        ("t.x", "t is 'text', not 'x'"),
    ],
)
def test_a_missing_way_says_how_far_it_went(field: str, says: str) -> None:
    with pytest.raises(MissingValueError) as caught:
        ask(field, "equals", 1)
    assert caught.value.reason == says


def test_an_expression_that_misses_something_says_what_is_there() -> None:
    with pytest.raises(MissingValueError) as caught:
        HERE.evaluate("steps.build.output.tag + 'x'")
    assert caught.value.reason == "steps.build.output has url, sha, not 'tag'"
    with pytest.raises(MissingValueError, match="there is no item here"):
        HERE.evaluate("item.name == 'x'")


def test_what_is_missing_is_not_yet_in_a_wait() -> None:
    for condition in ("variables.approved", WorkflowCondition(field="approved", operator="equals", value=True)):
        made = condition if isinstance(condition, WorkflowCondition) else WorkflowCondition(expression=condition)
        assert not holds_yet(made, HERE)
        assert not holds_yet(WorkflowCondition(not_=made), HERE)
        assert holds_yet(made, Bindings(variables={"approved": True}))


def test_has_is_false_also_where_the_beginning_is_missing() -> None:
    assert not HERE.decide("has(steps.nobody.output.x)")
    assert not HERE.decide("has(variables.gone.x) && variables.gone.x == 1")
    assert HERE.decide("has(steps.build.output.url) && steps.build.output.url == 'u'")


def test_a_condition_must_come_to_true_or_false() -> None:
    with pytest.raises(ExpressionError, match="must come to true or false, not 2"):
        HERE.decide("variables.n")


MISSING = WorkflowCondition(field="nowhere", operator="equals", value=1)
TRUE, FALSE = WorkflowCondition(expression="true"), WorkflowCondition(expression="false")


def test_what_is_missing_counts_only_where_nothing_else_decides() -> None:
    assert holds(WorkflowCondition(any_of=[MISSING, TRUE]), HERE)
    assert not holds(WorkflowCondition(all_of=[MISSING, FALSE]), HERE)
    for condition in (WorkflowCondition(any_of=[MISSING, FALSE]), WorkflowCondition(all_of=[MISSING, TRUE])):
        with pytest.raises(MissingValueError):
            holds(condition, HERE)


trees = st.recursive(
    st.sampled_from([TRUE, FALSE]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda each: WorkflowCondition(all_of=each)),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: WorkflowCondition(any_of=each)),
        inner.map(lambda each: WorkflowCondition(not_=each)),
    ),
    max_leaves=12,
)


def spelled(condition: WorkflowCondition) -> str:
    if condition.all_of:
        return "(" + " && ".join(map(spelled, condition.all_of)) + ")"
    if condition.any_of:
        return "(" + " || ".join(map(spelled, condition.any_of)) + ")"
    return f"!{spelled(condition.not_)}" if condition.not_ else str(condition.expression)


@given(trees)
def test_combinations_say_what_the_same_expression_says(condition: WorkflowCondition) -> None:
    assert holds(condition, HERE) is HERE.decide(spelled(condition))


json = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([1.0, 0.0, "a", "1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)


@given(json, json)
def test_equality_is_that_of_json(one: Any, other: Any) -> None:
    def tagged(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: tagged(held) for key, held in value.items()}
        return [tagged(held) for held in value] if isinstance(value, list) else (isinstance(value, bool), value)

    assert equal(one, other) is (tagged(one) == tagged(other))
