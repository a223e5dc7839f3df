"""The JSON Schema that a task's result must fit.

References inside the schema are written out, so that what pydantic makes of models in models can be used; any other
reference is refused, as :mod:`taskengine.core.forms` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_json

from taskengine.core.forms import answer_faults, schema_faults
from taskengine.errors import InvalidInputError

#: Bytes of a schema as JSON, and values in it once its references are written out.
LARGEST = 64 * 1024
_MOST_FAULTS = 5
_DEFINITIONS = ("$defs", "definitions")


def refuse_schema(schema: Mapping[str, Any], field: str = "output_schema") -> None:
    """Raise InvalidInputError where a result could not be held against *schema*."""
    faults = list(schema_faults(written_out(schema, field)))[:_MOST_FAULTS]
    if faults:
        told = "; ".join(f"{'.'.join(map(str, (field, *location)))}: {what}" for location, what in faults)
        raise InvalidInputError(told, field=field)


def found_in(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield what :func:`refuse_schema` would say, each with its place in *schema*; also of one that is too large."""
    if len(to_json(schema)) > LARGEST:
        yield (), f"it is over {LARGEST} bytes"
        return
    try:
        written = written_out(schema, "output_schema")
    except InvalidInputError as exc:
        yield (), str(exc).removeprefix("output_schema: ")
        return
    yield from list(schema_faults(written))[:_MOST_FAULTS]


def result_faults(schema: Mapping[str, Any], result: Any) -> list[str]:
    """Return what is wrong with a result, as ``field: what``; empty when it fits."""
    return answer_faults(written_out(schema, "output_schema"), result)[:_MOST_FAULTS]


def written_out(schema: Mapping[str, Any], field: str) -> dict[str, Any]:
    """Return *schema* with what its references mean in their places; InvalidInputError for one that is in a circle."""
    room = [LARGEST]

    def walk(value: Any, above: tuple[str, ...]) -> Any:
        room[0] -= 1
        if room[0] < 0:
            raise InvalidInputError(f"{field}: too much of it is repeated by references; write less", field=field)
        if isinstance(value, list):
            return [walk(each, above) for each in value]
        if not isinstance(value, Mapping):
            return value
        place = value.get("$ref")
        if isinstance(place, str) and place.startswith("#/"):
            if place in above:
                raise InvalidInputError(f"{field}: {place} refers to itself; write out as deep as it goes", field=field)
            meant = walk(_at(schema, place, field), (*above, place))
            beside = {name: walk(each, above) for name, each in value.items() if name != "$ref"}
            return {**meant, **beside} if isinstance(meant, dict) else meant
        return {name: walk(each, above) for name, each in value.items()}

    top = {name: each for name, each in schema.items() if name not in _DEFINITIONS}
    found: dict[str, Any] = walk(top, ())
    return found


def _at(schema: Mapping[str, Any], place: str, field: str) -> Any:
    found: Any = schema
    for part in place[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or key not in found:
            raise InvalidInputError(f"{field}: {place} is not there", field=field)
        found = found[key]
    return found
