"""How a model is told which answer is wanted: by the service's own strict form of a schema, else in words.

The service takes a part of JSON Schema, with every object closed; anything else is a refused request. The client's
library translates, and what it cannot (a list of types, an object of any names) is told in the system prompt. Either
way the answer is checked by the whole schema afterwards (:mod:`workers.agents.claude.answer`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
from pydantic import JsonValue

Schema = dict[str, JsonValue]


def format_of(schema: Schema) -> dict[str, Any] | None:
    """Return the service's form of a schema; None where it has none that means the same."""
    if any(map(_is_lost, _schemas(schema))):
        return None
    try:
        return {"type": "json_schema", "schema": anthropic.transform_schema(dict(schema))}
    except (ValueError, AssertionError, TypeError):  # how the library says that it cannot
        return None


def _is_lost(part: Schema) -> bool:
    """Whether the closed form would have another meaning: it knows no names but those of ``properties``, and nothing
    that lies beside them.
    """
    if any(key in part for key in ("definitions", "patternProperties", "not", "if")):
        return True
    if part.get("type") != "object":
        return False
    named, required = part.get("properties"), part.get("required")
    return (
        not isinstance(named, dict)
        or not named
        or part.get("additionalProperties", False) is not False
        or (isinstance(required, list) and not set(map(str, required)) <= named.keys())
    )


def _schemas(value: JsonValue) -> Iterator[Schema]:
    """Yield every object in a schema, which may be one itself."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _schemas(each)
    elif isinstance(value, list):
        for each in value:
            yield from _schemas(each)
