"""Expressions in CEL, the Common Expression Language: the only module that knows its evaluator.

An expression sees values and nothing else: no function of ours, no clock, no chance. What it may cost is bounded before
it runs (:mod:`taskengine.core.expression_cost`), because nothing can stop it then. Numbers are CEL's: ``1 < 2.5`` and
``1 == 1.0`` hold, ``2.5 + 1`` is an error, say ``2.5 + double(1)``.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any

from taskengine.core.expression_cost import BUDGET, bound, visible
from taskengine.core.expression_text import Shape, literal, pattern_fault, shape
from taskengine.errors import ExpressionError
from taskengine.models.definition_types import MAX_EXPRESSION
from taskengine.models.depth import MAX_DEPTH

if TYPE_CHECKING:
    from cel import Program

#: Open brackets of an expression: the parser recurses.
MAX_BRACKETS = 60
#: Macros (``map``, ``filter``, ``all``, ``exists``, ``exists_one``) inside each other.
MAX_NESTING = 2
#: Calls of ``matches``; each reads its pattern anew.
MAX_MATCHES = 4
#: Bytes that an expression may see, and that it may come to.
MAX_VISIBLE = MAX_RESULT = 256 * 1024
#: Whole numbers are exact between these, in every language that reads them.
LARGEST = 2**53

#: Said of names, and of functions that take no such value.
_UNKNOWN = re.compile(r"Undefined variable or function: '([^']*)'")
_PARSE_NOISE = re.compile(r"(?s)^Failed to parse expression '.*': ERROR: <input>:1:(\d+): (?:Syntax error: )?")


class MissingValueError(ExpressionError):
    """What an expression or condition looks at is not there: not yet in a wait, an error elsewhere."""


def check(source: str) -> None:
    """ExpressionError unless the expression can be read and is inside the bounds that its text alone can break."""
    _program(source)


def evaluate(source: str, values: Mapping[str, Any]) -> Any:
    """Return what an expression comes to with *values*, which are JSON: JSON, or a moment.

    ExpressionError when it has no value: types do not fit, or it would cost too much; MissingValueError when a name,
    key or element is not there.
    """
    program = _program(source)
    _refuse_large(source, values)
    try:
        made = program.execute(dict(values))
    except LookupError as exc:
        raise MissingValueError(source, f"there is no {exc.args[0] if exc.args else 'such key'!r:.80} here") from exc
    except (ValueError, TypeError, ArithmeticError, RuntimeError) as exc:
        unknown = _UNKNOWN.match(str(exc))
        is_missing = unknown is not None and not shape(source).calls(unknown[1])
        raise (MissingValueError if is_missing else ExpressionError)(source, _plain(exc)) from exc
    return _result(source, made)


def may_be_seen(value: Any) -> bool:
    """Return whether an expression may see a value, and come to it as it is."""
    try:
        return _size("", value) <= MAX_VISIBLE
    except ExpressionError:
        return False


def matches(pattern: str, text: str) -> bool:
    """Return whether a regular expression (RE2's, so never slow on a long text) is found in a text."""
    if fault := pattern_fault(pattern):
        raise ExpressionError(pattern, fault)
    try:
        return bool(_program("text.matches(pattern)", True).execute({"text": text, "pattern": pattern}))
    except (ValueError, RuntimeError) as exc:
        raise ExpressionError(pattern, f"no regular expression: {_plain(exc)}") from exc


def refuse_pattern(pattern: str) -> None:
    """ExpressionError unless *pattern* is a regular expression that :func:`matches` takes."""
    matches(pattern, "")


@cache
def _evaluator() -> Any:
    """The evaluator, loaded at the first expression: its extension alone.

    Its package also imports its command line, which takes 0.2 s of processor: a coordinator, or a worker, would stand
    for a second in the middle of its work where others use the machine as well.
    """
    package = find_spec("cel")
    name, here = "cel.cel", package.submodule_search_locations if package else None
    found = PathFinder.find_spec(name, here)
    if found is None or found.loader is None:
        return import_module("cel")
    # Known by its name, so that whoever imports the package gets the same one: it cannot be loaded twice.
    module = sys.modules.get(name)
    if module is None:
        module = sys.modules[name] = module_from_spec(found)
        found.loader.exec_module(module)
    return module


@lru_cache(maxsize=4096)
def _program(source: str, is_ours: bool = False) -> Program:
    if (size := len(source.encode(errors="replace"))) > MAX_EXPRESSION:
        raise ExpressionError(source, f"is {size} bytes, the limit is {MAX_EXPRESSION}")
    if not all(letter.isprintable() or letter in "\n\r\t" for letter in source):
        raise ExpressionError(source, "holds a character that cannot be printed")
    if not is_ours:
        _refuse_shape(source, shape(source))
    try:
        program: Program = _evaluator().compile(source)
        return program
    except (ValueError, RuntimeError) as exc:
        raise ExpressionError(source, f"cannot be read: {_plain(exc)}") from exc


def _refuse_shape(source: str, of: Shape) -> None:
    if of.brackets > MAX_BRACKETS:
        raise ExpressionError(source, f"has {of.brackets} brackets, the limit is {MAX_BRACKETS}; use several steps")
    if of.nesting > MAX_NESTING:
        raise ExpressionError(source, f"has {of.nesting} macros inside each other, the limit is {MAX_NESTING}")
    _refuse_matches(source, of)


def _refuse_matches(source: str, of: Shape) -> None:
    """Patterns are read at each call, up to 60 ms each: few, written out, and not once for each element."""
    calls = [at for at, token in enumerate(of.tokens) if token.is_name and token.text == "matches"]
    if len(calls) > MAX_MATCHES:
        raise ExpressionError(source, f"calls matches {len(calls)} times, the limit is {MAX_MATCHES}")
    for at in calls:
        if of.inside(at):
            raise ExpressionError(source, "matches inside a macro; use contains, startsWith or endsWith there")
        arguments = [token.text for token in of.tokens[at + 1 : at + 4]]
        pattern = literal(arguments[1]) if arguments[::2] == ["(", ")"] else None
        if not isinstance(pattern, str):
            raise ExpressionError(source, "matches takes one pattern that is written out, as text.matches('a+')")
        if fault := pattern_fault(pattern):
            raise ExpressionError(source, fault)


def _refuse_large(source: str, values: Mapping[str, Any]) -> None:
    size = sum(_size(source, value) for value in values.values())
    if size > MAX_VISIBLE:
        raise ExpressionError(source, f"sees {size} bytes, the limit is {MAX_VISIBLE}; name what it needs more exactly")
    cost = bound(shape(source), len(source), visible(values))
    if cost > BUDGET:
        raise ExpressionError(
            source, "could take too long with what it sees; give it fewer or smaller values, or let a task do it"
        )


def _size(source: str, value: Any, depth: int = 0) -> int:
    """Bytes of a value, roughly as JSON; ExpressionError where it is too deep or its numbers are not exact."""
    match value:
        case str():
            return len(value) if value.isascii() else len(value.encode(errors="replace"))
        case bool() | None:
            return 4
        case int():
            if abs(value) > LARGEST:
                raise ExpressionError(source, "a whole number is beyond 2^53, where they are not exact; use a text")
            return 8
        case float():
            if not math.isfinite(value):
                raise ExpressionError(source, f"{value} is no number of JSON")
            return 8
        case dict() | list():
            if depth >= MAX_DEPTH:
                raise ExpressionError(source, f"a value is more than {MAX_DEPTH} lists and objects deep")
            keys = sum(len(key) + 4 for key in value) if isinstance(value, dict) else 0
            held = value.values() if isinstance(value, dict) else value
            return 2 + keys + len(value) + sum(_size(source, each, depth + 1) for each in held)
        case _:
            raise ExpressionError(source, f"comes to {type(value).__name__}, which is no JSON")


def _result(source: str, made: Any) -> Any:
    if isinstance(made, datetime):
        return made.astimezone(UTC)
    made = _as_json(made)
    if (size := _size(source, made)) > MAX_RESULT:
        raise ExpressionError(source, f"comes to {size} bytes, the limit is {MAX_RESULT}")
    return made


def _as_json(made: Any) -> Any:
    """Without the types of CEL that JSON lacks; what stays strange is refused by its size."""
    match made:
        case datetime():
            return made.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case timedelta():
            return made.total_seconds()
        case list():
            return [_as_json(each) for each in made]
        case dict():
            return {key if isinstance(key, str) else str(key): _as_json(each) for key, each in made.items()}
        case _:
            return made


def _plain(exc: BaseException) -> str:
    """One sentence of what the evaluator says."""
    said = str(exc)
    if found := _PARSE_NOISE.match(said):
        return f"{said[found.end() :].splitlines()[0]:.200} (at character {found[1]})"
    if "does not coerce" in said:
        return f"{said.partition('.')[0]}; convert one side, as double(x) or string(x)"
    return f"{said.splitlines()[0].partition('. Check ')[0]:.300}" if said else type(exc).__name__
