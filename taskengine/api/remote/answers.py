"""What the server answers, as what the verb returns: the annotation says which, and models read themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter, create_model
from typing_extensions import is_typeddict

#: The bytes of an answer -> what the verb returns; an id becomes a handle in the hands of the client.
Reader: TypeAlias = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Waited:
    """How far a wait has come."""

    is_done: bool
    pending: tuple[str, ...]
    #: What it waits for, in words; None where nobody can tell.
    detail: str | None
    result: Any


class _Stand(BaseModel):
    done: bool
    pending: tuple[str, ...] = ()
    detail: str | None = None
    result: Any = Field(default=None)


@cache
def reader_of(kind: Any) -> Reader:
    """Return what reads answers of a verb that returns *kind*."""
    if kind is bytes:
        return bytes
    if kind is type(None):
        return lambda _: None
    if inspect.isclass(kind) and issubclass(kind, list) and kind is not list:
        return _page(kind)
    if get_origin(kind) is list:
        return _field("items", kind)
    if inspect.isclass(kind) and issubclass(kind, UUID):
        return _field("result", UUID)
    if get_origin(kind) is dict or is_typeddict(kind) or (inspect.isclass(kind) and issubclass(kind, BaseModel)):
        return TypeAdapter(kind).validate_json
    return _field("result", kind)


@cache
def waited_of(kind: Any) -> Callable[[bytes], Waited]:
    """Return what reads how far a wait for a *kind* has come."""
    stand, whole = TypeAdapter(_Stand), _field("result", kind)

    def read(body: bytes) -> Waited:
        now = stand.validate_json(body)
        return Waited(now.done, now.pending, now.detail, whole(body) if now.done else None)

    return read


def _field(name: str, kind: Any) -> Reader:
    fields: Any = {name: (kind, ...)}
    model: Any = create_model("Answered", **fields)
    return lambda body: getattr(model.model_validate_json(body), name)


def _page(kind: type[list[Any]]) -> Reader:
    """Return what reads a page: a list, and what it says of itself."""
    hints = get_type_hints(kind.__init__)
    extras = {name: hints[name] for name in list(inspect.signature(kind).parameters)[1:]}
    base: Any = kind.__orig_bases__[0]  # type: ignore[attr-defined]  # list[Task]
    fields: Any = {"items": (base, ...), **{name: (hint, ...) for name, hint in extras.items()}}
    model: Any = create_model("Page", **fields)

    def read(body: bytes) -> Any:
        told: Any = model.model_validate_json(body)
        return kind(told.items, **{name: getattr(told, name) for name in extras})

    return read
