"""What somebody is asked for, and what was answered: JSON Schema, without what could make it slow or reach out.

References are refused (``$ref`` could hold itself, double at each level, or be fetched from somewhere), and patterns
are read by the evaluator of expressions, which is never slow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from taskengine.core.expressions import matches, refuse_pattern
from taskengine.errors import ExpressionError

#: Faults of an answer that are told.
MOST = 20
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
Location = tuple[str | int, ...]


def schema_faults(schema: Any) -> Iterator[tuple[Location, str]]:
    """Yield what is wrong with a JSON Schema, with where it is."""
    refused = list(_refused(schema, ()))
    yield from refused
    if not refused:
        for error in _validator(_library().Draft202012Validator.META_SCHEMA).iter_errors(schema):
            yield tuple(error.absolute_path), f"no JSON Schema: {error.message:.200}"


def answer_faults(schema: Mapping[str, Any], answer: Any) -> list[str]:
    """Return what is wrong with an answer, as ``field: what``; empty when it is right."""
    found = []
    for error in _with_our_patterns()(dict(schema)).iter_errors(answer):
        where = ".".join(map(str, error.absolute_path))
        found.append(f"{where}: {error.message:.200}" if where else f"{error.message:.200}")
        if len(found) == MOST:
            break
    return found


def _refused(schema: Any, location: Location) -> Iterator[tuple[Location, str]]:
    match schema:
        case dict():
            for key, held in schema.items():
                if key in _REFERENCES and isinstance(held, str):
                    yield (*location, key), "a reference is not followed; write out what it means"
                elif key == "pattern" and isinstance(held, str):
                    yield from _pattern(held, (*location, key))
                elif key == "patternProperties" and isinstance(held, dict):
                    yield (*location, key), "is not read; name the properties"
                yield from _refused(held, (*location, key))
        case list():
            for place, held in enumerate(schema):
                yield from _refused(held, (*location, place))


def _pattern(pattern: str, location: Location) -> Iterator[tuple[Location, str]]:
    try:
        refuse_pattern(pattern)
    except ExpressionError as exc:
        yield location, exc.reason


def _library() -> Any:
    # Imported when the first schema comes: it takes 0.1 s, and most processes have none.
    return import_module("jsonschema")


@cache
def _with_our_patterns() -> Any:
    library = _library()

    def pattern(_: Any, wanted: str, value: Any, __: Any) -> Iterator[Any]:
        if isinstance(value, str) and not matches(wanted, value):
            yield library.ValidationError(f"{value!r:.60} does not match {wanted!r}")

    return library.validators.extend(library.Draft202012Validator, {"pattern": pattern})


def _validator(schema: Any) -> Any:
    return _library().Draft202012Validator(schema)
