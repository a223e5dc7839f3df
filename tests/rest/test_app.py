"""The application, as it is before anybody asked."""

from __future__ import annotations

import httpx2
import pytest
from uvicorn import Config
from uvicorn.lifespan.on import LifespanOn

from taskengine.rest import pages
from taskengine.rest.app import application, door_of
from taskengine.settings import Settings

pytestmark = pytest.mark.process


async def test_no_visitor_waits_for_routes_and_files_to_be_made(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages.shelf.cache_clear()
    app = application(settings)
    life = LifespanOn(Config(app))
    await life.startup()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("made while somebody waits")

    monkeypatch.setattr("fastapi.routing.get_dependant", refuse)
    monkeypatch.setattr(pages, "_file", refuse)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/api/v1/runs")).status_code == 401
    await life.shutdown()
    await door_of(app).close()
