"""Every error that leaves the server, ours and HTTP's own, as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from taskengine.api.problems import PLAIN, PROBLEM_JSON, PROBLEMS, kind_of, problem
from taskengine.errors import (
    InvalidInputError,
    StoreUnavailableError,
    TaskEngineError,
    TooManyRequestsError,
    UnknownKeyError,
)
from taskengine.models.definition import did_you_mean
from taskengine.rest.methods import allowed
from taskengine.rest.nowhere import nowhere

_log = logging.getLogger(__name__)

#: Seconds after which to ask again a server whose store does not answer.
RETRY_AFTER = 2
#: Of which starlette says no more than their name.
_UNTOLD = frozenset({HTTPStatus.NOT_FOUND})
_COME_BACK = frozenset({HTTPStatus.SERVICE_UNAVAILABLE})


class HttpError(Exception):
    """What HTTP itself refuses, with a sentence."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers


def install(app: FastAPI) -> None:
    """Answer every error of *app* with a problem document."""
    app.add_exception_handler(TaskEngineError, _answer)
    app.add_exception_handler(HttpError, _answer)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(Exception, _fault)


def error_response(error: TaskEngineError | HttpError, instance: str | None = None) -> JSONResponse:
    """Return the answer that an error is."""
    if isinstance(error, HttpError):
        return _response(_plainly(error.status, str(error)), instance, error.headers)
    return _response(problem(error), instance, _headers(error))


def _headers(error: TaskEngineError) -> Mapping[str, str] | None:
    if isinstance(error, UnknownKeyError):
        return {"WWW-Authenticate": 'Bearer realm="taskengine"'}
    if isinstance(error, TooManyRequestsError):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    if kind_of(type(error)).status in _COME_BACK:
        return {"Retry-After": str(RETRY_AFTER)}
    return None


def _response(
    document: Mapping[str, Any], instance: str | None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    told = {**document, "instance": instance} if instance else dict(document)
    return JSONResponse(told, int(document["status"]), headers, media_type=PROBLEM_JSON)


def _plainly(status: int, detail: str) -> dict[str, Any]:
    kind, _ = PLAIN.get(status, PLAIN[500 if status >= 500 else 400])
    return {"type": PROBLEMS + kind.slug, "title": kind.title, "status": status, "detail": detail}


def _answer(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TaskEngineError | HttpError)
    if isinstance(error, StoreUnavailableError):
        return _away(request, error)
    return error_response(error, request.url.path)


def _away(request: Request, error: StoreUnavailableError) -> JSONResponse:
    """Say that the store does not answer, and leave to the log where it is: whoever reaches the server may ask."""
    _log.warning("store does not answer method=%s path=%s says=%s", request.method, request.url.path, error)
    told = {**problem(error), "detail": "the store of this server does not answer; the server's log says more"}
    return _response(told, request.url.path, _headers(error))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Answer what pydantic found as an InvalidInputError of ours, with all of it in ``errors``."""
    assert isinstance(error, RequestValidationError)
    known = _known(request)
    found = [_fault_of(each, known) for each in error.errors()]
    pointer, says = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    field = pointer.lstrip("/").replace("/", ".") or None
    document = problem(InvalidInputError(f"{field or 'body'}: {says}{more}", field=field))
    document["errors"] = [{"pointer": pointer, "detail": detail} for pointer, detail in found[:100]]
    return _response(document, request.url.path)


def _known(request: Request) -> Collection[str]:
    """Return the fields that a body may have here; none where it is no object of fields."""
    body = getattr(request.scope.get("route"), "body_field", None)
    kinds = (body.field_info.annotation, *get_args(body.field_info.annotation)) if body is not None else ()
    return {name for kind in kinds for name in getattr(kind, "model_fields", ())}


def _fault_of(wrong: Mapping[str, Any], known: Collection[str] = ()) -> tuple[str, str]:
    """Return where a request is wrong, as a pointer, and what is wrong there; *known*: fields of its body."""
    location = tuple(wrong["loc"])
    if location == ("body",) and wrong["type"] == "missing":
        return "", "there is no body; send a JSON object, with Content-Type: application/json"
    if wrong["type"] == "json_invalid":  # whose place is one in the text
        return "", f"it is no JSON: {wrong['ctx']['error']} at character {location[-1]}"
    if wrong["type"] == "extra_forbidden" and location[:-1] == ("body",):
        return _pointer(location), f"there is no such field{did_you_mean(str(location[-1]), known)}"
    return _pointer(location), str(wrong["msg"])


def _pointer(location: tuple[str | int, ...]) -> str:
    """Return a place in a request as a pointer (RFC 6901); it does not say whether it is in the path or the body."""
    parts = location[1:] if location and location[0] in {"body", "path", "query", "header"} else location
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1")[:100] for part in parts)


def _plain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _other_method(request)
    detail = nowhere(request) if error.status_code in _UNTOLD else error.detail
    return _response(_plainly(error.status_code, str(detail)), request.url.path, error.headers)


def _other_method(request: Request) -> Response:
    """Say which methods a path has: that is the answer to OPTIONS, and to any other one its refusal."""
    methods = ", ".join(allowed(request.app.router.routes, request.scope))
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": methods})
    detail = f"{request.url.path} takes {methods}, and not {request.method}"
    return _response(_plainly(HTTPStatus.METHOD_NOT_ALLOWED, detail), request.url.path, {"Allow": methods})


def _fault(request: Request, error: Exception) -> JSONResponse:
    """Answer a fault of the server without telling what it is; its log has it."""
    _log.error("fault method=%s path=%s", request.method, request.url.path, exc_info=error)
    return _response(_plainly(500, PLAIN[500][1]), request.url.path)
