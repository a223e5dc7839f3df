"""What the server can do, for programs (``/openapi.json``) and for people (``/docs``, without internet)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import threading

from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from pydantic_core import to_json
from starlette.responses import HTMLResponse
from starlette.routing import Route

#: Where the programs of ``/docs`` are.
STATIC = "/static-offline-docs"
_OPENAPI, _DOCS = "/openapi.json", "/docs"


class Description:
    """The description of an application.

    It is made when it is first asked for, in a thread: it takes seconds, in which nobody would be answered, and whoever
    reaches the server may ask for it.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._making = threading.Lock()
        self._written: bytes | None = None

    async def openapi(self, _: Request) -> Response:
        """Answer with all of it."""
        written = self._written or await asyncio.to_thread(self._make)
        return Response(written, media_type="application/json")

    def _make(self) -> bytes:
        with self._making:
            if self._written is None:
                self._written = to_json(self._app.openapi())
            return self._written


def install(app: FastAPI) -> None:
    """Put both before the routes of *app*."""
    page = _page(app.title)
    policy = {"Content-Security-Policy": _policy(bytes(page.body).decode())}

    async def docs(_: Request) -> Response:
        return Response(page.body, headers=policy, media_type="text/html")

    app.router.routes[:0] = [Route(_OPENAPI, Description(app).openapi), Route(_DOCS, docs)]


def _page(title: str) -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url=_OPENAPI,
        title=title,
        swagger_js_url=f"{STATIC}/swagger-ui-bundle.js",
        swagger_css_url=f"{STATIC}/swagger-ui.css",
        swagger_favicon_url=f"{STATIC}/favicon.png",
    )


def _policy(page: str) -> str:
    """Return what the page may load: its own files, its one script by its digest, and whatever styles that makes."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in scripts]
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *(f"'sha256-{each}'" for each in digests))),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
