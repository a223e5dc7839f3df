"""The types of fields that only definitions have: names, expressions, texts that hold some, and bounded JSON.

Whether an expression can be read is asked above, in :mod:`taskengine.core`: models know no language.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StringConstraints

from taskengine.errors import InvalidInputError
from taskengine.models.definition import Found, faulty
from taskengine.models.depth import refuse_deep
from taskengine.models.template_text import expressions, is_template, unwrapped

#: Bytes of one expression.
MAX_EXPRESSION = 4096

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


def _short(source: str) -> str:
    if (size := len(source.encode(errors="replace"))) > MAX_EXPRESSION:
        raise ValueError(f"the expression is {size} bytes, the limit is {MAX_EXPRESSION}; move a part into a step")
    return source


def _expression(text: str) -> str:
    source = unwrapped(text.strip())
    if is_template(source):
        raise ValueError("is an expression, no text that holds some: write 'a-' + item, not a-${item}")
    if not source:
        raise ValueError("the expression is empty")
    return _short(source)


def template_faults(value: Any, location: tuple[str | int, ...] = ()) -> Iterator[Found]:
    """What is wrong with the ``${…}`` in the texts of JSON, without reading the expressions."""
    match value:
        case str():
            for each in expressions(value):
                if not each.is_closed:
                    yield location, "'${' without its '}'; for a literal ${ write $${"
                elif not each.source:
                    yield location, "'${}' is empty; for a literal ${ write $${"
                elif (size := len(each.source.encode(errors="replace"))) > MAX_EXPRESSION:
                    yield location, f"the expression is {size} bytes, the limit is {MAX_EXPRESSION}"
        case dict():
            for key, held in value.items():
                yield from template_faults(held, (*location, key))
        case list():
            for place, held in enumerate(value):
                yield from template_faults(held, (*location, place))


def _templates(value: Any) -> Any:
    if found := list(template_faults(value)):
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
