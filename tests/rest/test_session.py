"""Login of a browser: a cookie that no script reads stands for a key, as long as the key is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx2
import pytest

from taskengine.api.operations.keys import revoke_key
from taskengine.api.surface import Scope
from taskengine.rest.app import application, door_of
from taskengine.settings import Settings
from taskengine.store import api_keys

from ..store.world import World
from .test_errors import problem

Key = Callable[..., str]
pytestmark = pytest.mark.process
OURS = {"Sec-Fetch-Site": "same-origin"}


async def logged_in(client: httpx2.AsyncClient, key: str) -> Morsel[str]:
    """The cookie that a login sets, which the client keeps."""
    answer = await client.post("/session", json={"key": key}, headers=OURS)
    assert (answer.status_code, answer.content) == (204, b"")
    (morsel,) = SimpleCookie(answer.headers["set-cookie"]).values()
    client.cookies.set(morsel.key, morsel.value)
    return morsel


async def test_a_key_is_exchanged_for_a_cookie_that_no_script_reads(anybody: httpx2.AsyncClient, key: Key) -> None:
    shown = key(Scope.OPERATE)
    cookie = await logged_in(anybody, shown)
    assert (cookie.key, cookie["httponly"], cookie["samesite"], cookie["path"]) == ("te-80", True, "strict", "/")
    assert (cookie["secure"], cookie["max-age"], cookie["domain"]) == ("", "43200", "")
    assert shown.rpartition("_")[2] not in cookie.value
    answer = await anybody.get("/session")
    assert answer.json() == {"name": "ann", "scope": "operate", "namespace": "te"}
    assert (await anybody.get("/api/v1/limits")).status_code == 200


async def test_under_tls_the_cookie_crosses_nothing_in_clear_and_no_neighbour_sets_it(
    settings: Settings, key: Key
) -> None:
    app = application(settings, is_secure=True)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="https://tasks.example.org") as client:
        cookie = await logged_in(client, key())
        assert (cookie.key, cookie["secure"], cookie["path"], cookie["domain"]) == ("__Host-te", True, "/", "")
        assert (await client.get("/session")).status_code == 200
    await door_of(app).close()


async def test_two_servers_of_one_machine_end_no_session_of_each_other(
    anybody: httpx2.AsyncClient, key: Key
) -> None:
    names = set()
    for host in ("127.0.0.1:8460", "127.0.0.1:8461", "localhost:8460"):
        answer = await anybody.post("/session", json={"key": key()}, headers={"Host": host})
        names |= set(SimpleCookie(answer.headers["set-cookie"]))
    assert names == {"te-8460", "te-8461"}


async def test_a_wrong_key_logs_nobody_in(anybody: httpx2.AsyncClient, key: Key, world: World) -> None:
    revoked = key()
    world.run(revoke_key(revoked))
    for shown in ("", "te_nonsense", key()[:-4] + "AAAA", revoked):
        answer = await anybody.post("/session", json={"key": shown})
        problem(answer, 401, "unknown-key")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"key": 1}, 422), ({"key": "x" * 201}, 422), ({"key": "x", "more": 1}, 422), (["te_x"], 422)],
)
async def test_a_login_that_is_none_is_refused(anybody: httpx2.AsyncClient, body: Any, status: int) -> None:
    problem(await anybody.post("/session", json=body), status, "invalid-input")


async def test_a_login_is_small_and_json(anybody: httpx2.AsyncClient) -> None:
    problem(await anybody.post("/session", json={"key": "x" * 5000}), 413, "body-too-large")
    problem(await anybody.post("/session", data={"key": "x"}), 415, "no-json")


async def test_a_session_dies_with_its_key(anybody: httpx2.AsyncClient, key: Key, world: World) -> None:
    shown = key()
    await logged_in(anybody, shown)
    world.run(revoke_key(shown))
    document = problem(await anybody.get("/api/v1/limits"), 401, "unknown-key")
    assert "log in" in document["detail"]
    problem(await anybody.get("/session"), 401, "unknown-key")


async def test_who_logs_out_is_asked_again_on_every_server(anybody: httpx2.AsyncClient, key: Key) -> None:
    cookie = await logged_in(anybody, key())
    answer = await anybody.delete("/session", headers=OURS)
    assert answer.status_code == 204
    (gone,) = SimpleCookie(answer.headers["set-cookie"]).values()
    assert (gone.key, gone["max-age"]) == (cookie.key, "0")
    anybody.cookies.set(cookie.key, cookie.value)  # kept by a thief
    problem(await anybody.get("/session"), 401, "unknown-key")
    assert (await anybody.delete("/session", headers=OURS)).status_code == 204


async def test_one_logout_ends_one_session(anybody: httpx2.AsyncClient, key: Key) -> None:
    shown = key()
    other = await logged_in(anybody, shown)
    await logged_in(anybody, shown)
    await anybody.delete("/session", headers=OURS)
    anybody.cookies.set(other.key, other.value)
    assert (await anybody.get("/session")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://evil.example"},
    ],
)
async def test_with_a_cookie_only_our_own_pages_change_anything(
    anybody: httpx2.AsyncClient, key: Key, headers: dict[str, str]
) -> None:
    await logged_in(anybody, key())
    for verb, path in (("POST", "/api/v1/tasks"), ("DELETE", "/api/v1/limits/x"), ("DELETE", "/session")):
        body: dict[str, Any] = {"json": {"name": "a"}} if verb == "POST" else {}
        problem(await anybody.request(verb, path, headers=headers, **body), 403, "refused")
    assert (await anybody.get("/api/v1/tasks", headers=headers)).json()["items"] == []


@pytest.mark.parametrize("headers", [OURS, {"Origin": "http://127.0.0.1"}])
async def test_with_a_cookie_our_own_pages_do_what_the_key_may(
    anybody: httpx2.AsyncClient, key: Key, headers: dict[str, str]
) -> None:
    await logged_in(anybody, key(Scope.SUBMIT, "bob"))
    made = await anybody.post("/api/v1/tasks", json={"name": "a"}, headers=headers)
    assert made.json()["created_by"] == "bob"
    document = problem(await anybody.post("/api/v1/pauses", json={"everything": True}, headers=headers), 403, "scope")
    assert document["needs"] == "operate"


async def test_a_key_that_comes_with_a_cookie_is_who_asks(anybody: httpx2.AsyncClient, key: Key) -> None:
    await logged_in(anybody, key(name="page"))
    headers = {"Authorization": f"Bearer {key(name='program')}"}
    assert (await anybody.post("/api/v1/tasks", json={"name": "a"}, headers=headers)).json()["created_by"] == "program"
    problem(await anybody.get("/session", headers={"Authorization": "Bearer te_x"}), 401, "unknown-key")


async def test_a_cookie_that_is_none_of_ours_lets_nobody_in(anybody: httpx2.AsyncClient, key: Key) -> None:
    cookie = await logged_in(anybody, key())
    for value in ("", "ts_x", key(), cookie.value[:-4] + "AAAA", cookie.value + "A", "\"" + "x" * 5000 + "\""):
        answer = await anybody.get("/session", headers={"Cookie": f"{cookie.key}={value}"})
        problem(answer, 401, "unknown-key")


async def test_the_rate_of_a_key_is_that_of_its_sessions(anybody: httpx2.AsyncClient, key: Key) -> None:
    await logged_in(anybody, key(rate=6))
    statuses = [(await anybody.get("/session")).status_code for _ in range(4)]
    assert statuses[-1] == 429


async def test_where_nobody_needs_a_key_everybody_is_logged_in(settings: Settings) -> None:
    app = application(settings, hosts=frozenset({"127.0.0.1"}), needs_key=False)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        assert (await client.get("/session")).json() == {"name": None, "scope": "admin", "namespace": "te"}
    await door_of(app).close()


async def test_the_store_knows_no_session_by_its_secret(anybody: httpx2.AsyncClient, key: Key, world: World) -> None:
    cookie = await logged_in(anybody, key())
    secret = cookie.value.rpartition("_")[2]
    held = world.raw.hgetall(world.raw.keys("te:sessions:*")[0])
    assert held
    assert re.search(secret.encode(), repr(held).encode()) is None


def test_a_further_session_takes_the_place_of_the_oldest(world: World) -> None:
    world.run(api_keys.put("k", "sha", "bot", "read", None, 0))
    for number in range(api_keys.MOST_SESSIONS + 1):
        world.run(api_keys.open_session("k", "sha", f"s{number}", "x", 60_000 + number))
    let_in = [world.run(api_keys.admit("k", "x", "r", f"s{number}")).word for number in (0, 1, 100)]
    assert let_in == ["missing", "ok", "ok"]


def test_a_session_ends_after_its_time(world: World) -> None:
    world.run(api_keys.put("k", "sha", "bot", "read", None, 0))
    world.run(api_keys.open_session("k", "sha", "long", "x", 60_000))
    world.run(api_keys.open_session("k", "sha", "short", "x", 0))
    assert world.run(api_keys.admit("k", "x", "r", "short")).word == "expired"
    assert world.run(api_keys.admit("k", "sha", "r", "long")).word == "missing"
    assert world.run(api_keys.admit("k", "x", "r", "long")).ok
    assert world.run(api_keys.open_session("k", "other", "s", "x", 60_000)).word == "missing"
