"""Conditions: what a branch, a loop and a wait look at.

One is a field compared with a value, an expression, or a combination of conditions::

    WorkflowCondition(field="test_status", operator=ConditionOperator.EQUALS, value="passed")
    WorkflowCondition(expression="variables.retries < 3 && steps.test.status == 'failed'")
    WorkflowCondition(any_of=[…, …])

A text is enough where a condition is wanted: it is an expression.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from taskengine.models.definition import Found, Part, shown
from taskengine.models.definition_types import ExpressionText, TemplateJson
from taskengine.models.template_text import is_template


class ConditionOperator(StrEnum):
    """How a field is compared with a value (:mod:`taskengine.core.conditions` says exactly)."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    LESS_THAN = "less_than"
    LESS_THAN_OR_EQUAL = "less_than_or_equal"
    GREATER_THAN = "greater_than"
    GREATER_THAN_OR_EQUAL = "greater_than_or_equal"
    #: The field is one of a list.
    IN = "in"
    NOT_IN = "not_in"
    #: A text holds a text, a list an element, an object a key.
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    #: A regular expression, RE2's, is found somewhere in the text.
    MATCHES = "matches"
    #: It is there and not null.
    EXISTS = "exists"
    NOT_EXISTS = "not_exists"


#: They take no value.
UNARY = frozenset({ConditionOperator.EXISTS, ConditionOperator.NOT_EXISTS})
#: Numbers with numbers, texts with texts.
ORDERING = frozenset(
    {
        ConditionOperator.LESS_THAN,
        ConditionOperator.LESS_THAN_OR_EQUAL,
        ConditionOperator.GREATER_THAN,
        ConditionOperator.GREATER_THAN_OR_EQUAL,
    }
)
_OF_TEXT = frozenset({ConditionOperator.STARTS_WITH, ConditionOperator.ENDS_WITH, ConditionOperator.MATCHES})
_OF_LIST = frozenset({ConditionOperator.IN, ConditionOperator.NOT_IN})
_FORMS = ("field", "all_of", "any_of", "not_", "expression")

#: A name that is looked for in variables, context and the output before; or the way from a root, as
#: ``steps.test.output.passed`` and ``context.regions[0]``.
FieldPath = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*|\[[0-9]{1,9}\])*$", max_length=500),
]


class WorkflowCondition(Part):
    """A field compared with a value, or one of the other forms; exactly one of them."""

    field: FieldPath | None = None
    operator: ConditionOperator | None = None
    #: JSON; its texts may hold ``${…}``.
    value: TemplateJson = None
    #: All hold.
    all_of: Annotated[tuple[Condition, ...], Field(min_length=1)] | None = None
    #: One holds.
    any_of: Annotated[tuple[Condition, ...], Field(min_length=1)] | None = None
    #: It does not hold.
    not_: Condition | None = None
    #: It comes to true.
    expression: ExpressionText | None = None

    @classmethod
    def _rules(cls, given: Mapping[str, Any]) -> Iterator[Found]:
        forms = [form for form in _FORMS if given.get(form) is not None]
        if len(forms) != 1:
            says = f"has {' and '.join(forms)}" if forms else "says nothing"
            yield (), f"a condition {says}; give one of field with operator, all_of, any_of, not_, expression"
        if (given.get("field") is None) != (given.get("operator") is None):
            yield (), "field and operator belong together; give both"
        if given.get("field") is None and given.get("value") is not None:
            yield ("value",), "belongs to a field and an operator"
        yield from _value_rules(given.get("operator"), given.get("value"))


def _value_rules(operator: object, value: object) -> Iterator[Found]:
    if operator not in list(ConditionOperator):
        return
    if operator in UNARY and value is not None:
        yield ("value",), f"{operator} takes no value"
    if isinstance(value, str) and is_template(value):
        return
    if operator in ORDERING and (isinstance(value, bool) or not isinstance(value, int | float | str)):
        yield ("value",), f"{operator} compares with a number or a text, not with {shown(value)}"
    if operator in _OF_TEXT and not isinstance(value, str):
        yield ("value",), f"{operator} needs a text, not {shown(value)}"
    if operator in _OF_LIST and not isinstance(value, list | tuple):
        yield ("value",), f"{operator} needs a list, not {shown(value)}"


def _spelled_out(value: Any) -> Any:
    return {"expression": value} if isinstance(value, str) else value


#: A condition; a text is an expression.
Condition = Annotated[WorkflowCondition, BeforeValidator(_spelled_out, json_schema_input_type=WorkflowCondition | str)]

WorkflowCondition.model_rebuild()
