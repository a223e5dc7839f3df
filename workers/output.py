"""What an agent returns, as JSON: plain values as they are, others as pydantic makes them.

Dataclasses, pydantic models, moments, UUIDs, decimals, sets, tuples, paths, enums become what ``model_dump_json`` of a
model that holds them has; a scalar of numpy its ``item()``. The plain way is tried first and costs what it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel
from pydantic_core import SchemaSerializer, core_schema

from taskengine.errors import InvalidInputError
from taskengine.store.codec import dumps
from workers.plain import name_of, text_of

#: Not a number stays one, which is no JSON: null would be another answer.
_SERIALIZER = SchemaSerializer(core_schema.any_schema(), {"ser_json_inf_nan": "constants"})
#: Levels of a value that are searched for what is wrong with it.
_DEEPEST = 64
_PLAIN = (str, int, float, bool, list, type(None))


def as_object(value: Any) -> dict[str, Any]:
    """Return what dependents see of *value*: a JSON object as it is, any other JSON value ``x`` as ``{"value": x}``."""
    if isinstance(value, dict):
        return value
    if type(value) in _PLAIN:
        return {"value": value}
    made = _converted(value, "result")
    return made if isinstance(made, dict) else {"value": made}


def encoded(output: dict[str, Any]) -> str:
    """*output* as JSON; InvalidInputError names the key of what cannot be."""
    try:
        return dumps(output, "result")
    except BaseException as exc:  # not plain, or its own objects raise: the other way tells
        if isinstance(exc, InvalidInputError) and "is not JSON" not in str(exc):
            raise  # too deep: no other way makes it flatter
        return _encoded(_converted(output, "result"), output)


def _encoded(made: Any, output: dict[str, Any]) -> str:
    try:
        return dumps(made, "result")
    except InvalidInputError as exc:
        if "is not JSON" not in str(exc):  # too deep: it says where by itself
            raise
        raise _refusal(output, "result", exc) from exc


def _converted(value: Any, field: str) -> Any:
    try:
        return _SERIALIZER.to_python(value, mode="json", fallback=_scalar)
    except BaseException as exc:  # whatever its objects raise when they are read
        raise _refusal(value, field, exc) from exc


def _scalar(value: Any) -> Any:
    """Return the Python number in a scalar of numpy and its like."""
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)):
        return value.item()
    raise TypeError(f"{name_of(type(value))} has no JSON form")


def _refusal(value: Any, field: str, exc: BaseException) -> InvalidInputError:
    path, reason = field, exc
    for _ in range(_DEEPEST):
        wrong = next(((step, child, why) for step, child in _children(value) if (why := _fault(child))), None)
        if wrong is None:
            break
        step, value, reason = wrong
        path += step
    shown = text_of(reason).removeprefix("result is not JSON: ").removesuffix("; pass plain JSON values")
    return InvalidInputError(f"{path[:500]} is not JSON: {shown}; return plain JSON values", field=field)


def _fault(value: Any) -> BaseException | None:
    try:
        dumps(_SERIALIZER.to_python(value, mode="json", fallback=_scalar), "result")
    except BaseException as exc:  # as above
        return exc
    return None


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts of a value, each with its step of the path."""
    if isinstance(value, dict):
        yield from ((f".{text_of(key)}", part) for key, part in dict.items(value))
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((f"[{at}]", part) for at, part in enumerate(value))
    elif isinstance(value, BaseModel):
        yield from ((f".{name}", part) for name, part in value.__dict__.items())
    elif is_dataclass(value) and not isinstance(value, type):
        yield from ((f".{field.name}", getattr(value, field.name, None)) for field in fields(value))
