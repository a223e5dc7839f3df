"""Templates: what a text becomes, that a value is never a template, and what is known late."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine import ExpressionError
from taskengine.core.bindings import Bindings
from taskengine.core.templates import MAX_BYTES, bind, is_late
from taskengine.models.template_text import Expression, pieces, unwrapped

HERE = Bindings(
    context={"n": 3, "f": 0.5, "s": "text", "l": [1, "a"], "d": {"k": None}, "no": None, "evil": "${variables.secret}"},
    variables={"secret": "hidden", "at": "2030-01-01T00:00:00Z"},
    others={"item": {"name": "eu"}, "index": 0},
)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        ("${context.n}", 3),
        ("${ context.l }", [1, "a"]),
        ("${context.no}", None),
        ("${context.n} ${context.f} ${context.s} ${context.l} ${context.no}", '3 0.5 text [1,"a"] null'),
        ("$${context.n}", "${context.n}"),
        ("$$${context.n}", "$${context.n}"),
        ("cost: $5 and ${context.n}$", "cost: $5 and 3$"),
        ("${'}' + \"{\" + {'a': 'b}'}.a}", "}{b}"),
        ("${context.s}${context.s}", "texttext"),
        ("${timestamp(variables.at)}", "2030-01-01T00:00:00Z"),
        ({"a": ["${item.name}", 1, None, {"b": "${index}"}]}, {"a": ["eu", 1, None, {"b": 0}]}),
        ({"${context.n}": 1}, {"${context.n}": 1}),
    ],
)
def test_a_template_becomes_its_value(template: Any, value: Any) -> None:
    assert bind(template, HERE) == value


def test_a_value_is_never_a_template() -> None:
    assert bind("${context.evil}", HERE) == "${variables.secret}"
    assert bind("a ${context.evil}", HERE) == "a ${variables.secret}"
    assert bind(bind({"a": "x ${context.s}"}, HERE), HERE) == {"a": "x text"}


@given(st.text(alphabet="${}ab'\" \\", max_size=30))
def test_any_text_put_in_comes_out_as_it_is(text: str) -> None:
    here = Bindings(context={"x": text})
    assert bind("${context.x}", here) == text
    assert bind("<${context.x}>", here) == f"<{text}>"


@given(st.text(alphabet="${}ab'\" \\/\n", max_size=40))
def test_the_pieces_of_a_text_lose_nothing(text: str) -> None:
    whole = ""
    for piece in pieces(text):
        if isinstance(piece, Expression):
            at = text.find("${", 0)
            assert at >= 0
            return
        whole += piece
    assert whole == text.replace("$${", "${")


@given(st.text(max_size=40))
def test_a_text_with_its_marks_written_twice_is_itself(text: str) -> None:
    if "$$" not in text:
        assert bind(text.replace("${", "$${"), HERE) == text


def test_an_error_names_the_expression() -> None:
    with pytest.raises(ExpressionError) as caught:
        bind({"a": "x ${context.missing}"}, HERE)
    assert caught.value.expression == "context.missing"
    assert caught.value.reason.startswith("context has n, f, s")
    with pytest.raises(ExpressionError, match="without its '}'"):
        bind("${context.n", HERE)


def test_a_template_takes_in_only_so_much() -> None:
    assert MAX_BYTES == 16 * 2**20
    here = Bindings(context={"x": "a" * 200_000})
    with pytest.raises(ExpressionError, match="over 16777216 bytes together"):
        bind(["${context.x}"] * 100, here)


@pytest.mark.parametrize(
    ("template", "late"),
    [
        ({"capability": "lint", "input": {"a": 1}}, False),
        ({"input": {"tag": "${steps.build.output.tag}"}, "description": "${steps.build.output.tag}"}, False),
        ({"capability": "${context.capability}", "name": "deploy ${item}"}, False),
        ({"input": {"tag": "${variables.tag}"}}, True),
        ({"capability": "${steps.choose.output.capability}"}, True),
        ({"metadata": {"tag": "${steps.build.output.tag}"}}, True),
        ({"input": {"tag": "$${variables.tag}"}}, False),
    ],
)
def test_a_task_is_late_that_reads_what_changes_or_where_it_runs(template: dict[str, Any], late: bool) -> None:
    assert is_late(template) is late


def test_an_expression_is_unwrapped_only_when_it_is_the_whole() -> None:
    assert unwrapped("${a}") == "a"
    assert unwrapped("${a}${b}") == "${a}${b}"
    assert unwrapped("${a} ") == "${a} "
    assert unwrapped("${'}'}") == "'}'"
