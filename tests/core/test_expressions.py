"""Expressions: their values, their errors, and that none takes long, whatever it says and sees."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import taskengine
from taskengine import ExpressionError
from taskengine.core.expression_text import MAX_PATTERN, pattern_fault
from taskengine.core.expressions import (
    LARGEST,
    MAX_BRACKETS,
    MAX_MATCHES,
    MAX_NESTING,
    MAX_RESULT,
    MAX_VISIBLE,
    MissingValueError,
    check,
    evaluate,
    matches,
    refuse_pattern,
)
from taskengine.models.definition_types import MAX_EXPRESSION

#: Seconds of the processor that no evaluation takes; the bound itself is a quarter of a second on a slow machine.
WATCHDOG = 0.5


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 < 2.5", True),
        ("1 == 1.0", True),
        ("2.5 + double(1)", 3.5),
        ("x.a + 2", 3),
        ("'b' in x.names && size(x.names) == 2", True),
        ("x.names.map(n, n + '!')", ["a!", "b!"]),
        ("x.names.filter(n, n != 'a')", ["b"]),
        ("has(x.missing)", False),
        ("x.missing == 1 || true", True),
        ("{'a': [x.a]}", {"a": [1]}),
        ("x.names[1].matches('^b$')", True),
        ("timestamp('2030-01-01T01:00:00+01:00')", datetime(2030, 1, 1, tzinfo=UTC)),
        ("[timestamp('2030-01-01T00:00:00Z'), duration('90s')]", ["2030-01-01T00:00:00Z", 90.0]),
        ("null", None),
    ],
)
def test_an_expression_comes_to_its_value(source: str, value: Any) -> None:
    made = evaluate(source, {"x": {"a": 1, "names": ["a", "b"]}})
    assert made == value
    assert type(made) is type(value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("1 <", "cannot be read: mismatched input"),
        ("2.5 + 1", "Unsupported operation: float [+] int; convert one side, as double"),
        ("1 / 0", "division by zero"),
        ("b'abc'", "comes to bytes, which is no JSON"),
        ("0.0 / 0.0", "no number of JSON"),
        ("9007199254740993", "beyond 2\\^53"),
        ("x.a.a.b", "No such overload"),
        ("foo(1)", "Undefined variable or function"),
        ("x.names.all(n, n.matches('a'))", "matches inside a macro"),
        ("x.names[0].matches(x.names[1])", "one pattern that is written out"),
        ("a\0b", "cannot be printed"),
    ],
)
def test_what_has_no_value_says_why(source: str, says: str) -> None:
    with pytest.raises(ExpressionError, match=says) as caught:
        evaluate(source, {"x": {"a": {"a": None}, "names": ["a", "b"]}})
    assert caught.value.expression == source


@pytest.mark.parametrize("source", ["x.b", "x.a.b", "y", "x.l[1]", "has(x.b.c.d)"])
def test_what_is_missing_is_told_from_what_is_wrong(source: str) -> None:
    with pytest.raises(MissingValueError):
        evaluate(source, {"x": {"a": {}, "l": [1]}})


@pytest.mark.parametrize("source", ["foo(1)", "string([1])", "1 / 0", "x.a < 'b'"])
def test_what_is_wrong_is_not_missing(source: str) -> None:
    """A wait would go on for ever."""
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, {"x": {"a": 1}})
    assert not isinstance(caught.value, MissingValueError)


def test_the_bounds_on_a_text_are_these() -> None:
    assert (MAX_EXPRESSION, MAX_BRACKETS, MAX_NESTING, MAX_MATCHES, MAX_PATTERN) == (4096, 60, 2, 4, 200)
    check("'" + "a" * 4094 + "'")
    with pytest.raises(ExpressionError, match="is 4097 bytes, the limit is 4096"):
        check("'" + "a" * 4095 + "'")
    check("(" * 60 + "1" + ")" * 60)
    with pytest.raises(ExpressionError, match="has 61 brackets"):
        check("(" * 61 + "1" + ")" * 61)
    check("x.map(a, a.map(b, b))")
    with pytest.raises(ExpressionError, match="has 3 macros inside each other"):
        check("x.map(a, a.map(b, b.map(c, c)))")
    check(" && ".join(["x.matches('a')"] * 4))
    with pytest.raises(ExpressionError, match="calls matches 5 times"):
        check(" && ".join(["x.matches('a')"] * 5))
    check(r"x.matches('\\pL{199}')")
    with pytest.raises(ExpressionError, match="the pattern has 201 parts"):
        refuse_pattern("a{201}")


def test_the_bounds_on_values_are_these() -> None:
    assert (MAX_VISIBLE, MAX_RESULT, LARGEST) == (262_144, 262_144, 2**53)
    assert len(evaluate("x", {"x": "a" * MAX_VISIBLE})) == MAX_VISIBLE
    with pytest.raises(ExpressionError, match="sees 262145 bytes"):
        evaluate("x", {"x": "a" * (MAX_VISIBLE + 1)})
    with pytest.raises(ExpressionError, match="comes to 300000 bytes"):
        evaluate("x + x", {"x": "a" * 150_000})
    assert evaluate("x", {"x": LARGEST}) == LARGEST
    with pytest.raises(ExpressionError, match="beyond 2\\^53"):
        evaluate("x", {"x": LARGEST + 1})
    deep: Any = 1
    for _ in range(64):
        deep = [deep]
    assert evaluate("x", {"x": deep}) == deep
    with pytest.raises(ExpressionError, match="more than 64 lists"):
        evaluate("x", {"x": [deep]})


@pytest.mark.parametrize(
    ("pattern", "is_taken"),
    [
        (r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", True),
        (r"^v\d+\.\d+(\.\d+)?$", True),
        ("[0-9a-f]{64}", True),
        ("(a{20}){20}", False),
        ("((a{9}){9}){9}", False),
        ("a" * 201, False),
        (r"\pL{1,300}", False),
        ("a{999999999999}", False),
    ],
)
def test_a_pattern_may_not_take_long_to_be_read(pattern: str, is_taken: bool) -> None:
    assert (pattern_fault(pattern) is None) is is_taken


def test_a_pattern_is_found_anywhere_in_a_text_and_never_slow() -> None:
    assert matches("b+", "abbc")
    assert not matches("^b", "ab")
    before = time.thread_time()
    assert not matches("(a+)+$", "a" * 100_000 + "b")
    assert time.thread_time() - before < WATCHDOG
    with pytest.raises(ExpressionError, match="no regular expression"):
        matches("(", "a")


LONG = list(range(1000))


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("x.map(i, s)", {"x": LONG, "s": "a" * 60_000}),  # 9 s where only lengths are bounded
        ("x.map(i, d)", {"x": LONG[:300], "d": LONG[:300]}),
        ("x.map(i, x.map(j, j))", {"x": LONG[:300]}),
        ("x.exists(i, x.exists(j, j == -1))", {"x": LONG}),
        ("(x + x + x + x).filter(i, true)", {"x": LONG}),
        ("[" + ",".join(["1"] * 900) + "].map(i, [" + ",".join(["1"] * 900) + "].map(j, s))", {"s": "a"}),
        ("+".join(["x"] * 1000), {"x": "a" * 200_000}),
        ("x.map(i, 'a' + i + i + i + i)", {"x": ["a" * 200] * 900}),
        ("d.exists_one(i, l in [x, x])", {"d": dict.fromkeys(map(str, LONG)), "l": 1, "x": [{"a": 1}] * 1000}),
        ("[s, s, s].map(i, x.map(j, i))", {"x": LONG, "s": "a" * 60_000}),
        ("x.map(i, [i, i, i, i])", {"x": [{"a": 1, "b": 2}] * 1000}),
        ("x.all(i, (s + s + s + s + s) != '')", {"x": LONG * 5, "s": "a" * 60_000}),
    ],
)
def test_what_could_take_long_is_refused_before_it_begins(source: str, values: dict[str, Any]) -> None:
    before = time.thread_time()
    with pytest.raises(ExpressionError, match="could take too long"):
        evaluate(source, values)
    assert time.thread_time() - before < WATCHDOG


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("x.map(i, i + 1)", {"x": LONG}),
        ("x.map(i, i.name)", {"x": [{"name": f"n{i}", "size": i} for i in range(900)]}),
        ("x.filter(i, i.size > 3).map(i, i.name)", {"x": [{"name": f"n{i}", "size": i} for i in range(300)]}),
        ("x.all(i, i.ok)", {"x": [{"ok": True}] * 5000}),
        ("x.exists(i, y.exists(j, j == i))", {"x": LONG[:100], "y": LONG[:100]}),
        ("size(x) > 3 && x[0] == 0", {"x": LONG * 20}),
    ],
)
def test_what_people_write_is_inside_the_bounds(source: str, values: dict[str, Any]) -> None:
    before = time.thread_time()
    evaluate(source, values)
    assert time.thread_time() - before < WATCHDOG


leaves = st.sampled_from(
    ["x", "s", "d", "l", "i", "j", "1", "2.5", "'abc'", "true", "null", "d.a", "l[0]", "x[0].a", "[1,2,3]", "{'a':s}"]
)
sources = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "==", "<", "&&", "||", "in", "*"]), inner),
        st.builds("{}.{}(i, {})".format, inner, st.sampled_from(["map", "filter", "all", "exists"]), inner),
        st.builds("{}.map(j, {})".format, inner, inner),
        st.builds("size({})".format, inner),
        st.builds("string({})".format, inner),
        st.builds("{}.contains({})".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
        st.lists(inner, min_size=2, max_size=30).map(" + ".join),
    ),
    max_leaves=12,
)
sizes = st.sampled_from([0, 1, 10, 100, 300, 1000])


@given(source=sources, items=sizes, text=st.sampled_from([1, 100, 10_000]), entries=sizes)
@settings(max_examples=300, deadline=None)
def test_no_expression_takes_long_whatever_it_says(source: str, items: int, text: int, entries: int) -> None:
    s = "a" * text
    values = {
        "x": [{"a": i, "s": s[:50]} for i in range(items)],
        "l": list(range(items)),
        "s": s,
        "d": {str(i): i for i in range(entries)} | {"a": [s[:100]] * min(entries, 50)},
    }
    before = time.thread_time()
    with suppress(ExpressionError):
        evaluate(source, values)
    assert time.thread_time() - before < WATCHDOG, source


@given(st.text(alphabet="ax.[](){}'\"\\+-!?:,&|0 \n$/rb", max_size=80))
@settings(max_examples=1500, deadline=None)
def test_any_text_is_read_or_refused(source: str) -> None:
    with suppress(ExpressionError):
        check(source)


@pytest.mark.process
def test_one_module_knows_the_evaluator_and_imports_it_late() -> None:
    """It takes 0.4 s, in every process that imports it."""
    package = Path(taskengine.__file__).parent
    named = {
        path.relative_to(package).as_posix() for path in package.rglob("*.py") if '"cel"' in path.read_text("utf-8")
    }
    assert named == {"core/expressions.py"}
    code = "import sys, taskengine.api, taskengine.core.expressions; sys.exit('cel.cel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.process
@pytest.mark.parametrize("first", ["", "import cel; "])
def test_the_evaluator_comes_without_its_command_line_and_is_the_one_of_its_package(first: str) -> None:
    """Its package takes 0.2 s of processor, in the middle of a decision."""
    code = (
        f"import sys; {first}from taskengine.core import expressions as e; before = 'prompt_toolkit' in sys.modules;"
        "e.evaluate('1 + 1', {}); alone = ('prompt_toolkit' in sys.modules) == before; import cel;"
        "sys.exit(not (alone and cel.evaluate('1 + 1') == 2 and sys.modules['cel.cel'].compile is cel.compile))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
