"""What evaluating an expression may cost at most, before it is evaluated.

The evaluator holds the interpreter while it works and cannot be stopped, so a bound is computed from the text and from
the values that the text can see. Measured with common-expression-language 0.10.0: ``map`` and ``filter`` copy all that
they collected so far for each element that they add, 130 ns a value, 500 ns an entry of an object, 0.5 ns a byte.
1 000 numbers take 80 ms, 1 000 texts of 60 KB 9 s, 100 lists of 100 elements in each other 0.4 s. ``all`` and
``exists`` copy nothing. (Limits on lengths alone, as they were first thought of, let the 9 s through.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from taskengine.core.expression_text import COLLECTING, WORDS, Shape

#: Nanoseconds that the bound may come to.
BUDGET = 250_000_000
_VALUE, _ENTRY, _BYTE = 150.0, 500.0, 0.5
#: Of comparing or searching what a macro's body sees, for each of its bytes and values.
_LOOK = 0.1


@dataclass(slots=True)
class Visible:
    """How large the values are that an expression sees; costs in nanoseconds of one copy."""

    #: Elements of the longest list or object.
    longest: int = 0
    #: All values together.
    whole: float = 0.0
    #: The heaviest element of a list or object.
    element: float = 0.0
    #: The heaviest value inside such an element.
    field: float = 0.0


def visible(values: Iterable[Any]) -> Visible:
    """Measure values; they are JSON, no deeper than JSON may be here."""
    found = Visible()
    found.whole = sum(_weigh(value, found)[0] for value in values)
    return found


def _weigh(value: Any, found: Visible) -> tuple[float, float]:
    """The weight of a value, and of the heaviest one in it."""
    match value:
        case str():
            return _VALUE + _BYTE * len(value) * (1 if value.isascii() else 4), 0.0
        case dict() | list():
            inner = [_weigh(held, found) for held in (value.values() if isinstance(value, dict) else value)]
            found.longest = max(found.longest, len(inner))
            heaviest = max((weight for weight, _ in inner), default=0.0)
            found.element = max(found.element, heaviest)
            found.field = max(found.field, max((below for _, below in inner), default=0.0))
            return _VALUE + (_ENTRY * len(inner) if isinstance(value, dict) else 0) + sum(w for w, _ in inner), heaviest
        case _:
            return _VALUE, 0.0


def bound(shape: Shape, source_bytes: int, seen: Visible) -> float:
    """Nanoseconds that the evaluation takes at most."""
    adding = (shape.pluses + 1) ** 2 / 2 * (seen.whole + source_bytes)
    if not shape.macros:
        return adding
    longest = max(seen.longest, shape.commas + 1)
    outer, inner = longest * (shape.outer_pluses + 1), longest * (shape.pluses + 1)
    turns: int = outer * inner ** (shape.nesting - 1)
    foreign, whole_item = _reach(shape)
    looked = seen.whole if foreign else seen.element
    cost = adding + len(shape.macros) * turns * (_VALUE * len(shape.tokens) + _LOOK * looked)
    collecting = sum(macro.name in COLLECTING for macro in shape.macros)
    if collecting:
        made = seen.whole if foreign else seen.element if whole_item else seen.field
        weight = _VALUE + (made + _BYTE * source_bytes) * (shape.pluses + 1)
        cost += collecting * turns * (inner if shape.nesting > 1 else outer) / 2 * weight
    return cost


def _reach(shape: Shape) -> tuple[bool, bool]:
    """Whether a macro's body sees anything but its elements, and whether it may give back a whole one."""
    foreign = whole = False
    for place, bindings in _body_names(shape):
        if shape.tokens[place].text not in bindings:
            foreign = True
        elif shape.tokens[place + 1].text not in (".", "["):
            whole = True
    return foreign, whole or any(macro.name == "filter" for macro in shape.macros)


def _body_names(shape: Shape) -> Iterator[tuple[int, set[str]]]:
    """Names of values in the bodies of macros, with what is bound there."""
    for place, token in enumerate(shape.tokens[:-1]):
        after = shape.tokens[place - 1].text == "." if place else False
        if token.is_name and not after and token.text not in WORDS and shape.tokens[place + 1].text != "(":
            around = shape.inside(place)
            if around and place != around[-1].opens + 1:
                yield place, {macro.variable for macro in around}
