"""Keys over HTTP: who may do everything makes them, nobody gains by one, and no secret stands in a path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from taskengine.api.operations import local_keys
from taskengine.api.surface import Scope

from ..store.world import World
from .test_errors import problem

Ask = Callable[..., Awaitable[httpx2.Response]]
pytestmark = pytest.mark.process


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_a_key_made_over_http_lets_in_until_it_is_revoked(ask: Ask) -> None:
    made = (await ask("POST", "/keys", json={"name": "bo", "scope": "read"})).json()
    assert (await ask("GET", "/tasks", headers=bearer(made["key"]))).status_code == 200
    listed = (await ask("GET", "/keys")).json()["items"]
    assert [each["name"] for each in listed] == ["ann", "bo"]
    assert all("key" not in each for each in listed)
    assert (await ask("POST", "/keys:revoke", json={"key": made["id"]})).json() == {"result": True}
    problem(await ask("GET", "/tasks", headers=bearer(made["key"])), 401, "unknown-key")
    assert (await ask("POST", "/keys:revoke", json={"key": made["key"]})).json() == {"result": False}


async def test_no_key_makes_one_that_may_more_than_itself(
    anybody: httpx2.AsyncClient, key: Callable[..., str]
) -> None:
    for own in Scope:
        headers = bearer(key(own))
        for wanted in Scope:
            answer = await anybody.post(
                "/api/v1/keys", json={"name": "x", "scope": wanted.word}, headers=headers
            )
            assert answer.status_code == (200 if own is Scope.ADMIN else 403), (own, wanted, answer.text)
            assert answer.status_code == 403 or wanted <= own


async def test_what_a_key_makes_ends_with_it_at_the_latest(
    anybody: httpx2.AsyncClient, key: Callable[..., str]
) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
    headers = bearer(key(expires_at=ends))

    async def make(**body: str) -> httpx2.Response:
        return await anybody.post("/api/v1/keys", json={"name": "x", **body}, headers=headers)

    refused = problem(await make(expires_at=(ends + timedelta(seconds=1)).isoformat()), 422, "invalid-input")
    assert refused["field"] == "expires_at"
    assert f"{ends:%Y-%m-%dT%H:%M:%SZ}" in refused["detail"]
    for wanted in (ends, ends - timedelta(days=1)):
        made = (await make(expires_at=wanted.isoformat())).json()
        assert datetime.fromisoformat(made["expires_at"]) == wanted
    inherited = (await make(scope="admin")).json()
    assert datetime.fromisoformat(inherited["expires_at"]) == ends
    lasting = (await anybody.post("/api/v1/keys", json={"name": "y"}, headers=bearer(key()))).json()
    assert lasting["expires_at"] is None


async def test_a_session_makes_keys_as_its_key_does(anybody: httpx2.AsyncClient, key: Callable[..., str]) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
    own = {"Sec-Fetch-Site": "same-origin"}
    await anybody.post("/session", json={"key": key(expires_at=ends)}, headers=own)
    made = (await anybody.post("/api/v1/keys", json={"name": "x"}, headers=own)).json()
    assert datetime.fromisoformat(made["expires_at"]) == ends


async def test_the_key_of_a_server_for_its_machine_makes_keys_that_last(
    anybody: httpx2.AsyncClient, world: World
) -> None:
    made = await anybody.post(
        "/api/v1/keys", json={"name": "x"}, headers=bearer(world.run(local_keys.make()))
    )
    assert made.json()["expires_at"] is None


async def test_an_answer_with_a_secret_is_kept_by_nobody_on_its_way(ask: Ask) -> None:
    answer = await ask("POST", "/keys", json={"name": "bo"})
    assert "no-store" in answer.headers["cache-control"]
