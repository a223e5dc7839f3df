"""Who does it over HTTP is the key's name: nobody can say that somebody else paused, answered or approved."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from taskengine import BlockingTaskAPI
from taskengine.api.surface import ROWS, Scope
from taskengine.rest.arguments import body_model

from ..store.test_questions import ask as asks
from ..store.world import World
from .test_errors import problem
from .test_matrix import request

Ask = Callable[..., Awaitable[httpx2.Response]]
pytestmark = pytest.mark.process


async def test_nobody_can_say_who_does_it(http: httpx2.AsyncClient) -> None:
    for row in ROWS:
        if row.who and body_model(row) is not None:  # a body that nobody reads names nobody
            sent = request(row, uuid4())
            sent["json"] = {**sent["json"], row.who: "eve"}
            document = problem(await http.request(**sent), 422, "invalid-input")
            assert row.who in document["detail"], row.id


async def test_who_made_it_is_the_key_whatever_its_maker_says(
    anybody: httpx2.AsyncClient, key: Callable[..., str], one: BlockingTaskAPI
) -> None:
    """But who may make a key of any name may say in whose name something is made."""
    step = {"kind": "wait", "name": "s", "wait_seconds": 600}
    for scope, wanted in ((Scope.SUBMIT, "eve"), (Scope.OPERATE, "eve"), (Scope.ADMIN, "bob")):
        headers = {"Authorization": f"Bearer {key(scope, 'eve')}"}

        async def made(path: str, body: Any, headers: dict[str, str] = headers) -> Any:
            answer = await anybody.post(f"/api/v1{path}", json=body, headers=headers)
            assert answer.status_code == 200, answer.text
            return answer.json()

        claimed = {"name": "a", "capability": "lint", "created_by": "bob"}
        assert (await made("/tasks", claimed))["created_by"] == wanted
        (batched,) = (await made("/tasks:batch", {"tasks": [claimed]}))["items"]
        assert batched["created_by"] == wanted
        assert one.get_run(batched["run_id"]).created_by == wanted
        flow = {"name": f"w{scope.word}", "steps": [step], "created_by": "bob"}
        started = (await made("/workflows", {"workflow": flow}))["result"]
        assert [each.created_by for each in one.list_workflows(flow["name"])] == [wanted], started


async def test_who_pauses_is_the_key(ask: Ask, one: BlockingTaskAPI) -> None:
    assert (await ask("POST", "/pauses", json={"capability": "lint"})).json()["by"] == "ann"
    assert [pause.by for pause in one.list_pauses()] == ["ann"]


async def test_who_answers_is_the_key(ask: Ask, world: World) -> None:
    task = world.new("a")
    asks(world, world.start())
    answered = await ask("POST", f"/tasks/{task.id}/answer", json={"value": "yes"})
    assert answered.status_code == 200, answered.text
    told = world.start()
    assert told.task_id == str(task.id)
    assert '"by":"ann"' in world.fields("task", task.id)["ans"].replace(" ", "")


async def test_who_approves_is_the_key(ask: Ask) -> None:
    step = {"kind": "approval", "name": "go", "prompt": "Ship it?", "approvers": ["bo"]}
    made = (await ask("POST", "/workflows", json={"workflow": {"name": "w", "steps": [step]}})).json()
    path = f"/workflows/{made['result']}/approvals"
    assert (await ask("POST", path, json={"step": "go", "by": "bo"})).status_code == 422
    answer = await ask("POST", path, json={"step": "go", "reason": "fine"})
    assert answer.json() == {"result": True}, answer.text
    found: dict[str, Any] = (await ask("GET", path, params={"step": "go"})).json()
    assert found["result"]["by"] == "ann"
