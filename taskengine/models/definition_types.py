"""The types of fields that only definitions have: names, expressions, texts that hold some, and bounded JSON.

Models know no language: whether an expression can be read is asked of whoever validates, if he brings a function for
it as ``context={CHECK: …}``. (:func:`taskengine.core.workflow_faults.examine` does.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StringConstraints, ValidationInfo

from taskengine.errors import ExpressionError, InvalidInputError
from taskengine.models.definition import Found, faulty
from taskengine.models.depth import refuse_deep
from taskengine.models.template_text import expressions, is_template, unwrapped

#: Bytes of one expression.
MAX_EXPRESSION = 4096
#: Where a validation's context holds the function that raises ExpressionError for what cannot be read.
CHECK = "check_expression"

#: The name of a step or variable: what an expression can spell.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
#: What a client sends a signal under.
SignalName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,100}$")]


def _flat(value: Any) -> Any:
    """Refuse what lies too deep before anybody descends into it."""
    try:
        refuse_deep(value, "it")
    except InvalidInputError as exc:
        raise ValueError(str(exc)) from exc
    return value


def _expression(text: str, info: ValidationInfo) -> str:
    source = unwrapped(text.strip())
    if is_template(source):
        raise ValueError("is an expression, no text that holds some: write 'a-' + item, not a-${item}")
    if not source:
        raise ValueError("the expression is empty")
    if fault := _expression_fault(source, info):
        raise ValueError(fault)
    return source


def _expression_fault(source: str, info: ValidationInfo) -> str | None:
    if (size := len(source.encode(errors="replace"))) > MAX_EXPRESSION:
        return f"the expression is {size} bytes, the limit is {MAX_EXPRESSION}; move a part into a step"
    try:
        (info.context or {}).get(CHECK, str)(source)
    except ExpressionError as exc:
        return f"{exc.expression:.60}: {exc.reason}"
    return None


def template_faults(value: Any, info: ValidationInfo, location: tuple[str | int, ...] = ()) -> Iterator[Found]:
    """Yield what is wrong with the ``${…}`` in the texts of JSON."""
    match value:
        case str():
            for each in expressions(value):
                if not each.is_closed:
                    yield location, "'${' without its '}'; for a literal ${ write $${"
                elif not each.source:
                    yield location, "'${}' is empty; for a literal ${ write $${"
                elif fault := _expression_fault(each.source, info):
                    yield location, fault
        case dict():
            for key, held in value.items():
                yield from template_faults(held, info, (*location, key))
        case list():
            for place, held in enumerate(value):
                yield from template_faults(held, info, (*location, place))


def _templates(value: Any, info: ValidationInfo) -> Any:
    if found := list(template_faults(value, info)):
        raise faulty("template", found)
    return value


#: JSON no deeper than anywhere else.
Json = Annotated[JsonValue, BeforeValidator(_flat)]
#: A JSON object by names that expressions can spell.
Variables = Annotated[dict[Name, JsonValue], BeforeValidator(_flat)]
JsonObject = Annotated[dict[str, JsonValue], BeforeValidator(_flat)]
#: An expression; ``${…}`` around the whole of it is taken off.
ExpressionText = Annotated[str, AfterValidator(_expression)]
#: A text in which ``${…}`` stands for a value.
TemplateText = Annotated[str, AfterValidator(_templates)]
#: JSON whose texts may hold ``${…}``.
TemplateJson = Annotated[JsonValue, BeforeValidator(_flat), AfterValidator(_templates)]
#: What expressions are bound to, by variable.
Templates = Annotated[dict[Name, JsonValue], BeforeValidator(_flat), AfterValidator(_templates)]
#: Seconds, none included.
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
