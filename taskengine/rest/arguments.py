"""What a request brings, as the arguments of the method that it asks for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from inspect import Parameter
from typing import Annotated, Any

from fastapi import Body, Header, Path, Query, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, Json, JsonValue, TypeAdapter, ValidationError, create_model

from taskengine.api.operations.agent_fields import CHANGEABLE
from taskengine.api.operations.keys import Caller, end_of
from taskengine.api.surface import LONGEST_WAIT, MOST_IDS, PREFIX, ROWS, Row, Scope, Sends
from taskengine.errors import InvalidInputError
from taskengine.models import Task, TaskCreateRequest, TaskFilter, Workflow
from taskengine.models.definition import did_you_mean
from taskengine.rest.examples import EXAMPLES
from taskengine.rest.wire import parameters

#: What an endpoint takes beside arguments of the method.
BODY, KEY = "request_body", "idempotency_header"
KEY_HEADER = "Idempotency-Key"
_IDS = frozenset({"task_ids", "message_ids"})
_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(Json[dict[str, JsonValue]])


class RequestBody(BaseModel):
    """An object of arguments; one that the method does not know is refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


@cache
def signature_of(row: Row) -> inspect.Signature:
    """Return the signature of a row's endpoint, as FastAPI reads it."""
    inside = body_names(row)
    found = [
        _outside(row, name, _limited(row, each))
        for name, each in parameters(row).items()
        if name not in inside and each.kind is not Parameter.VAR_KEYWORD
    ]
    if row.key:
        mark = Header(alias=KEY_HEADER, description="The same request sent again answers as the first did.")
        found.append(_endpoints(KEY, Annotated[str | None, mark], None))
    if (body := body_model(row)) is not None:
        is_needed = bool(row.one) or any(field.is_required() for field in body.model_fields.values())
        kind: Any = Annotated[body if is_needed else body | None, Body(openapi_examples=EXAMPLES.get(row.id))]
        found.append(_endpoints(BODY, kind, ... if is_needed else None))
    return inspect.Signature(found)


def _endpoints(name: str, annotation: Any, default: Any) -> Parameter:
    given = Parameter.empty if default is ... else default
    return Parameter(name, Parameter.KEYWORD_ONLY, default=given, annotation=annotation)


def _outside(row: Row, name: str, each: Parameter) -> Parameter:
    if name in row.in_path:
        return _endpoints(name, Annotated[each.annotation, Path()], ...)
    default = ... if each.default is Parameter.empty else each.default
    if _is_object(each):
        return _endpoints(name, Annotated[str | None, Query(description="A JSON object.")], default)
    return _endpoints(name, Annotated[each.annotation, Query()], default)


def _is_object(each: Parameter) -> bool:
    return "dict[" in str(each.annotation)


@cache
def body_names(row: Row) -> frozenset[str]:
    """Return the arguments that travel in the body."""
    if row.sends is Sends.QUERY:
        return frozenset()
    if row.sends is Sends.ONE:
        return frozenset({row.one})
    return frozenset(parameters(row)) - {*row.in_path}


@cache
def body_model(row: Row) -> Any:
    """Return the model of a row's body; None where it has none."""
    known, names = parameters(row), body_names(row)
    if row.sends is Sends.ONE:
        kind = known[row.one].annotation
        return next((each for each in getattr(kind, "__args__", (kind,)) if each is not type(None)), None)
    fields: dict[str, Any] = {}
    for name in (name for name in known if name in names):
        each = _limited(row, known[name])
        if each.kind is Parameter.VAR_KEYWORD:
            fields |= _further(row)
        else:
            fields[name] = (each.annotation, ... if each.default is Parameter.empty else each.default)
    if not fields:
        return None
    return create_model(_title(row), __base__=RequestBody, **fields)


def _title(row: Row) -> str:
    return "".join(word.capitalize() for word in row.id.split("_")) + "Body"


def _further(row: Row) -> dict[str, Any]:
    """Return the fields that a method takes by name and does not list."""
    if row.sends is Sends.WHERE:
        return {name: (field.annotation, field) for name, field in TaskFilter.model_fields.items()}
    (register,) = (each for each in ROWS if each.name == "register_agent")
    known = parameters(register)
    return {name: (known[name].annotation | None, None) for name in CHANGEABLE}


def _limited(row: Row, each: Parameter) -> Parameter:
    """Return a parameter with the bounds that one request has."""
    if each.name == "timeout":
        kind = Annotated[float, Field(ge=0, le=LONGEST_WAIT, description="Seconds that this request may wait.")]
        return each.replace(annotation=kind, default=LONGEST_WAIT)
    if each.name == "wait" and row.waits:
        return each.replace(default=False)
    if each.name in _IDS:
        return each.replace(annotation=Annotated[each.annotation, Field(max_length=MOST_IDS)])
    return each


