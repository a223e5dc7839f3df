"""Login of a browser: a key is shown once, and a cookie that no script can read stands for it until it is over.

Nothing but the cookie is the browser's, and nothing of the key is in it: it is an id and a secret of its own, which the
store forgets with the key, after twelve hours, or when somebody logs out.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from taskengine.api.operations.keys import SESSION_SECONDS, close_session, open_session
from taskengine.api.problems import PLAIN
from taskengine.errors import UnknownKeyError
from taskengine.rest import limits
from taskengine.rest.auth import Door, refuse_foreign
from taskengine.rest.problem_model import problems_of
from taskengine.rest.problems import HttpError

#: Bytes of a login.
_BYTES = 4096


class Login(BaseModel):
    """What a browser shows."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(max_length=200, description="A key, te_…")


class Session(BaseModel):
    """Who is logged in."""

    name: str | None = Field(description="Of the key; null where nobody needs one.")
    scope: str = Field(description="read, submit, operate or admin.")
    namespace: str = Field(description="Whose tasks this server shows.")


class LoginRoute(APIRoute):
    """Bounds what is sent before it is parsed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request to this route."""
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            body = await limits.read_body(request, _BYTES)
            if body and not limits.is_json(request.headers):
                raise HttpError(415, PLAIN[415][1])
            return await answer(limits.replayed(request, body))

        return handler


router = APIRouter(tags=["session"], route_class=LoginRoute)


@router.post(
    "/session", status_code=204, summary="Log a browser in", operation_id="log_in",
    responses=problems_of(400, 401, 403, 408, 413, 415, 422, 429, 503),
)  # fmt: skip
async def log_in(request: Request, login: Login) -> Response:
    """Set a cookie that stands for the key for twelve hours, as long as the key is valid."""
    door: Door = request.app.state.door
    session = await door.ask(open_session(login.key.strip()))
    answer = Response(status_code=204)
    answer.set_cookie(
        door.cookie(request), session, max_age=SESSION_SECONDS, secure=door.is_secure, httponly=True, samesite="strict"
    )
    return answer


@router.get(
    "/session", summary="Who is logged in", operation_id="get_session",
    responses=problems_of(400, 401, 408, 413, 415, 429, 503),
)  # fmt: skip
async def get_session(request: Request) -> Session:
    """Name and scope of the key that the cookie, or the header, stands for."""
    door: Door = request.app.state.door
    caller = await door.caller(request)
    return Session(name=caller.name, scope=caller.scope.word, namespace=door.settings.namespace)


@router.delete(
    "/session", status_code=204, summary="Log a browser out", operation_id="log_out",
    responses=problems_of(400, 403, 408, 413, 415, 429, 503),
)  # fmt: skip
async def log_out(request: Request) -> Response:
    """End the session on every server and take the cookie away; what was none ends as well."""
    door: Door = request.app.state.door
    name = door.cookie(request)
    if session := request.cookies.get(name):
        refuse_foreign(request)
        with suppress(UnknownKeyError):  # it was over
            await door.ask(close_session(session))
    answer = Response(status_code=204)
    answer.delete_cookie(name, secure=door.is_secure, httponly=True, samesite="strict")
    return answer
