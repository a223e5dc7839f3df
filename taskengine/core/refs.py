"""What an expression or template reads, found in its text: ``steps.build.output.tag``, ``variables.retries``.

Every way from a root is written out, so what a step needs is known before anything runs: ``steps[variables.x]`` is
refused. A way ends where the text does not say how it goes on (``context.hosts[index]`` reads ``context.hosts``).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from taskengine.core.expression_text import WORDS, Shape, Token, literal, shape
from taskengine.errors import ExpressionError
from taskengine.models.condition import WorkflowCondition
from taskengine.models.definition import did_you_mean
from taskengine.models.template_text import Expression, expressions

#: What expressions may begin with. ``item`` and ``index`` are there in a map, ``iteration`` in a loop, ``output`` in a
#: step's own ``outputs``, ``input`` in a task's other fields, ``error`` where a failure is handled.
ROOTS = ("context", "variables", "steps", "item", "index", "iteration", "output", "error", "workflow", "input")
#: In a task of no workflow: outputs of its dependencies, by name. No root of a condition, where it is a field's name.
RESULTS = "results"
#: What is known of a step; the names before one of these are the way to it.
STEP_FIELDS = ("output", "status", "error", "turns", "failed")
#: What ``workflow`` has.
WORKFLOW_FIELDS = ("id", "name", "run_id")

#: Roots whose first key must be written out, so that what is read is known before; and how.
_NAMED = {"steps": "steps.build.output", RESULTS: "results.build.tag"}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A way from a root into values."""

    root: str
    #: Keys and places behind the root.
    path: Path = ()
    #: Whether it only asks if there is something, as in ``has(…)``.
    is_asked: bool = False
    #: Names of the step that it reads, from the outermost one down; empty when it reads none.
    step: tuple[str, ...] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out once what is asked for each step that says it."""
        object.__setattr__(self, "step", _step_of(self.path) if self.root == "steps" else ())

    @property
    def field(self) -> str | None:
        """Which of :data:`STEP_FIELDS` of the step; None where it says none."""
        found = self.path[len(self.step)] if self.step and len(self.path) > len(self.step) else None
        return str(found) if found is not None else None

    def __str__(self) -> str:
        return spelled((self.root, *self.path))


def _step_of(path: Path) -> tuple[str, ...]:
    ends = next((at for at, word in enumerate(path) if at and word in STEP_FIELDS), len(path))
    return tuple(str(word) for word in path[:ends])


def spelled(path: Sequence[str | int]) -> str:
    """Return a way as an expression writes it."""
    steps = [f"[{key}]" if isinstance(key, int) else f".{key}" for key in path]
    return "".join(steps).removeprefix(".")


@lru_cache(maxsize=4096)
def references(source: str) -> tuple[Reference, ...]:
    """Return what an expression reads, each once; ExpressionError for what is no root or names no step."""
    return tuple(dict.fromkeys(_references(source, shape(source))))


#: Words that CEL keeps for itself, so that they name no field: such an expression is refused.
_RESERVED = WORDS | frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package"}
    | {"namespace", "return", "var", "void", "while"}
)
_WAY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")


@lru_cache(maxsize=4096)
def way(source: str) -> Path | None:
    """Return the keys of an expression that is a way through objects and nothing else, as ``steps.build.output.tag``;
    None of any other.
    """
    if not _WAY.fullmatch(source):
        return None
    path = tuple(source.split("."))
    return path if path[0] in ROOTS and _RESERVED.isdisjoint(path) else None


def references_in(value: Any) -> tuple[Reference, ...]:
    """Return what the ``${…}`` in the texts of JSON read, each once."""
    return tuple(dict.fromkeys(ref for source in sources_in(value) for ref in references(source)))


def sources_in(value: Any) -> Iterator[str]:
    """Yield the texts of the expressions in the texts of JSON."""
    return (each.source for each in expressions_in(value))


def expressions_in(value: Any) -> Iterator[Expression]:
    """Yield the expressions in the texts of JSON."""
    match value:
        case str():
            yield from expressions(value)
        case dict():
            for held in value.values():
                yield from expressions_in(held)
        case list():
            for held in value:
                yield from expressions_in(held)


def references_of(condition: WorkflowCondition) -> tuple[Reference, ...]:
    """Return what a condition reads; a bare field is read from ``variables``, ``context`` and the output before, as
    ``Reference("variables", (name,))`` tells.
    """
    return tuple(dict.fromkeys(_of_condition(condition)))


def _of_condition(condition: WorkflowCondition) -> Iterator[Reference]:
    if condition.expression is not None:
        yield from references(condition.expression)
    if condition.field is not None:
        path = field_path(condition.field)
        yield Reference(str(path[0]), path[1:]) if path[0] in ROOTS else Reference("variables", path)
        yield from references_in(condition.value)
    for inner in (*(condition.all_of or ()), *(condition.any_of or ())):
        yield from _of_condition(inner)
    if condition.not_ is not None:
        yield from _of_condition(condition.not_)


@lru_cache(maxsize=4096)
def field_path(field: str) -> Path:
    """Return the way that the field of a condition names."""
    return tuple(_plain_steps(shape(field).tokens, 0)[0])


def _references(source: str, of: Shape) -> Iterator[Reference]:
    for place, token in enumerate(of.tokens):
        if not _begins_a_path(of, place):
            continue
        bound = {macro.variable for macro in of.inside(place)}
        if token.text in bound:
            continue
        if token.text not in ROOTS and token.text != RESULTS:
            raise ExpressionError(
                source, f"{token.text!r:.60} is unknown; begin with {', '.join(ROOTS)}{did_you_mean(token.text, ROOTS)}"
            )
        yield _reference(source, of, place)


def _begins_a_path(of: Shape, place: int) -> bool:
    token = of.tokens[place]
    before = of.tokens[place - 1].text if place else ""
    after = of.tokens[place + 1].text if place + 1 < len(of.tokens) else ""
    is_bound_here = any(place == macro.opens + 1 for macro in of.macros)
    return token.is_name and token.text not in WORDS and before != "." and after != "(" and not is_bound_here


def _reference(source: str, of: Shape, place: int) -> Reference:
    (root, *path), end = _plain_steps(of.tokens, place)
    if end < len(of.tokens) and of.tokens[end].text == "(" and path:
        path.pop()  # a function of the value before it
    if root in _NAMED and not (path and isinstance(path[0], str)):
        raise ExpressionError(source, f"{root} needs the name of one, as {_NAMED[root]}; it cannot be computed")
    asked = place >= 2 and [token.text for token in of.tokens[place - 2 : place]] == ["has", "("]
    return Reference(str(root), tuple(path), asked)


def _plain_steps(tokens: Sequence[Token], place: int) -> tuple[list[str | int], int]:
    """Return a path as far as it is written out, and the place behind it."""
    path: list[str | int] = [tokens[place].text]
    at = place + 1
    while (step := _step(tokens[at : at + 3])) is not None:
        key, length = step
        path.append(key)
        at += length
    return path, at


def _step(tokens: Sequence[Token]) -> tuple[str | int, int] | None:
    """One step of a path, ``.name`` or ``['name']`` or ``[0]``, and its tokens; None where there is none."""
    marks = [token.text for token in tokens]
    if marks[:1] == ["."] and len(tokens) > 1 and tokens[1].is_name:
        return marks[1], 2
    if len(tokens) == 3 and marks[::2] == ["[", "]"] and (key := literal(marks[1])) is not None:
        return key, 3
    return None
