"""Who may ask what: a key for every route, its scope, its end, its rate; known hosts and no foreign page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from taskengine.api.operations.keys import revoke_key
from taskengine.api.surface import PREFIX, ROWS, Row, Scope
from taskengine.rest.app import application, door_of
from taskengine.settings import Settings

from ..store.world import World
from .test_errors import problem

Ask = Callable[..., Awaitable[httpx2.Response]]
Key = Callable[..., str]
pytestmark = pytest.mark.process


def asking(row: Row) -> tuple[str, str]:
    return row.verb, PREFIX + re.sub(r"\{\w+\}", str(uuid4()), row.path)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def bad_keys(key: Key, world: World) -> dict[str, dict[str, str]]:
    revoked = key()
    world.run(revoke_key(revoked))
    good = key()
    return {
        "none": {},
        "garbage": bearer("te_nonsense"),
        "empty": {"Authorization": "Bearer "},
        "of another scheme": {"Authorization": f"Basic {good}"},
        "with another secret": bearer(good[:-4] + "AAAA"),
        "of nobody": bearer("te_" + "0" * 12 + "_" + "A" * 43),
        "expired": bearer(key(expires_at=datetime.now(UTC) - timedelta(seconds=1))),
        "revoked": bearer(revoked),
    }


async def test_no_route_answers_without_a_valid_key(anybody: httpx2.AsyncClient, bad_keys: Any) -> None:
    for row in ROWS:
        for headers in bad_keys.values():
            answer = await anybody.request(*asking(row), headers=headers)
            problem(answer, 401, "unknown-key")
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_every_route_wants_its_scope_and_says_which(anybody: httpx2.AsyncClient, key: Key) -> None:
    keys = {scope: key(scope) for scope in Scope}
    for row in ROWS:
        for scope, shown in keys.items():
            if row.waits or row.name in {"drop_quarantined"}:
                continue
            answer = await anybody.request(*asking(row), headers=bearer(shown))
            if scope >= row.scope:
                assert answer.status_code not in {401, 403, 500, 503, 504}, (row.id, answer.text)
            else:
                document = problem(answer, 403, "scope")
                assert (document["needs"], document["has"]) == (row.scope.word, scope.word)


async def test_a_key_without_the_scope_is_refused_before_a_body_is_read(anybody: httpx2.AsyncClient, key: Key) -> None:
    body = b"x" * 2**21
    answer = await anybody.post("/api/v1/tasks", content=body, headers=bearer(key(Scope.READ)))
    problem(answer, 403, "scope")


async def test_a_revoked_key_is_refused_from_the_next_request_on(ask: Ask, http: Any, world: World) -> None:
    assert (await ask("GET", "/limits")).status_code == 200
    world.run(revoke_key(http.headers["Authorization"].removeprefix("Bearer ")))
    problem(await ask("GET", "/limits"), 401, "unknown-key")


async def test_a_key_that_asks_too_often_is_told_when_to_come_back(anybody: httpx2.AsyncClient, key: Key) -> None:
    headers = bearer(key(rate=6))
    answers = [await anybody.get("/api/v1/limits", headers=headers) for _ in range(4)]
    late = next(each for each in answers if each.status_code != 200)
    document = problem(late, 429, "too-many-requests")
    assert 1 <= int(late.headers["retry-after"]) <= 10
    assert 0 < document["retry_after"] <= 10


async def test_a_host_that_is_not_ours_is_refused(http: httpx2.AsyncClient) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "evil.example@localhost", "", "["):
        problem(await http.get("/api/v1/limits", headers={"Host": host}), 421, "unknown-host")
    for host in ("localhost:8460", "LOCALHOST", "127.0.0.1:1"):
        assert (await http.get("/api/v1/limits", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
    ],
)
async def test_a_page_of_another_site_changes_nothing(ask: Ask, headers: dict[str, str]) -> None:
    problem(await ask("POST", "/tasks", json={"name": "a"}, headers=headers), 403, "refused")
    assert (await ask("GET", "/tasks")).json()["items"] == []


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://127.0.0.1"}, {"Sec-Fetch-Site": "same-origin"}])
async def test_our_own_pages_and_programs_do(ask: Ask, headers: dict[str, str]) -> None:
    assert (await ask("POST", "/tasks", json={"name": "a"}, headers=headers)).status_code == 200


async def test_without_a_login_everybody_may_and_no_proxy_does(settings: Settings) -> None:
    app = application(settings, hosts=frozenset({"127.0.0.1"}), needs_key=False)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        assert (await client.post("/api/v1/tasks", json={"name": "a"})).status_code == 200
        for header in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "Via"):
            problem(await client.get("/api/v1/tasks", headers={header: "x"}), 403, "refused")
        problem(await client.get("/api/v1/tasks", headers={"Host": "evil.example"}), 421, "unknown-host")
    await door_of(app).close()


async def test_what_a_supervisor_asks_needs_no_key(anybody: httpx2.AsyncClient) -> None:
    for path in ("/livez", "/readyz", "/version", "/openapi.json", "/docs"):
        assert (await anybody.get(path)).status_code == 200


async def test_a_server_whose_store_is_away_lives_and_is_not_ready(caplog: pytest.LogCaptureFixture) -> None:
    app = application(Settings(redis_url="redis://127.0.0.1:1/0"), needs_key=True)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as client:
        assert (await client.get("/livez")).status_code == 200
        for path, headers in (("/readyz", {}), ("/api/v1/tasks", bearer(f"te_{'0' * 12}_{'A' * 43}"))):
            answer = await client.get(path, headers=headers)
            problem(answer, 503, "store-unavailable")
            assert answer.headers["retry-after"]
            assert "127.0.0.1" not in answer.text  # where it is, is nobody's business who has shown no key
    assert "127.0.0.1:1" in caplog.text
    await door_of(app).close()
