"""A route for each row of the table, made from the method of the client that it names.

The endpoint's signature is that of the method, its summary and description are the method's docstring. What a request
must pass comes before its body is read: a key, the key's scope, the bounds of what is sent.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Coroutine, Mapping
from contextlib import nullcontext
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response, Security
from fastapi.routing import APIRoute

from taskengine.api import BlockingTaskAPI, TaskAPI, operations
from taskengine.api.operations.keys import Caller
from taskengine.api.surface import ADVICE, BODY_BYTES, GRAPH_BYTES, LONGEST_WAIT, PREFIX, ROWS, Row, Scope, Sends
from taskengine.core.remedy import as_commands
from taskengine.errors import WaitTimeoutError
from taskengine.rest import limits, progress
from taskengine.rest.answers import Answer, answer_of
from taskengine.rest.arguments import (
    KEY,
    KEY_HEADER,
    arguments_of,
    body_names,
    refuse_repeat,
    refuse_unknown,
    signature_of,
)
from taskengine.rest.auth import SHOWN, Door, need
from taskengine.rest.large import is_large, read
from taskengine.rest.live_texts import SSE, STREAMED, live_parameters, live_text
from taskengine.rest.problem_model import Problem, problems_of

T = TypeVar("T")
_ROWS = {row.id: row for row in ROWS}
#: Seconds beyond the longest wait in which a verb must have answered.
_GRACE = 3.0
#: Answers that any route may give beside its own.
_ANY = (400, 401, 403, 408, 413, 415, 422, 429, 500, 503)
_SPOKEN = re.compile(r":\w+:`~?(?:\.?TaskAPI\.)?([^`]+)`")


def router() -> APIRouter:
    """Return the routes of all rows, with what they run: no caller shall wait for an import."""
    operations.load()
    made = APIRouter(prefix=PREFIX, dependencies=[Security(SHOWN)])
    for row in ROWS:
        answer = answer_of(row)
        summary, description = _texts(row)
        made.add_api_route(
            row.path,
            _endpoint(row),
            methods=[row.verb],
            response_model=answer.model,
            status_code=204 if answer.is_nothing else 200,
            responses=_responses(row),
            summary=summary,
            description=description,
            operation_id=row.id,
            tags=[re.split(r"[/:{]", row.path)[1]],
            openapi_extra={"x-scope": row.scope.word, **live_parameters(row.id)},
            route_class_override=RowRoute,
        )
    return made


class RowRoute(APIRoute):
    """Asks for the key, and bounds what is sent, before anything of it is parsed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request to this route."""
        answer = super().get_route_handler()
        row = _ROWS[str(self.operation_id)]
        most = GRAPH_BYTES if row.is_large else BODY_BYTES

        async def handler(request: Request) -> Response:
            door: Door = request.app.state.door
            request.state.caller = need(await door.caller(request), row.scope)
            refuse_unknown(request, self, body_names(row))
            refuse_repeat(request, row)
            body = await limits.read_body(request, most)
            if body:
                limits.refuse_other_types(request.headers)
            with as_commands() if request.headers.get(ADVICE) == "commands" else nullcontext():
                done = await _done_aside(row, request, body) if is_large(row, body) else None
                return await answer(limits.replayed(request, body)) if done is None else done

        return handler


def _endpoint(row: Row) -> Callable[..., Any]:
    async def endpoint(request: Request, **brought: Any) -> Response:
        given = _allowed(row, brought, request.state.caller)
        method = getattr(request.app.state.door, row.name)
        if row.sends is Sends.WHERE and progress.is_wanted(request):
            return await progress.told(method, given)
        return await _in_time(row, _answered(row, method, given))

    asked = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    signature = signature_of(row)
    endpoint.__signature__ = signature.replace(parameters=[asked, *signature.parameters.values()])  # type: ignore[attr-defined]  # read by inspect
    endpoint.__name__ = row.id
    return endpoint


def _allowed(row: Row, brought: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """Return the arguments of the method; ScopeError for one that the key may not give."""
    given = arguments_of(row, brought, caller)
    for name, scope in row.only:
        if given.get(name):
            need(caller, scope)
    return given


async def _done_aside(row: Row, request: Request, body: bytes) -> Response | None:
    """Do in a thread what a large body asks for; None where something is wrong with it, of which FastAPI tells."""
    door: Door = request.app.state.door

    def done(client: BlockingTaskAPI) -> Response | None:
        if (brought := read(row, body)) is None:
            return None
        told = {**brought, KEY: request.headers.get(KEY_HEADER)}
        value = getattr(client, row.name)(**_allowed(row, told, request.state.caller))
        return _response(answer_of(row), value)

    return await _in_time(row, door.large.run(done))


async def _answered(row: Row, method: Callable[..., Any], given: dict[str, Any]) -> Response:
    """Call the method, and write what it answers."""
    answer = answer_of(row)
    try:
        value = await method(**given)
    except WaitTimeoutError as exc:
        if not row.waits:
            raise
        return _response(answer, answer.model.model_construct(done=False, pending=list(exc.pending), detail=str(exc)))
    return _response(answer, answer.model.model_construct(done=True, result=value) if row.waits else value)


async def _in_time(row: Row, work: Coroutine[Any, Any, T]) -> T:
    """Return what *work* comes to within the time of one request; WaitTimeoutError when that is over."""
    try:
        async with asyncio.timeout(None if row.sends is Sends.WHERE else LONGEST_WAIT + _GRACE):
            return await work
    except TimeoutError as exc:
        if isinstance(exc, WaitTimeoutError):
            raise
        says = f"not done within {LONGEST_WAIT:g} s; it may go on, and the same request asks again"
        raise WaitTimeoutError([], LONGEST_WAIT, says=says) from exc


def _response(answer: Answer, value: Any) -> Response:
    return Response(status_code=204) if value is None and answer.is_nothing else Response(
        answer.write(value), media_type=answer.media_type
    )


def _texts(row: Row) -> tuple[str, str]:
    """Return the summary and the description: the docstring's first sentence, and the rest."""
    text = _SPOKEN.sub(r"\1", inspect.getdoc(getattr(TaskAPI, row.name)) or "").replace("``", "`")
    first, _, rest = text.partition("\n\n")
    sentence, dot, more = " ".join(first.split()).partition(". ")
    summary = sentence.rstrip(".")
    is_name = "_" in summary.partition(" ")[0]
    further = "\n\n".join(filter(None, (more if dot else "", rest, _needs(row))))
    return summary if is_name else summary[:1].upper() + summary[1:], further


