"""What the server says of itself: every row with its docstring, nothing from elsewhere, no reference into nothing."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import threading
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter

from taskengine.api import TaskAPI
from taskengine.api.problems import PROBLEM_JSON
from taskengine.api.surface import PREFIX, ROWS, Scope, Sends
from taskengine.rest.app import application
from taskengine.rest.arguments import body_model
from taskengine.settings import Settings

pytestmark = pytest.mark.process


@pytest.fixture
async def openapi(anybody: httpx2.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await anybody.get("/openapi.json")).json()
    return found


async def test_every_row_is_described_with_the_words_of_the_client(openapi: dict[str, Any]) -> None:
    for row in ROWS:
        operation = openapi["paths"][PREFIX + row.path][row.verb.lower()]
        assert operation["operationId"] == row.id
        docstring = inspect.getdoc(getattr(TaskAPI, row.name)) or ""
        first = re.sub(r":meth:|\W", "", docstring)[:15].lower()
        assert re.sub(r"\W", "", operation["summary"]).lower().startswith(first), row.id
        assert f"scope **{row.scope.word}**" in operation["description"]
        assert ":meth:" not in operation["description"]
        assert operation["security"] == [{"HTTPBearer": []}]


async def test_every_verb_that_changes_something_says_whether_it_may_be_repeated(openapi: dict[str, Any]) -> None:
    told = {each["operationId"]: each for path in openapi["paths"].values() for each in path.values()}
    for row in ROWS:
        if row.verb == "POST" and row.scope > Scope.READ:
            text = told[row.id]["description"]
            named = [each["name"] for each in told[row.id].get("parameters", [])]
            ways = ("Idempotency-Key" in named, f"**Not safe to repeat:** {row.again}" in text and bool(row.again),
                    "`Idempotency-Key` changes nothing" in text)  # fmt: skip
            assert ways.count(True) == 1, (row.id, ways)


async def test_every_example_is_a_request_that_can_be_read(openapi: dict[str, Any]) -> None:
    shown = 0
    for row in ROWS:
        operation = openapi["paths"][f"/api/v1{row.path}"][row.verb.lower()]
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for example in content.get("examples", {}).values():
            TypeAdapter(body_model(row)).validate_python(example["value"])
            shown += 1
    assert shown >= 10


async def test_every_answer_is_a_model_or_a_problem(openapi: dict[str, Any]) -> None:
    for row in ROWS:
        answers = openapi["paths"][PREFIX + row.path][row.verb.lower()]["responses"]
        for status, answer in answers.items():
            if status.startswith("2"):
                assert status == "204" or answer["content"], row.id
            else:
                assert PROBLEM_JSON in answer["content"], (row.id, status)
    assert "HTTPValidationError" not in openapi["components"]["schemas"]


async def test_no_reference_leads_nowhere(openapi: dict[str, Any]) -> None:
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(openapi)))
    assert named
    assert named <= openapi["components"]["schemas"].keys()


async def test_whoever_does_it_is_no_parameter(openapi: dict[str, Any]) -> None:
    schemas = openapi["components"]["schemas"]
    for row in ROWS:
        if row.who and row.sends in {Sends.BODY, Sends.WHERE}:
            title = "".join(word.capitalize() for word in row.id.split("_")) + "Body"
            assert row.who not in schemas.get(title, {}).get("properties", {}), row.id


async def test_the_description_needs_no_internet(anybody: httpx2.AsyncClient) -> None:
    page = await anybody.get("/docs")
    assert page.status_code == 200
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert named
    assert [each for each in named if not each.startswith("/")] == []
    for each in named:
        assert (await anybody.get(each)).status_code == 200
    assert "https://" not in page.text


async def test_the_page_of_the_description_runs_its_own_scripts_alone_and_in_nobodys_frame(
    anybody: httpx2.AsyncClient,
) -> None:
    policy = (await anybody.get("/docs")).headers["content-security-policy"]
    assert {"default-src 'none'", "frame-ancestors 'none'", "connect-src 'self'"} <= set(policy.split("; "))
    (scripts,) = (each for each in policy.split("; ") if each.startswith("script-src"))
    assert "unsafe" not in scripts
    assert scripts.count("'sha256-") == 1


async def test_while_the_description_is_made_others_are_answered(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = application(settings)
    begun, goes_on = threading.Event(), threading.Event()

    def slow(_: FastAPI) -> dict[str, Any]:
        begun.set()
        assert goes_on.wait(60)
        return {"openapi": "3.1.0"}

    monkeypatch.setattr(FastAPI, "openapi", slow)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as client:
        asked = asyncio.ensure_future(client.get("/openapi.json"))
        assert await asyncio.to_thread(begun.wait, 60)
        assert (await client.get("/livez")).status_code == 200
        goes_on.set()
        assert (await asked).json() == {"openapi": "3.1.0"}


async def test_a_server_says_which_it_is(anybody: httpx2.AsyncClient) -> None:
    said = (await anybody.get("/version")).json()
    assert (said["name"], said["api"]) == ("taskengine", PREFIX)
    assert re.match(r"\d+\.\d+", said["version"])
