"""What the client's methods answer, as JSON: always an object, so that a field can come later.

A list is ``{"items": […], "cursor": …}``, with whatever else the page says of itself; a model is itself; a word or a
number is ``{"result": …}``. A wait says whether it came to its end: ``{"done": false, "pending": […]}`` means that the
time of one request was up and nothing else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter, create_model
from pydantic_core import to_json
from typing_extensions import is_typeddict

from taskengine.api.surface import Row
from taskengine.models.event import Event
from taskengine.rest.wire import answer_type

T = TypeVar("T")
#: Items of a list that are written at once.
_PIECE = 256


class Items(BaseModel, Generic[T]):
    """A list."""

    items: list[T]
    #: Pass it back for what follows; None at the end.
    cursor: str | None = None


class Result(BaseModel, Generic[T]):
    """A word or a number, or None where there is nothing."""

    result: T


class Waited(BaseModel, Generic[T]):
    """How far a wait has come."""

    done: bool = Field(description="False when the time of the request was up first: ask again.")
    pending: list[str] = Field(default_factory=list, description="Ids that are still open.")
    detail: str | None = Field(None, description="What it waits for, in words.")
    result: T | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """How one method's answer is written."""

    #: For the schema; None where the answer is no JSON or nothing at all.
    model: Any
    write: Callable[[Any], bytes]
    media_type: str = "application/json"
    is_nothing: bool = False


@cache
def answer_of(row: Row) -> Answer:
    """Return how the answers of a row are written."""
    kind = answer_type(row)
    if kind is bytes:
        return Answer(None, bytes, "application/octet-stream")
    if kind is type(None):
        return Answer(None, lambda _: b"", is_nothing=True)
    if row.waits:
        model: Any = Waited[kind]  # type: ignore[valid-type]  # made while it runs
        return Answer(model, _writer(model))
    if get_origin(kind) is list:
        return _answer_of_list(kind)
    model, shape = _shape(kind)
    write = _writer(model)
    return Answer(model, lambda value: write(shape(value)))


def _writer(model: Any) -> Callable[[Any], bytes]:
    return TypeAdapter(model).dump_json


def _answer_of_list(kind: Any) -> Answer:
    """Return how a list is written: in pieces, for while pydantic writes one no other thread goes on."""
    model: Any = Items[get_args(kind)]  # type: ignore[misc]  # made while it runs
    write_piece = _writer(kind)

    def write(value: list[Any]) -> bytes:
        pieces = (write_piece(value[at : at + _PIECE])[1:-1] for at in range(0, len(value), _PIECE))
        return b'{"items":[%b],"cursor":%b}' % (b",".join(pieces), to_json(_cursor(value)))

    return Answer(model, write)


def _shape(kind: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return the model of an answer, and what makes one of a method's answer."""
    if inspect.isclass(kind) and issubclass(kind, list) and kind is not list:
        extras = _extras(kind)
        page = _page(kind, extras)
        return page, lambda value: page.model_construct(
            items=list(value), **{name: getattr(value, name) for name in extras}
        )
    if inspect.isclass(kind) and issubclass(kind, UUID):  # a handle is the id of its workflow
        kind = UUID
    elif get_origin(kind) is dict or is_typeddict(kind) or (inspect.isclass(kind) and issubclass(kind, BaseModel)):
        return kind, lambda value: value
    result: Any = Result[kind]
    return result, lambda value: result.model_construct(result=value)


def _cursor(listed: list[Any]) -> str | None:
    """Return where a history goes on; other lists are whole."""
    return str(listed[-1].sequence) if listed and isinstance(listed[-1], Event) else None


def _extras(page: type[list[Any]]) -> dict[str, Any]:
    """Return what a page says of itself, by name: what its constructor takes behind the list."""
    hints = get_type_hints(page.__init__)
    names = list(inspect.signature(page).parameters)[1:]
    return {name: hints[name] for name in names}


def _page(kind: type[list[Any]], extras: dict[str, Any]) -> type[BaseModel]:
    base: Any = kind.__orig_bases__[0]  # type: ignore[attr-defined]  # list[Task]
    fields: dict[str, Any] = {"items": (base, ...), **{name: (hint, ...) for name, hint in extras.items()}}
    return create_model(kind.__name__, __doc__=inspect.getdoc(kind), **fields)