def _needs(row: Row) -> str:
    waits = f" Waits {LONGEST_WAIT:g} s at most: `done` false means to ask again." if row.waits else ""
    live = f"\n\n{live_text(row.id)}" if live_text(row.id) else ""
    again = _repeats(row)
    only = "".join(f" `{name}` needs **{scope.word}**." for name, scope in row.only)
    return f"Needs a key with the scope **{row.scope.word}**.{only}{waits}{again}{live}"


def _repeats(row: Row) -> str:
    """Return whether the same request may be sent again, where that is no matter of course."""
    if row.again:
        return f" **Not safe to repeat:** {row.again}; `{KEY_HEADER}` is refused."
    if row.verb != "POST" or row.scope is Scope.READ or row.key:
        return ""
    return f" Safe to repeat; `{KEY_HEADER}` changes nothing."


def _responses(row: Row) -> dict[int | str, dict[str, Any]]:
    statuses = {*_ANY, 404, 409, 504} | ({424} if row.waits else set())
    found = problems_of(*statuses)
    found[422] |= {"model": Problem}
    if row.sends is Sends.WHERE:
        found[200] = {"content": {progress.NDJSON: {"schema": {"type": "string"}}}}
    if row.id in STREAMED:
        found[200] = {"content": {SSE: {"schema": {"type": "string"}}}}
    if answer_of(row).media_type != "application/json":
        found[200] = {"content": {answer_of(row).media_type: {"schema": {"type": "string", "format": "binary"}}}}
    return found
