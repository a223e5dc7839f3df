"""Whether a condition holds, with the values that it sees.

- ``equals`` and ``not_equals`` compare any JSON; 1 equals 1.0, and true equals nothing but true.
- Ordering compares a number with a number, or a text with a text, letter by letter; anything else is an error.
- ``in`` and ``contains`` find by the same equality: a text in a text, an element in a list, a key in an object.
- ``starts_with``, ``ends_with`` and ``matches`` compare texts.
- ``exists`` asks whether there is something that is not null.

A field that is missing is an error but under ``exists`` and ``not_exists``; where another condition of an ``any_of``
holds, or one of an ``all_of`` does not, nobody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from taskengine.core import expressions
from taskengine.core.bindings import Bindings
from taskengine.core.expressions import MissingValueError
from taskengine.core.templates import bind
from taskengine.errors import ExpressionError
from taskengine.models.condition import ORDERING, ConditionOperator, WorkflowCondition

Operator = ConditionOperator


def holds(condition: WorkflowCondition, bindings: Bindings) -> bool:
    """Return whether a condition holds; ExpressionError when it has no answer, MissingValueError when a value is
    missing.
    """
    if condition.expression is not None:
        return bindings.decide(condition.expression)
    if condition.all_of is not None:
        return _combined(condition.all_of, bindings, settled_by=False)
    if condition.any_of is not None:
        return _combined(condition.any_of, bindings, settled_by=True)
    if condition.not_ is not None:
        return not holds(condition.not_, bindings)
    return _compare(condition, bindings)


def holds_yet(condition: WorkflowCondition, bindings: Bindings) -> bool:
    """Return the same for a wait, where what is missing may still come."""
    try:
        return holds(condition, bindings)
    except MissingValueError:
        return False


def _combined(conditions: tuple[WorkflowCondition, ...], bindings: Bindings, *, settled_by: bool) -> bool:
    """Return whether one of them comes to *settled_by*, then that; what is missing counts only when none does."""
    missing: MissingValueError | None = None
    for condition in conditions:
        try:
            if holds(condition, bindings) is settled_by:
                return settled_by
        except MissingValueError as exc:
            missing = missing or exc
    if missing is not None:
        raise missing
    return not settled_by


def _compare(condition: WorkflowCondition, bindings: Bindings) -> bool:
    field, operator = str(condition.field), condition.operator
    if operator in (Operator.EXISTS, Operator.NOT_EXISTS):
        return _is_there(field, bindings) is (operator is Operator.EXISTS)
    found, wanted = bindings.look_up(field), bind(condition.value, bindings)
    if operator in ORDERING:
        _refuse_unordered(field, operator, found, wanted)
    return _OPERATORS[Operator(str(operator))](_Operands(field, str(operator)), found, wanted)


def _is_there(field: str, bindings: Bindings) -> bool:
    try:
        return bindings.look_up(field) is not None
    except MissingValueError:
        return False


class _Operands(tuple[str, str]):
    """What a comparison is called in an error: field and operator."""

    __slots__ = ()

    def __new__(cls, field: str, operator: str) -> _Operands:
        return super().__new__(cls, (field, operator))

    def unfit(self, found: Any, wanted: Any, needs: str) -> ExpressionError:
        return ExpressionError(self[0], f"{self[1]} {needs}; it is {_shown(found)}, compared with {_shown(wanted)}")


def _refuse_unordered(field: str, operator: Any, found: Any, wanted: Any) -> None:
    if not (_is_number(found) and _is_number(wanted)) and not (isinstance(found, str) and isinstance(wanted, str)):
        raise _Operands(field, operator).unfit(found, wanted, "compares two numbers or two texts")


def equal(one: Any, other: Any) -> bool:
    """Return whether two values of JSON are the same; Python alone takes true for 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def _contains(names: _Operands, holder: Any, held: Any) -> bool:
    match holder:
        case str() if isinstance(held, str):
            return held in holder
        case list() | tuple():
            return any(equal(each, held) for each in holder)
        case Mapping() if isinstance(held, str):
            return held in holder
        case _:
            raise names.unfit(holder, held, "looks for a text in a text, an element in a list or a key in an object")


def _is_in(names: _Operands, found: Any, wanted: Any) -> bool:
    if not isinstance(wanted, list | tuple):
        raise names.unfit(found, wanted, "needs a list")
    return _contains(names, wanted, found)


def _texts(compare: Callable[[str, str], bool]) -> Callable[[_Operands, Any, Any], bool]:
    def compared(names: _Operands, found: Any, wanted: Any) -> bool:
        if not isinstance(found, str) or not isinstance(wanted, str):
            raise names.unfit(found, wanted, "compares two texts")
        return compare(found, wanted)

    return compared


_OPERATORS: dict[Operator, Callable[[_Operands, Any, Any], bool]] = {
    Operator.EQUALS: lambda _, found, wanted: equal(found, wanted),
    Operator.NOT_EQUALS: lambda _, found, wanted: not equal(found, wanted),
    Operator.LESS_THAN: lambda _, found, wanted: bool(found < wanted),
    Operator.LESS_THAN_OR_EQUAL: lambda _, found, wanted: bool(found <= wanted),
    Operator.GREATER_THAN: lambda _, found, wanted: bool(found > wanted),
    Operator.GREATER_THAN_OR_EQUAL: lambda _, found, wanted: bool(found >= wanted),
    Operator.IN: _is_in,
    Operator.NOT_IN: lambda names, found, wanted: not _is_in(names, found, wanted),
    Operator.CONTAINS: _contains,
    Operator.NOT_CONTAINS: lambda names, found, wanted: not _contains(names, found, wanted),
    Operator.STARTS_WITH: _texts(str.startswith),
    Operator.ENDS_WITH: _texts(str.endswith),
    Operator.MATCHES: _texts(lambda found, pattern: expressions.matches(pattern, found)),
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return f"{value!r:.60}"
