"""What evaluating an expression may cost at most, before it is evaluated.

The evaluator holds the interpreter while it works and cannot be stopped, so a bound is computed from the text and from
the values that the text can see. Measured with common-expression-language 0.10.0: ``map`` and ``filter`` copy all that
they collected so far for each element that they add, 130 ns a value, 500 ns an entry of an object, 0.5 ns a byte.
1 000 numbers take 80 ms, 1 000 texts of 60 KB 9 s, 100 lists of 100 elements in each other 0.4 s. ``all`` and
``exists`` copy nothing. (Limits on lengths alone, as they were first thought of, let the 9 s through.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from taskengine.core.expression_text import COLLECTING, WORDS, Shape

#: Nanoseconds that the bound may come to.
BUDGET = 250_000_000
_VALUE, _ENTRY, _BYTE = 150.0, 500.0, 0.5
#: Of comparing or searching what a macro's body sees, for each of its bytes and values.
_LOOK = 0.1


@dataclass(slots=True)
class Visible:
    """How large the values are that an expression sees; costs in nanoseconds of one copy."""

    #: Each value by its root.
    roots: dict[str, float] = field(default_factory=dict)
    #: Elements of the longest list or object.
    longest: int = 0
    #: The heaviest element of a list or object.
    element: float = 0.0
    #: The heaviest value inside such an element.
    inner: float = 0.0

    @property
    def whole(self) -> float:
        """All values together."""
        return sum(self.roots.values())


def visible(values: Mapping[str, Any]) -> Visible:
    """Measure values; they are JSON, no deeper than JSON may be here."""
    found = Visible()
    found.roots = {root: _weigh(value, found)[0] for root, value in values.items()}
    return found


def _weigh(value: Any, found: Visible) -> tuple[float, float]:
    """Return the weight of a value, and of the heaviest one in it."""
    match value:
        case str():
            return _VALUE + _BYTE * len(value) * (1 if value.isascii() else 4), 0.0
        case dict() | list():
            held = [_weigh(each, found) for each in (value.values() if isinstance(value, dict) else value)]
            found.longest = max(found.longest, len(held))
            heaviest = max((weight for weight, _ in held), default=0.0)
            found.element = max(found.element, heaviest)
            found.inner = max(found.inner, max((below for _, below in held), default=0.0))
            entries = _ENTRY * len(held) if isinstance(value, dict) else 0.0
            return _VALUE + entries + sum(weight for weight, _ in held), heaviest
        case _:
            return _VALUE, 0.0


def bound(shape: Shape, source_bytes: int, seen: Visible) -> float:
    """Nanoseconds that the evaluation takes at most, beside what it takes to hand the values over."""
    adding = (shape.outer_pluses + 1) ** 2 / 2 * (seen.whole + source_bytes)
    if not shape.macros:
        return adding
    if shape.literals:  # a list that is written out has what is visible for its elements
        seen = replace(seen, element=seen.whole, inner=seen.whole)
    longest = max(seen.longest, shape.commas + 1)
    outer, inner = longest * (shape.outer_pluses + 1), longest * (shape.pluses + 1)
    turns: int = outer * inner ** (shape.nesting - 1)
    body = _Body.of(shape, seen)
    cost = adding + len(shape.macros) * turns * body.turn(shape)
    made = body.made(source_bytes)
    for macro in shape.macros:
        if macro.name in COLLECTING:
            # What is filtered may have been made by another macro of the same expression.
            weight = max(seen.element, made if shape.has_map else 0.0) if macro.name == "filter" else made
            cost += turns * (inner if shape.nesting > 1 else outer) / 2 * (_VALUE + weight)
    return cost


@dataclass(frozen=True, slots=True)
class _Body:
    """What the bodies of macros look at: elements, and other values."""

    #: Names in them.
    names: int
    #: The weight that one name may stand for.
    seen: float
    #: The same, where no name stands for a whole element unless the text says so.
    given: float

    @classmethod
    def of(cls, shape: Shape, seen: Visible) -> Self:
        foreign, names, is_whole = set[str](), 0, False
        for place, bindings in _body_names(shape):
            names += 1
            if shape.tokens[place].text not in bindings:
                foreign.add(shape.tokens[place].text)
            elif shape.tokens[place + 1].text not in (".", "["):
                is_whole = True
        others = sum(seen.roots.get(root, seen.whole) for root in foreign)
        return cls(max(names, 1), seen.element + others, (seen.element if is_whole else seen.inner) + others)

    def turn(self, shape: Shape) -> float:
        """Of one turn: what is put together is copied, anything else is looked at."""
        added = shape.pluses - shape.outer_pluses
        copies = self.names + (added + 1) ** 2 / 2 if added or shape.literals else _LOOK
        return _VALUE * len(shape.tokens) + copies * self.seen

    def made(self, source_bytes: int) -> float:
        """Return the weight of what one turn of a ``map`` adds."""
        return (self.given + _BYTE * source_bytes) * self.names


def _body_names(shape: Shape) -> Iterator[tuple[int, set[str]]]:
    """Names of values in the bodies of macros, with what is bound there."""
    for place, token in enumerate(shape.tokens[:-1]):
        after = shape.tokens[place - 1].text == "." if place else False
        if token.is_name and not after and token.text not in WORDS and shape.tokens[place + 1].text != "(":
            around = shape.inside(place)
            if around and place != around[-1].opens + 1:
                yield place, {macro.variable for macro in around}
