"""How much one request may send, and how slowly: counted while it comes, refused before it is parsed."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from taskengine.api.problems import PLAIN
from taskengine.errors import InvalidInputError
from taskengine.models.depth import MAX_DEPTH
from taskengine.rest.feeds import LEAVE
from taskengine.rest.problems import RETRY_AFTER, HttpError, error_response

#: Seconds in which a body must have come.
BODY_SECONDS = 30.0
#: Requests at once.
MOST_REQUESTS = 1000
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_EMPTY = re.compile(rb"\[\]|\{\}")
_NOT_NESTING = bytes(set(range(256)) - set(b"[]{}"))


async def read_body(request: Request, most: int, seconds: float = BODY_SECONDS) -> bytes:
    """Return the body of a request; HttpError when it is too large or too slow, InvalidInputError when too deep."""
    _refuse_packed(request.headers)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise _too_large(most)
    try:
        async with asyncio.timeout(seconds):
            body = await _received(request, most)
    except TimeoutError:
        raise HttpError(408, f"the body was not here within {seconds:g} s", {"Connection": "close"}) from None
    _refuse_other_letters(body)
    if is_deep(body):
        raise InvalidInputError(f"the body holds more than {MAX_DEPTH} lists and objects inside each other; flatten it")
    return body


async def _received(request: Request, most: int) -> bytes:
    pieces, size = [], 0
    try:
        async for piece in request.stream():
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise _too_large(most)
    except ClientDisconnect:
        raise HttpError(400, "the client went away") from None
    return b"".join(pieces)


def _refuse_other_letters(body: bytes) -> None:
    """JSON is UTF-8 here: a parser that guesses would read UTF-16 as well, which nothing before it looks into."""
    try:
        body.decode()
    except UnicodeDecodeError as exc:
        raise HttpError(400, f"the body is no UTF-8: {exc.reason} at byte {exc.start}") from None
    if b"\0" in body:
        raise HttpError(400, "the body holds a zero byte, which JSON in UTF-8 has nowhere")


def _too_large(most: int) -> HttpError:
    return HttpError(413, f"the body is over {most} bytes, which is the most here", {"Connection": "close"})


def is_deep(body: bytes, most: int = MAX_DEPTH) -> bool:
    """Whether JSON nests deeper than *most*, in a few passes and no recursion; of what is no JSON perhaps."""
    if body.count(b"[") + body.count(b"{") <= most:
        return False
    nesting = _STRING.sub(b"", body).translate(None, _NOT_NESTING)
    for _ in range(most):  # each pass takes the innermost level away
        if not nesting:
            return False
        shorter = _EMPTY.sub(b"", nesting)
        if shorter == nesting:
            return False  # brackets that do not match: the parser says where
        nesting = shorter
    return bool(nesting)


def replayed(request: Request, body: bytes) -> Request:
    """Return a request whose body, read already, comes once more; what follows it is what the client does."""
    told = False

    async def receive() -> Message:
        nonlocal told
        if told:
            return await request.receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)


@dataclass(slots=True)
class Busy:
    """An ASGI application that passes on to *app* at most so many requests at once; a stream leaves them."""

    app: ASGIApp
    most: int = MOST_REQUESTS
    _running: int = field(default=0, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say that there are too many."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._running >= self.most:
            says = f"the server answers {self.most} requests, which is the most; ask again in {RETRY_AFTER} s"
            busy = HttpError(503, says, {"Retry-After": str(RETRY_AFTER)})
            await error_response(busy, str(scope["path"]))(scope, receive, send)
            return
        self._running += 1
        left = False

        def leave() -> None:
            nonlocal left
            self._running -= not left
            left = True

        try:
            await self.app({**scope, LEAVE: leave}, receive, send)
        finally:
            leave()


def refuse_other_types(headers: Headers) -> None:
    """HttpError for a body that says to be no JSON in UTF-8."""
    if not is_json(headers):
        kind = headers.get("content-type")
        raise HttpError(415, f"{PLAIN[415][1]} This one says {kind:.80}." if kind else PLAIN[415][1])


def _refuse_packed(headers: Headers) -> None:
    packing = headers.get("content-encoding", "").strip().lower()
    if packing not in {"", "identity"}:
        raise HttpError(415, f"the body is packed ({packing:.40}); send it as it is, without Content-Encoding")


def is_json(headers: Headers) -> bool:
    """Whether a body says that it is JSON in UTF-8."""
    kind, _, parameters = headers.get("content-type", "").partition(";")
    charset = re.search(r'charset\s*=\s*"?([\w-]+)', parameters, re.IGNORECASE)
    main = kind.strip().lower()
    is_ours = main == "application/json" or (main.startswith("application/") and main.endswith("+json"))
    return is_ours and (charset is None or charset[1].lower() in {"utf-8", "utf8"})
