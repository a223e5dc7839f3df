"""What metadata filters mean."""

from __future__ import annotations

from typing import Any

from taskengine.core.containment import contains

from ..cases import each


@each(
    ("whole", "part"),
    [
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": 1}, {}),
        ({"a": {"b": {"c": 1}, "d": 2}}, {"a": {"b": {"c": 1}}}),
        ({"a": [1, 2, 3]}, {"a": [3, 1]}),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": None}, {"a": None}),
        ({"a": []}, {"a": []}),
    ],
)
def test_contained(whole: Any, part: Any) -> None:
    assert contains(whole, part)


@each(
    ("whole", "part"),
    [
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": True}),
        ({"a": True}, {"a": 1}),
        ({"a": 1}, {"a": "1"}),
        ({"a": [1]}, {"a": [1, 2]}),
        ({"a": [1]}, {"a": 1}),
        ({"a": 1}, {"a": [1]}),
        ({"a": "xyz"}, {"a": {"x": 1}}),
        ({}, {"a": None}),
    ],
)
def test_not_contained(whole: Any, part: Any) -> None:
    assert not contains(whole, part)
