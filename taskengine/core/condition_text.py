"""Conditions as people read them: what they ask, and what is there now."""

from __future__ import annotations

from collections.abc import Iterator

from taskengine.core.bindings import Bindings
from taskengine.core.refs import references, references_in
from taskengine.core.step_reads import conditions_in
from taskengine.errors import ExpressionError
from taskengine.models.condition import WorkflowCondition

#: Values that a text shows, and letters of each.
_MOST, _LONGEST = 8, 60


def asks(condition: WorkflowCondition) -> str:
    """Return a condition in a few words."""
    if condition.expression is not None:
        return condition.expression
    if condition.field is not None:
        value = "" if condition.value is None else f" {condition.value!r}"
        return f"{condition.field} {condition.operator}{value}"
    if condition.not_ is not None:
        return f"not {asks(condition.not_)}"
    word, several = (" and ", condition.all_of) if condition.all_of else (" or ", condition.any_of or ())
    return word.join(map(asks, several))


def present_values(condition: WorkflowCondition, bindings: Bindings) -> str:
    """Return what each field and reference of a condition is now: ``status is 'draft', count is not there``."""
    named = list(dict.fromkeys(_named(condition)))
    said = [f"{name} {_is_now(name, bindings)}" for name in named[:_MOST]]
    return ", ".join(said) + (", …" if len(named) > _MOST else "")


def _named(condition: WorkflowCondition) -> Iterator[str]:
    for one in conditions_in(condition):
        if one.field is not None:
            yield one.field
            yield from map(str, references_in(one.value))
        elif one.expression is not None:
            yield from map(str, references(one.expression))


def _is_now(name: str, bindings: Bindings) -> str:
    try:
        found = bindings.look_up(name)
    except ExpressionError:
        return "is not there"
    shown = repr(found)
    return f"is {shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + '…'}"
