"""An expression as its tokens: what can be said of it before anybody evaluates it.

Texts in quotes and comments count for nothing but themselves, so a name inside a text is no name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from taskengine.models.template_text import OPAQUE

#: What takes a variable and a body and goes over a list or the keys of an object.
MACROS = frozenset({"map", "filter", "all", "exists", "exists_one", "existsOne"})
#: Those of them that make a list, which is copied whole for each element that is added.
COLLECTING = frozenset({"map", "filter"})
#: Words that are values or types, never variables.
WORDS = frozenset(
    {"true", "false", "null", "in", "int", "uint", "double", "bool", "string", "bytes", "list", "map", "type"}
    | {"null_type", "dyn", "duration", "timestamp", "optional", "size"}
)
_TOKEN = re.compile(
    rf"(?P<opaque>{OPAQUE.pattern})|(?P<number>\.?[0-9][0-9A-Za-z_.]*)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<mark>\S)",
    re.DOTALL,
)
_OPEN, _CLOSED = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Token:
    """A name, a number, a text in quotes, or one mark."""

    text: str
    is_name: bool = False
    is_literal: bool = False


@dataclass(frozen=True, slots=True)
class Macro:
    """One call of a macro: where its brackets are among the tokens, and what it binds."""

    name: str
    opens: int
    closes: int
    variable: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What an expression may cost, as far as its text tells."""

    tokens: tuple[Token, ...]
    macros: tuple[Macro, ...]
    #: Macros inside each other.
    nesting: int
    brackets: int
    commas: int
    #: ``+`` outside of all macros, and all of them.
    outer_pluses: int
    pluses: int
    #: Lists and objects that are written out.
    literals: int

    def calls(self, name: str) -> bool:
        """Return whether a name stands for a function."""
        return any(a.text == name and b.text == "(" for a, b in pairwise(self.tokens))

    @property
    def has_map(self) -> bool:
        """Whether a macro makes elements that are not there yet."""
        return any(macro.name == "map" for macro in self.macros)

    def inside(self, place: int) -> list[Macro]:
        """Return the macros in whose brackets a token stands."""
        return [macro for macro in self.macros if macro.opens < place < macro.closes]


@lru_cache(maxsize=4096)
def shape(source: str) -> Shape:
    """Look at an expression."""
    tokens = tuple(_tokens(source))
    macros = tuple(_macros(tokens))
    bounds = [(macro.opens, macro.closes) for macro in macros]
    pluses = [at for at, token in enumerate(tokens) if token.text == "+"]
    return Shape(
        tokens,
        macros,
        max((sum(a <= opens < b for a, b in bounds) for opens, _ in bounds), default=0),
        sum(token.text in _OPEN for token in tokens),
        sum(token.text == "," for token in tokens),
        sum(not any(a < at < b for a, b in bounds) for at in pluses),
        len(pluses),
        sum(token.text == "{" or (token.text == "[" and not _is_index(tokens, at)) for at, token in enumerate(tokens)),
    )


def _is_index(tokens: Sequence[Token], at: int) -> bool:
    before = tokens[at - 1] if at else Token("")
    return (before.is_name and before.text != "in") or before.is_literal or before.text in (")", "]", "}")


def _tokens(source: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(source):
        text = found[0]
        if found["opaque"]:
            if not text.startswith("//"):
                yield Token(text, is_literal=True)
        else:
            yield Token(text, is_name=found["name"] is not None, is_literal=found["number"] is not None)


def _macros(tokens: Sequence[Token]) -> Iterator[Macro]:
    for at, token in enumerate(tokens[1:-1], 1):
        if token.text in MACROS and tokens[at - 1].text == "." and tokens[at + 1].text == "(":
            variable = tokens[at + 2].text if at + 2 < len(tokens) else ""
            yield Macro(token.text, at + 1, _closing(tokens, at + 1), variable)


def _closing(tokens: Sequence[Token], at: int) -> int:
    depth = 0
    for place in range(at, len(tokens)):
        depth += (tokens[place].text in _OPEN) - (tokens[place].text in _CLOSED)
        if depth == 0:
            return place
    return len(tokens)


_STRANGE = re.compile(r"""(?<!\\)(?:\\\\)*\\[^abfnrtv\\'"xuU0-7]""")


def literal(text: str) -> str | int | None:
    """Return the text in quotes or the whole number that a token is; None of any other."""
    if text.isdecimal():
        return int(text[:20])
    if text[:1] not in "rR" and _STRANGE.search(text):
        return None  # CEL has escapes that Python would keep, and warn of
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


#: Parts of a regular expression, repeated ones as often as they may be; each costs its reader up to half a millisecond.
MAX_PATTERN = 200
_ATOM = re.compile(r"\\[pPx]\{[^}]*\}|\\.|\[(?:\\.|[^\]\\])*\]|\{(\d+)(,(\d*))?\}|.", re.DOTALL)


def pattern_fault(pattern: str) -> str | None:
    """Return why a regular expression would take too long to be read; None when it does not."""
    groups: list[list[int]] = [[]]
    for found in _ATOM.finditer(pattern):
        if found[1] is not None and groups[-1]:
            groups[-1][-1] *= max(1, int(found[1][:6]), int((found[3] or "0")[:6]))
        elif found[0] == "(":
            groups.append([])
        elif found[0] == ")" and len(groups) > 1:
            inner = groups.pop()
            groups[-1].append(sum(inner) + 1)
        else:
            groups[-1].append(1)
    parts = sum(map(sum, groups))
    if parts <= MAX_PATTERN:
        return None
    return f"the pattern has {parts} parts with its repetitions, the limit is {MAX_PATTERN}"
