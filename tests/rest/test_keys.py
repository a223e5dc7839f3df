"""Keys over HTTP: who may do everything makes them, nobody gains by one, and no secret stands in a path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx2
import pytest

from taskengine.api.surface import Scope

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


async def test_an_answer_with_a_secret_is_kept_by_nobody_on_its_way(ask: Ask) -> None:
    answer = await ask("POST", "/keys", json={"name": "bo"})
    assert "no-store" in answer.headers["cache-control"]
