"""Every refusal is a problem document that says what to do: ours, FastAPI's and HTTP's own."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from taskengine.api.problems import PROBLEM_JSON, explanations

Ask = Callable[..., Awaitable[httpx2.Response]]
pytestmark = pytest.mark.process


def problem(answer: httpx2.Response, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_JSON
    document: dict[str, Any] = answer.json()
    assert (document["type"], document["status"]) == (f"/problems/{slug}", status)
    assert document["detail"]
    assert document["title"]
    return document


async def test_what_is_not_there_is_named(ask: Ask) -> None:
    id = str(uuid4())
    document = problem(await ask("GET", f"/tasks/{id}"), 404, "not-found")
    assert (document["kind"], document["id"], document["instance"]) == ("task", id, f"/api/v1/tasks/{id}")


async def test_a_path_that_nobody_has_and_a_method_that_it_does_not_take(http: httpx2.AsyncClient) -> None:
    problem(await http.get("/api/v1/nonsense"), 404, "no-such-page")
    problem(await http.get("/nonsense"), 404, "no-such-page")
    answer = await http.put("/api/v1/pauses")
    document = problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, POST, HEAD, OPTIONS"
    assert document["detail"] == "/api/v1/pauses takes GET, POST, HEAD, OPTIONS, and not PUT"


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/api/v1/tasks/", "/api/v1/tasks"),
        ("/api/v1/Tasks", "/api/v1/tasks"),
        ("/tasks", "/api/v1/tasks"),
        ("/api/v1/tasks:cancle", "/api/v1/tasks:cancel"),
        ("/api/v1/task", "/api/v1/tasks"),
        ("/api/v1/tasks/6f1f4c3e-58a4-4a8e-9d1b-3f3c1f1f0a01/", "/api/v1/tasks/6f1f4c3e-58a4-4a8e-9d1b-3f3c1f1f0a01"),
        ("/livez/", "/livez"),
        ("/api/v1", "/docs"),
        ("/api/v1/docs", "/docs"),
        ("/api/v1/livez", "/livez"),
    ],
)
async def test_a_path_with_a_slip_is_told_the_right_one(anybody: httpx2.AsyncClient, path: str, known: str) -> None:
    detail = problem(await anybody.get(path), 404, "no-such-page")["detail"]
    assert f"mean {known}" in detail or detail.startswith(f"No route has this path; {known} shows")


async def test_what_belongs_into_the_body_is_told_so(ask: Ask) -> None:
    refused = await ask("POST", "/tasks:wait?timeout=3", json={"task_ids": [str(uuid4())]})
    assert "belongs into the body" in problem(refused, 422, "invalid-input")["detail"]


async def test_a_body_that_is_missing_is_said_to_be(ask: Ask) -> None:
    assert "there is no body" in problem(await ask("POST", "/tasks"), 422, "invalid-input")["detail"]


async def test_a_body_that_is_packed_is_refused_by_its_packing(ask: Ask) -> None:
    packed = gzip.compress(b'{"name": "a"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused = problem(await ask("POST", "/tasks", content=packed, headers=headers), 415, "no-json")
    assert "gzip" in refused["detail"]


async def test_a_form_is_told_what_it_is_and_what_it_should_be(ask: Ask) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    refused = problem(await ask("POST", "/tasks", content=b'{"name": "a"}', headers=headers), 415, "no-json")
    assert "application/x-www-form-urlencoded" in refused["detail"]
    assert "Content-Type: application/json" in refused["detail"]


async def test_a_field_with_a_slip_is_told_the_right_one(ask: Ask) -> None:
    for path, body in (("/tasks", {"nmae": "a"}), ("/tasks:cancel", {"capabilty": "x"})):
        refused = problem(await ask("POST", path, json=body), 422, "invalid-input")
        assert "did you mean" in refused["detail"], refused


async def test_a_head_is_a_get_without_its_body(http: httpx2.AsyncClient) -> None:
    for path in ("/livez", "/", "/openapi.json", "/api/v1/tasks", f"/api/v1/tasks/{uuid4()}", "/api/v1/nonsense"):
        got, head = await http.get(path), await http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-length"] == got.headers["content-length"]
    problem(await http.get("/api/v1/tasks:read"), 405, "method-not-allowed")
    assert (await http.head("/api/v1/tasks:read")).status_code == 405


async def test_options_says_which_methods_a_path_has(anybody: httpx2.AsyncClient) -> None:
    answer = await anybody.options(f"/api/v1/tasks/{uuid4()}")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, PATCH, DELETE, HEAD, OPTIONS")
    assert "access-control-allow-origin" not in answer.headers
    problem(await anybody.options("/api/v1/nonsense"), 404, "no-such-page")


@pytest.mark.parametrize(
    ("verb", "path", "sent", "field"),
    [
        ("GET", "/tasks/nonsense", {}, "task_id"),
        ("GET", "/tasks?limit=0", {}, "limit"),
        ("GET", "/tasks?limit=many", {}, "limit"),
        ("GET", "/tasks?status=lost", {}, "status"),
        ("GET", "/tasks?cursor=x", {}, "cursor"),
        ("GET", "/tasks?stauts=failed", {}, "stauts"),
        ("POST", "/tasks?dry_run=true", {"json": {"name": "a"}}, "dry_run"),
        ("GET", "/runs/00000000-0000-0000-0000-000000000000/graph?view=compact&limit=1", {}, "limit"),
        ("POST", "/tasks", {"json": {"name": "x" * 501}}, "name"),
        ("POST", "/tasks", {"json": {"name": "a", "nmae": "b"}}, "nmae"),
        ("POST", "/tasks:wait", {"json": {}}, "task_ids"),
        ("POST", "/tasks:wait", {"json": {"task_ids": [str(uuid4())] * 1001}}, "task_ids"),
        ("POST", "/tasks:cancel", {"json": {"stauts": "ready"}}, "stauts"),
        ("POST", "/pauses", {"json": {"until": "2100-01-01T00:00:00", "capability": "lint"}}, "until"),
    ],
)
async def test_a_wrong_field_is_named_and_pointed_at(
    ask: Ask, verb: str, path: str, sent: dict[str, Any], field: str
) -> None:
    document = problem(await ask(verb, path, **sent), 422, "invalid-input")
    assert document["field"] == field
    assert document["errors"][0]["pointer"] == f"/{field}"


async def test_a_slip_in_a_filter_is_told_the_right_word(ask: Ask) -> None:
    document = problem(await ask("GET", "/tasks?stauts=failed"), 422, "invalid-input")
    assert document["detail"].endswith("; did you mean 'status'?")


async def test_a_body_that_is_no_json_says_where_it_ends_to_be(ask: Ask) -> None:
    answer = await ask("POST", "/tasks", content=b'{"name": "a" "b"}', headers=JSON)
    document = problem(answer, 422, "invalid-input")
    assert (document["field"], document["errors"][0]["pointer"]) == (None, "")
    assert document["detail"] == "body: it is no JSON: Expecting ',' delimiter at character 13"


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [
        (b'{"name": ', JSON, 422, "invalid-input"),
        (b"[]", JSON, 422, "invalid-input"),
        (b"null", JSON, 422, "invalid-input"),
        (b"", JSON, 422, "invalid-input"),
        (b'{"name": "a"}', {}, 415, "no-json"),
        (b'{"name": "a"}', {"Content-Type": "text/plain"}, 415, "no-json"),
        (b'{"name": "a"}', {"Content-Type": "application/json; charset=latin-1"}, 415, "no-json"),
        (b'{"name": "\xe4"}', JSON, 400, "bad-request"),
        ('{"name": "a"}'.encode("utf-16"), JSON, 400, "bad-request"),
        (b'{"name": "a", "input": {"n": NaN}}', JSON, 422, "invalid-input"),
        (b'{"name": "a", "input": {"n": 1e999}}', JSON, 422, "invalid-input"),
        (b'{"name": "\\ud800"}', JSON, 422, "invalid-input"),
        (b'{"name": "a", "priority": ' + b"9" * 5000 + b"}", JSON, 400, "bad-request"),
        (b"[" * 100_000 + b"]" * 100_000, JSON, 422, "invalid-input"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, JSON, 422, "invalid-input"),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_a_body_that_cannot_be_taken_is_refused(
    ask: Ask, body: bytes, headers: dict[str, str], status: int, slug: str
) -> None:
    problem(await ask("POST", "/tasks", content=body, headers=headers), status, slug)


async def test_a_body_over_its_limit_is_refused(ask: Ask) -> None:
    body = b'{"task_ids": ["' + b"x" * 2**20 + b'"]}'
    problem(await ask("POST", "/tasks:wait", content=body, headers=JSON), 413, "body-too-large")


async def test_a_body_that_does_not_say_how_long_it_is_is_counted(ask: Ask) -> None:
    async def endless() -> Any:
        while True:
            yield b" " * 65536

    problem(await ask("POST", "/tasks", content=endless(), headers=JSON), 413, "body-too-large")


async def test_a_graph_may_be_larger_than_a_task(ask: Ask) -> None:
    tasks = [{"name": f"t{n}", "input": {"text": "x" * 200_000}} for n in range(10)]
    answer = await ask("POST", "/tasks:batch", json={"tasks": tasks})
    assert (answer.status_code, len(answer.json()["items"])) == (200, 10)


async def test_a_payload_over_the_limit_of_the_engine_is_too_large(ask: Ask) -> None:
    task = {"name": "a", "input": {"text": "x" * (17 * 2**20)}}
    document = problem(await ask("POST", "/tasks:batch", json={"tasks": [task]}), 413, "payload-too-large")
    assert document["limit"] == 16 * 2**20


async def test_a_conflict_tells_the_history(ask: Ask) -> None:
    made = (await ask("POST", "/tasks", json={"name": "a"})).json()
    await ask("POST", f"/tasks/{made['id']}/cancel")
    document = problem(await ask("PATCH", f"/tasks/{made['id']}", json={"name": "b"}), 409, "not-allowed")
    assert any("cancelled" in each for each in document["history"])


async def test_a_fault_of_the_server_tells_nothing_of_it(
    app: Any, http: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise RuntimeError("secret of the server")

    monkeypatch.setattr("taskengine.rest.auth.Door.get_task", fails)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url=http.base_url, headers=http.headers) as client:
        answer = await client.get(f"/api/v1/tasks/{uuid4()}")
    problem(answer, 500, "fault")
    assert "secret" not in answer.text
    assert "secret of the server" in caplog.text


async def test_every_slug_is_explained(anybody: httpx2.AsyncClient) -> None:
    for slug, (kind, _) in explanations().items():
        answer = await anybody.get(f"/problems/{slug}")
        assert (answer.status_code, answer.json()["status"]) == (200, kind.status)
        assert answer.json()["text"]
    problem(await anybody.get("/problems/nonsense"), 404, "no-such-page")


async def test_markup_stays_text(ask: Ask) -> None:
    made = await ask("POST", "/tasks", json={"name": "<script>alert(1)</script>"})
    assert made.headers["content-type"] == "application/json"
    assert made.headers["x-content-type-options"] == "nosniff"
    assert made.json()["name"] == "<script>alert(1)</script>"


async def test_advice_is_a_command_for_a_reader_who_asks_so_and_a_call_else(ask: Ask) -> None:
    made = (await ask("POST", "/tasks", json={"capability": "lint", "hold": True})).json()
    path = f"/tasks/{made['id']}/why"
    assert "execute_task" in (await ask("GET", path)).json()["headline"]
    said = await ask("GET", path, headers={"Taskengine-Advice": "commands"})
    assert "taskengine task release" in said.json()["headline"]
    assert "execute_task" in (await ask("GET", path)).json()["headline"]
