"""A way to a value is followed without the evaluator, and nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest

from taskengine.core import expressions
from taskengine.core.bindings import Bindings
from taskengine.core.refs import references, way
from taskengine.errors import ExpressionError

VALUES: dict[str, Any] = {
    "text": "é", "none": None, "yes": True, "whole": 2**53, "beyond": 2**53 + 1, "part": 1.5, "one": 1.0, "empty": {},
    "list": [1, {"x": [None]}], "object": {"b": 1, "a": {"c": "d"}}, "large": "x" * 300_000, "size": 3, "in": 4,
    "deep": [[[[[[]]]]]],
}  # fmt: skip
SOURCES = (
    *(f"context.{name}" for name in VALUES), "context.object.a.c", "context.object.z", "context.text.length",
    "context.none.x", "context.list.x", "context", "steps.s.output", "steps.s.output.x", "steps.s.status",
    "steps.t.output", "item.x", "item", "index.x", "nowhere.x", "context.for", "context.size", "variables.v",
)  # fmt: skip


def bindings() -> Bindings:
    steps = {"s": {"status": "completed", "output": {"x": [1]}}}
    return Bindings(context=VALUES, variables={"v": {"w": 1}}, steps=steps, others={"item": {"x": None}})


def said(source: str, evaluate: Any) -> tuple[str, Any]:
    try:
        made = evaluate()
    except ExpressionError as exc:
        return type(exc).__name__, source
    return type(made).__name__, made


@pytest.mark.parametrize("source", SOURCES)
def test_a_way_comes_to_what_the_evaluator_makes_of_it(source: str) -> None:
    values = bindings()
    straight = said(source, lambda: values.evaluate(source))
    assert straight == said(source, lambda: expressions.evaluate(source, values.seen(references(source))))


def test_only_what_is_a_way_and_nothing_else_is_taken_for_one() -> None:
    assert way("steps.a.output.x") == ("steps", "a", "output", "x")
    for source in (
        "context",
        "context.a + 1",
        "context[0]",
        "context.a()",
        "context. a",
        "size.x",
        "context.in",
        "a.b",
    ):
        assert way(source) is None
