"""A method of the client as a request to the server, and the server's answer as what the method returns."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints
from urllib.parse import quote
from uuid import uuid4

from pydantic import ValidationError

from taskengine.api.aio.agents import AsyncAgents
from taskengine.api.operations.agent_fields import refuse_other_changes
from taskengine.api.remote.answers import Reader
from taskengine.api.remote.arguments import plain
from taskengine.api.remote.message import Answer, Exchange, Request
from taskengine.api.remote.revive import another_version, error_of
from taskengine.api.surface import BODY_BYTES, GRAPH_BYTES, PREFIX, Row, Scope, Sends
from taskengine.errors import InvalidInputError, PayloadTooLargeError
from taskengine.models import TaskFilter, TaskUpdateRequest
from taskengine.settings import Settings
from taskengine.store.codec import dumps

#: Types of what an agent is changed by.
_FURTHER = get_type_hints(AsyncAgents.register_agent)
#: Verbs of HTTP that say the same thing a second time.
_SAME_AGAIN = frozenset({"GET", "PUT"})


@dataclass(frozen=True, slots=True)
class Verb:
    """One method of one client class."""

    name: str
    #: Where it may be asked for: the first whose path can be filled.
    rows: tuple[Row, ...]
    signature: inspect.Signature
    hints: Mapping[str, Any]

    @classmethod
    def of(cls, client: type, name: str, rows: tuple[Row, ...]) -> Verb:
        """Return the verb that a class has under a name."""
        method = getattr(client, name)
        by_detail = sorted(rows, key=lambda row: -len(row.in_path))
        return cls(name, tuple(by_detail), inspect.signature(method), get_type_hints(method))

    @property
    def kind(self) -> Any:
        """What it returns."""
        return self.hints["return"]

    def bound(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        """Return what it is called with, by name and nothing that was left out; TypeError as from any call."""
        given = self.signature.bind(None, *args, **named).arguments
        given.pop("self")
        return dict(given)

    def request(self, given: Mapping[str, Any], settings: Settings) -> Request:
        """Return the request that a call is; InvalidInputError where it cannot be sent."""
        row = next((row for row in self.rows if all(given.get(name) is not None for name in row.in_path)), self.rows[0])
        told = dict(self._told(row, given, settings))
        path = {name: _segment(name, told.pop(name)) for name in row.in_path}
        body, query = self._placed(row, told)
        return Request(
            row.verb, PREFIX + row.path.format(**path), query, _bounded(row, body), key=_key(row, given),
            is_repeatable=row.verb in _SAME_AGAIN or row.scope is Scope.READ or bool(row.key),
        )  # fmt: skip

    def _told(self, row: Row, given: Mapping[str, Any], settings: Settings) -> Iterator[tuple[str, Any]]:
        """Yield each argument that is sent, as JSON values."""
        further = [each.name for each in self.signature.parameters.values() if each.kind is each.VAR_KEYWORD]
        changes = given.get(further[0], {}) if further else {}
        for name, value in given.items():
            if name in {"progress", row.who, *further} or (name in row.without and name not in further):
                continue
            yield name, plain(value, self.hints.get(name, Any), name, settings)
        if row.sends is Sends.WHERE:
            yield from TaskFilter(**changes).model_dump(mode="json", exclude_unset=True).items()
        elif row.one == "request":
            yield from _change(given, changes)
        elif further:
            refuse_other_changes(given["agent_id"], changes)
            yield from ((name, plain(value, _FURTHER[name], name, settings)) for name, value in changes.items())

    def _placed(self, row: Row, told: Mapping[str, Any]) -> tuple[bytes | None, tuple[tuple[str, str], ...]]:
        """Return the body and the query."""
        if row.sends is Sends.QUERY:
            return None, tuple(self._query(told))
        if row.sends is Sends.ONE:
            rest = {name: value for name, value in told.items() if name != row.one}
            return dumps(told.get(row.one), row.one).encode(), tuple(self._query(rest))
        fields = (f"{dumps(name, name)}:{dumps(value, name)}" for name, value in told.items())
        return f"{{{','.join(fields)}}}".encode(), ()

    def _query(self, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in told.items():
            if value is not None or self.signature.parameters[name].default is not None:
                yield from ((name, each) for each in _words(name, value))


def _change(given: Mapping[str, Any], changes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if given.get("request") is None:
        yield "request", TaskUpdateRequest(**changes).model_dump(mode="json")
    elif changes:
        raise InvalidInputError("pass one TaskUpdateRequest, or the fields to change by name", field="request")


def _segment(name: str, value: Any) -> str:
    """Return one part of a path."""
    text = value if isinstance(value, str) else ""
    if text in {"", ".", ".."} or "/" in text:
        raise InvalidInputError(f"{name} is {value!r:.80}; pass a name without a slash", field=name)
    try:
        return quote(text, safe=":")
    except UnicodeEncodeError as exc:
        raise InvalidInputError(f"{name} is {value!r:.80}, which is no Unicode text: {exc}", field=name) from exc


def _words(name: str, value: Any) -> Iterator[str]:
    """Yield what a parameter of the query says."""
    if isinstance(value, list):
        for each in value:
            yield from _words(name, each)
    elif isinstance(value, str):
        dumps(value, name)  # a lone surrogate is refused here
        yield value
    else:
        yield dumps(value, name)


def _bounded(row: Row, body: bytes | None) -> bytes | None:
    most = GRAPH_BYTES if row.is_large else BODY_BYTES
    if body is not None and len(body) > most:
        raise PayloadTooLargeError(row.one or "body", len(body), most)
    return body


def _key(row: Row, given: Mapping[str, Any]) -> str | None:
    """Return a key for what nothing else tells apart from the same thing asked for twice.

    A task and a workflow have their ids, which the client makes.
    """
    field = row.key.partition(".")[0]
    if not row.key or "." in row.key or given.get(field) is not None:
        return None
    return str(uuid4()) if field == "signal_id" or isinstance(given.get("workflow"), str) else None


def answered(request: Request, read: Reader, where: str) -> Exchange[Any]:
    """Return what the server answers to a request; the error that it answers with is raised."""
    return understood((yield from request), read, where)


def understood(answer: Answer, read: Reader, where: str) -> Any:
    """Return what an answer says; the error that it tells of is raised."""
    if not 200 <= answer.status < 300:
        raise error_of(answer, where)
    try:
        return read(answer.body)
    except (ValidationError, InvalidInputError) as exc:
        raise another_version(where, f"its answer cannot be read ({_first_fault(exc):.120})") from exc


def _first_fault(exc: ValidationError | InvalidInputError) -> str:
    if isinstance(exc, InvalidInputError):
        return str(exc)
    fault = exc.errors(include_url=False, include_context=False, include_input=False)[0]
    return ": ".join(filter(None, (".".join(map(str, fault["loc"])), fault["msg"])))
