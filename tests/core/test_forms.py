"""Forms: what is no schema, what answers, and that neither is slow or reaches out."""

from __future__ import annotations

import time
from typing import Any

import pytest

from taskengine.core.forms import MOST, answer_faults, schema_faults

FORM = {
    "type": "object",
    "required": ["hosts"],
    "additionalProperties": False,
    "properties": {
        "hosts": {"type": "integer", "minimum": 1, "maximum": 10},
        "tag": {"type": "string", "pattern": r"^v\d+$"},
        "each": {"type": "array", "items": {"type": "string"}},
    },
}


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({"type": "objekt"}, ("type",)),
        ({"properties": {"a": {"minimum": "x"}}}, ("properties", "a", "minimum")),
        ({"properties": {"a": {"$ref": "#"}}}, ("properties", "a", "$ref")),
        ({"$ref": "https://example.org/schema.json"}, ("$ref",)),
        ({"anyOf": [{"$dynamicRef": "#x"}]}, ("anyOf", 0, "$dynamicRef")),
        ({"properties": {"a": {"pattern": "("}}}, ("properties", "a", "pattern")),
        ({"properties": {"a": {"pattern": "(a{99}){99}"}}}, ("properties", "a", "pattern")),
        ({"patternProperties": {"(a+)+$": {}}}, ("patternProperties",)),
    ],
)
def test_what_is_no_schema_is_told_by_its_place(schema: dict[str, Any], where: tuple[str | int, ...]) -> None:
    (found,) = schema_faults(schema)
    assert found[0] == where


def test_a_field_may_be_called_like_a_keyword() -> None:
    assert list(schema_faults({"properties": {"$ref": {"type": "string"}, "pattern": {"type": "string"}}})) == []
    assert list(schema_faults(FORM)) == []


@pytest.mark.parametrize(
    ("answer", "faults"),
    [
        ({"hosts": 3, "tag": "v12", "each": ["a"]}, []),
        ({}, ["'hosts' is a required property"]),
        ({"hosts": 11}, ["hosts: 11 is greater than the maximum of 10"]),
        ({"hosts": 1, "tag": "x"}, ["tag: 'x' does not match '^v\\\\d+$'"]),
        ({"hosts": 1, "each": ["a", 3]}, ["each.1: 3 is not of type 'string'"]),
        ({"hosts": 1, "more": 2}, ["Additional properties are not allowed ('more' was unexpected)"]),
    ],
)
def test_an_answer_is_told_what_is_wrong_with_it(answer: Any, faults: list[str]) -> None:
    assert answer_faults(FORM, answer) == faults


def test_a_pattern_is_never_slow_and_faults_are_bounded() -> None:
    form = {"items": {"type": "string", "pattern": "^(a+)+$"}}
    before = time.thread_time()
    assert answer_faults(form, ["a" * 50_000 + "b"] * 50) == [
        f"{at}: {'a' * 50_000 + 'b'!r:.60} does not match '^(a+)+$'" for at in range(MOST)
    ]
    assert time.thread_time() - before < 1