def arguments_of(row: Row, brought: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """Return what to call the row's method with."""
    given = {name: value for name, value in brought.items() if name not in {BODY, KEY}}
    for name in body_names(row) ^ parameters(row).keys():
        if isinstance(given.get(name), str) and _is_object(parameters(row)[name]):
            given[name] = _object(name, given[name])
    body = brought.get(BODY)
    if row.sends is Sends.ONE:
        given[row.one] = body
    elif body is not None:
        given |= _told(row, body)
    if row.waits and body is None:  # who sends no body asks for the defaults of one request
        given |= _told(row, body_model(row)())
    _sign(row, given, caller)
    if row.until:
        given[row.until] = end_of(given.get(row.until), caller)
    if row.key and (key := brought.get(KEY)) is not None:
        _put_key(row, given, key)
    _make_tasks(row, given, caller)
    return given


def refuse_repeat(request: Request, row: Row) -> None:
    """InvalidInputError for an ``Idempotency-Key`` that would protect nobody."""
    if row.again and KEY_HEADER in request.headers:
        says = (
            f"{row.verb} {PREFIX}{row.path} takes no {KEY_HEADER}, for it is not safe to repeat: {row.again}; send it "
            "without, and when the answer is lost look what came of it first"
        )
        raise InvalidInputError(says, field=KEY_HEADER)


def refuse_unknown(request: Request, route: APIRoute, inside: frozenset[str] = frozenset()) -> None:
    """InvalidInputError for a parameter that nobody reads: a filter with a slip would else find everything.

    *inside*: arguments that travel in the body.
    """
    known = {each.alias for each in route.dependant.query_params}  # FastAPI's word (codespell:ignore)
    for name in request.query_params:
        if name in inside:
            raise InvalidInputError(f"{name!r} belongs into the body: {{\"{name}\": …}}", field=name)
        if name not in known:
            there = f"there are {', '.join(sorted(known))}" if known else "there is none"
            says = f"{name!r:.80} is no parameter here; {there}{did_you_mean(name, known)}"
            raise InvalidInputError(says, field=name)


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        return _OBJECT.validate_python(text)
    except ValidationError as exc:
        says = exc.errors()[0]["msg"]
        raise InvalidInputError(f"{name} is {text!r:.80}; pass a JSON object: {says}", field=name) from exc


def _told(row: Row, body: BaseModel) -> dict[str, Any]:
    """Return the fields of a body: all, or where the method has further ones those that were set."""
    names = set(type(body).model_fields)
    if any(each.kind is Parameter.VAR_KEYWORD for each in parameters(row).values()):
        names = names & body.model_fields_set
    return {name: getattr(body, name) for name in names}


def _sign(row: Row, given: dict[str, Any], caller: Caller) -> None:
    """Put the key's name where the method asks who does it, or who made a workflow."""
    if caller.name is None:
        return
    if row.who:
        given[row.who] = caller.name
    if isinstance(workflow := given.get("workflow"), Workflow) and (
        workflow.created_by is None or not _may_name_others(caller)
    ):
        given["workflow"] = workflow.with_checked({"created_by": caller.name})


def _make_tasks(row: Row, given: dict[str, Any], caller: Caller) -> None:
    """Put tasks in the place of requests, made by the key: nobody else holds what they hold."""
    if row.name == "create_tasks":
        given["tasks"] = [_made(task, caller) for task in given["tasks"]]
    elif row.name == "create_task":
        given["task"] = _made(given["task"], caller)


def _made(asked: TaskCreateRequest, caller: Caller) -> Task:
    if asked.created_by is not None and not _may_name_others(caller):
        asked = asked.with_checked({"created_by": None})
    return asked.as_task(caller.name)


def _may_name_others(caller: Caller) -> bool:
    """Whether what it says of who made a thing counts: who may make a key of any name gains nothing by it."""
    return caller.name is None or caller.scope >= Scope.ADMIN


def _put_key(row: Row, given: dict[str, Any], key: str) -> None:
    """Put the header in its place; InvalidInputError when the body names another key."""
    name, _, field = row.key.partition(".")
    there = getattr(given[name], field) if field else given.get(name)
    if there is not None and there != key:
        raise InvalidInputError(
            f"the header Idempotency-Key is {key!r:.80} and {row.key} is {there!r:.80}; send one of them",
            field="idempotency_key",
        )
    given[name] = given[name].model_copy(update={field: key}) if field else key
