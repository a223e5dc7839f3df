"""A whole graph at once: a thread does it, and nobody can tell by what it answers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from taskengine import BlockingTaskAPI
from taskengine.models import Task
from taskengine.rest import large

from .test_errors import problem

Ask = Callable[..., Awaitable[httpx2.Response]]
pytestmark = pytest.mark.process
SECONDS = 60.0


def graph(count: int = 300) -> dict[str, Any]:
    """A body that is a large one, and whose tasks stand each behind the one before."""
    ids = [str(uuid4()) for _ in range(count)]
    pairs = zip(ids, [None, *ids], strict=False)
    return {
        "tasks": [
            {"id": id, "name": f"t{at}", "capability": "lint", "input": {"at": at}, "depends_on": [on] if on else []}
            for at, (id, on) in enumerate(pairs)
        ]
    }


async def test_a_large_graph_is_answered_in_its_order_and_stored(ask: Ask, one: BlockingTaskAPI) -> None:
    body = graph()
    assert len(json.dumps(body)) > large.LARGE_BYTES
    answer = await ask("POST", "/tasks:batch", json=body)
    made = [Task.model_validate(each) for each in answer.json()["items"]]
    assert [str(task.id) for task in made] == [each["id"] for each in body["tasks"]]
    assert {task.created_by for task in made} == {"ann"}
    stored = one.get_tasks([task.id for task in made])
    assert [(task.id, task.name, task.input, task.depends_on, task.run_id) for task in stored] == [
        (task.id, task.name, task.input, task.depends_on, task.run_id) for task in made
    ]


async def test_a_large_graph_sent_again_with_its_key_is_the_one_that_is_there(ask: Ask) -> None:
    body, key = graph(), {"Idempotency-Key": "nightly"}
    first = await ask("POST", "/tasks:batch", json=body, headers=key)
    again = await ask("POST", "/tasks:batch", json=body, headers=key)
    ids = [each["id"] for each in body["tasks"]]
    assert [[each["id"] for each in answer.json()["items"]] for answer in (first, again)] == [ids, ids]
    other = await ask("POST", "/tasks:batch", json={**body, "idempotency_key": "weekly"}, headers=key)
    assert problem(other, 422, "invalid-input")["field"] == "idempotency_key"


def _with(**fields: Any) -> bytes:
    return json.dumps({"tasks": [{"name": "a"}, {"name": "b", **fields}]}).encode()


ID, OTHER = str(uuid4()), str(uuid4())


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense", b'{"tasks": [{"name": "a"', b"[]", b"null", b"{}", b'{"tasks": 1}', b'{"tasks": [1]}',
        b'{"tasks": []}', b'{"tasks": [{"name": "\\ud800"}]}', b'\xef\xbb\xbf{"tasks": [{"name": "a"}]}',
        b'{"tasks": [{"name": "a", "input": {"n": NaN}}]}', b'{"tasks": [{"name": "a", "input": {"n": 1e999}}]}',
        b'{"tasks": [{"name": "a", "timeout": 1%s}]}' % (b"0" * 5000),
        b'{"tasks": [{"name": 1, "name": "a", "hold": 2}]}', b'{"tasks": [{"name": "a"}], "naem": "x"}',
        b'{"tasks": [{"name": "a"}], "run_id": "x"}',
        _with(nmae="x"), _with(timeout=-1), _with(deadline="2100-01-01T00:00:00"), _with(priority="urgent"),
        _with(id=7), _with(input=[1], metadata=3), _with(id=ID, depends_on=[ID]), _with(id=ID, depends_on=[OTHER]),
        _with(output_schema={"type": "nothing"}), _with(task_type="workflow", input={"workflow": "w"}, max_retries=2),
        _with(scheduled_at="2100-01-02T00:00Z", expires_at="2100-01-01T00:00Z"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_large_body_is_told_as_of_a_small_one(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    async def told(path: str) -> tuple[int, Any]:
        answer = await ask("POST", path, content=body, headers={"Content-Type": "application/json"})
        return answer.status_code, answer.json() if answer.status_code != 200 else len(answer.json()["items"])

    for path in ("/tasks:batch", "/workflows", "/definitions"):
        monkeypatch.setattr(large, "LARGE_BYTES", 2**30)
        small = await told(path)
        monkeypatch.setattr(large, "LARGE_BYTES", 0)
        assert await told(path) == small


async def test_others_are_answered_while_a_large_graph_is_made(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, goes_on, plain = threading.Event(), threading.Event(), BlockingTaskAPI.create_tasks

    def slow(*args: Any, **named: Any) -> Any:
        begun.set()
        assert goes_on.wait(SECONDS)
        return plain(*args, **named)

    monkeypatch.setattr(BlockingTaskAPI, "create_tasks", slow)
    async with asyncio.timeout(SECONDS):
        making = asyncio.ensure_future(ask("POST", "/tasks:batch", json=graph()))
        try:
            assert await asyncio.to_thread(begun.wait, SECONDS)
            assert (await ask("GET", "/tasks")).json()["items"] == []
        finally:
            goes_on.set()
        assert (await making).status_code == 200
