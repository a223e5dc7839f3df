"""The server's application: routes, what stands before them, and the client behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.types import Message

from taskengine.api.surface import PREFIX
from taskengine.rest import description, health, live, metrics, pages, problems, project, session
from taskengine.rest.auth import ANYBODY, Door
from taskengine.rest.guards import Guards
from taskengine.rest.limits import Busy
from taskengine.rest.methods import Heads
from taskengine.settings import Settings

_ABOUT = """Every verb of the engine. A list is `{"items": […], "cursor": …}`: pass the cursor back for the next page.
A word or a number is `{"result": …}`. What is refused is a problem document (RFC 9457) that names the field and says
what to do. A key travels as `Authorization: Bearer te_…`."""


def application(
    settings: Settings, *, hosts: frozenset[str] | None = None, needs_key: bool = True, is_secure: bool = False
) -> Guards:
    """Return the server of one namespace.

    *hosts*: names that a request may give the server; None: any. Without *needs_key* everybody may do everything, and
    what a proxy passed on is refused. *is_secure*: browsers reach it over TLS, its own or a proxy's.
    """
    door = Door(settings=settings.model_copy(update={"url": None}))  # it is what such an address leads to
    door.everybody = None if needs_key else ANYBODY
    door.is_secure = is_secure

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        pages.shelf()
        await _make_routes(app)
        async with door:
            try:
                yield
            finally:
                await app.state.live.close()

    app = FastAPIOffline(
        docs_url=None, redoc_url=None, static_url=description.STATIC, title="taskengine",
        version=version("taskengine"), description=_ABOUT, lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.door = door
    app.state.live = live.Live(door)
    problems.install(app)
    description.install(app)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(session.router)
    app.include_router(pages.router)
    app.include_router(live.router())  # before the verbs, on whose paths some of them stand
    app.include_router(project.router())
    return Guards(Busy(Heads(app)), hosts, refuses_proxies=not needs_key)


async def _make_routes(app: FastAPI) -> None:
    """Ask for a path that is nowhere, which passes every route.

    FastAPI makes each when a request passes it for the first time: 0.2 s, for which somebody would wait.
    """

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        pass

    asked = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": f"{PREFIX}/"}
    await app({**asked, "query_string": b"", "root_path": "", "headers": []}, receive, send)


def door_of(app: Guards) -> Door:
    """Return the client behind an application."""
    door = _inner(app).state.door
    assert isinstance(door, Door)
    return door


def live_of(app: Guards) -> live.Live:
    """Return what of an application is live."""
    found = _inner(app).state.live
    assert isinstance(found, live.Live)
    return found


def _inner(app: Guards) -> FastAPI:
    assert isinstance(app.app, Busy)
    assert isinstance(app.app.app, Heads)
    inner = app.app.app.app
    assert isinstance(inner, FastAPI)
    return inner
