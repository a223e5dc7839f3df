"""Templates: JSON in whose texts ``${…}`` stands for a value.

A text that is one expression and nothing else becomes its value, of whatever type; in a longer text the value is
written into it, what is no text as JSON. ``$${`` is ``${``. Only what the author wrote is a template: a value that is
put in is never looked at again, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import JsonValue
from pydantic_core import to_json

from taskengine.core.bindings import Bindings
from taskengine.core.refs import Reference, references_in
from taskengine.errors import ExpressionError
from taskengine.models.template_text import Expression, is_template, pieces
from taskengine.settings import REFERENCE_LIMIT

#: Bytes of the values that one template takes in.
MAX_BYTES = REFERENCE_LIMIT
#: Fields of a task that only its agent reads. What stands in all others decides where and when it runs.
PASSED_ON = frozenset({"input", "description", "execution_context"})


def bind(template: JsonValue, bindings: Bindings) -> JsonValue:
    """JSON with the values of its expressions; ExpressionError of the first that has none, or of too much of them."""
    return _Binding(bindings).value(template)


class _Binding:
    """One template; it counts what it puts in, since each of thousands of expressions may come to 256 KiB."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._left = MAX_BYTES

    def value(self, template: JsonValue) -> JsonValue:
        match template:
            case str():
                return self._text(template) if is_template(template) else template
            case dict():
                return {key: self.value(held) for key, held in template.items()}
            case list():
                return [self.value(held) for held in template]
            case _:
                return template

    def _text(self, template: str) -> JsonValue:
        parts = list(pieces(template))
        if len(parts) == 1 and isinstance(parts[0], Expression):
            return self._evaluated(parts[0])[0]
        return "".join(part if isinstance(part, str) else self._evaluated(part)[1] for part in parts)

    def _evaluated(self, part: Expression) -> tuple[JsonValue, str]:
        """Return a value, and as it is written into a text."""
        value, text = written(part, self._bindings)
        self._left -= len(text)
        if self._left < 0:
            raise ExpressionError(part.source, f"the values of this template are over {MAX_BYTES} bytes together")
        return value, text


def written(part: Expression, bindings: Bindings) -> tuple[JsonValue, str]:
    """Return the value of an expression, and as it is written into a text; ExpressionError where it has none."""
    refuse_open(part)
    value = _json(bindings.evaluate(part.source))
    return value, value if isinstance(value, str) else to_json(value).decode()


def refuse_open(part: Expression) -> None:
    """ExpressionError where an expression has no end."""
    if not part.is_closed:
        raise ExpressionError(part.source, "'${' without its '}'; for a literal ${ write $${")


def _json(value: Any) -> JsonValue:
    made: JsonValue = value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
    return made


def reads(template: Mapping[str, JsonValue]) -> tuple[Reference, ...]:
    """Return what a task's template reads."""
    return references_in(dict(template))


def is_late(template: Mapping[str, JsonValue]) -> bool:
    """Return whether a task can only be made when what stands before it is over.

    It reads variables, which change; or a step in a field that decides where and when it runs. A step that only its
    agent's fields read is read by the worker.
    """
    return any(
        ref.root == "variables" or (ref.root == "steps" and name not in PASSED_ON)
        for name, value in template.items()
        for ref in references_in(value)
    )
