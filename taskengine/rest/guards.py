"""Who may speak to the server at all: hosts, origins and proxies, looked at before anything else.

A page that a browser shows may send requests to the loopback interface, and by a name of its own that it points there
(DNS rebinding) it may even read the answers. So on the loopback interface a request must name a host that is known; and
whatever changes something must not come from another site, as ``Sec-Fetch-Site`` and ``Origin`` tell, which no page can
forge. A program sends neither. Without a login a proxy before the server would open it to everybody, so one that is
seen is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from taskengine.errors import AccessError, TaskEngineError
from taskengine.rest.problems import HttpError, error_response

#: Methods that change nothing.
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: Names of this machine as it calls itself.
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
#: What a proxy adds.
_FORWARDED = ("forwarded", "via")
#: What every answer says, whatever it is.
_ALWAYS: Mapping[bytes, bytes] = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


@dataclass(frozen=True, slots=True)
class Guards:
    """An ASGI application that lets through to *app* what may be asked."""

    app: ASGIApp
    #: Hosts that a request may name; None: any.
    hosts: frozenset[str] | None
    #: Refuse what a proxy passed on.
    refuses_proxies: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(str(scope["method"]), Headers(scope=scope))
        app = self.app if refusal is None else error_response(refusal, str(scope["path"]))
        await app(scope, receive, _with_headers(send))

    def _refusal(self, method: str, headers: Headers) -> TaskEngineError | HttpError | None:
        host = headers.get("host", "")
        if self.hosts is not None and host_name(host) not in self.hosts:
            return HttpError(421, f"this server is not known as {host!r:.120}; start it with --allow-host NAME")
        if self.refuses_proxies and (seen := _forwarded(headers)):
            return AccessError(
                f"the header {seen} says that a proxy passed this on, and this server asks nobody for a key "
                "(--no-login); start it without, or take the proxy away"
            )
        if method not in SAFE and (origin := _foreign(headers, host)):
            return AccessError(f"the request comes from a page of another site ({origin:.120})")
        return None


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header, in lower case and without its port; '' when there is none."""
    if "@" in host:  # no user stands there: a part before would hide which name it is
        return ""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def host_port(host: str) -> int:
    """Return the port in a ``Host`` header; 80 when there is none."""
    try:
        return urlsplit(f"//{host}").port or 80
    except ValueError:
        return 80


def is_own_page(headers: Headers) -> bool:
    """Whether a browser says that a page of this server asks; a program, which says nothing, is none."""
    host = headers.get("host", "")
    told = "sec-fetch-site" in headers or "origin" in headers
    return told and headers.get("sec-fetch-site") != "none" and _foreign(headers, host) is None


def _forwarded(headers: Headers) -> str | None:
    """Return the name of a header that a proxy left."""
    return next((name for name in headers if name in _FORWARDED or name.startswith("x-forwarded-")), None)


def _foreign(headers: Headers, host: str) -> str | None:
    """Return where a browser says that the request comes from, if that is another site."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return None if site in {"same-origin", "none"} else f"Sec-Fetch-Site: {site}"
    if origin is None or urlsplit(origin).netloc.lower() == host.lower() != "":
        return None
    return f"Origin: {origin}"


def _with_headers(send: Send) -> Send:
    async def told(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))  # type: ignore[call-overload]  # pairs of bytes, says ASGI
            known = {name.lower() for name, _ in given}
            message = {**message, "headers": [*given, *((n, v) for n, v in _ALWAYS.items() if n not in known)]}
        await send(message)

    return told  # type: ignore[return-value]  # a message is a mutable mapping
