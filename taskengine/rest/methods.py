"""Methods that every path has beside its own: HEAD where GET is, OPTIONS, and for any other one which there are."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def allowed(routes: list[BaseRoute], scope: Scope) -> list[str]:
    """Return the methods that a path takes, whichever route each of them has."""
    own = [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return [*own, *(["HEAD"] if "GET" in own else []), "OPTIONS"]


@dataclass(frozen=True, slots=True)
class Heads:
    """An ASGI application that answers HEAD as *app* answers GET, but for the body."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self.app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            await self.app(scope, receive, send)


def _without_body(send: Send) -> Send:
    is_over = False

    async def told(message: Message) -> None:
        nonlocal is_over
        if message["type"] != "http.response.body":
            await send(message)
        elif not is_over:  # a stream is over with its head: whoever pours it is told that the client went away
            is_over = True
            await send({"type": "http.response.body", "body": b""})

    return told
