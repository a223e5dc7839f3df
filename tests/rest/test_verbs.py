"""The verbs over HTTP: they do and say what the client's do, as JSON in one convention."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from taskengine import BlockingTaskAPI
from taskengine.api.surface import ROWS, Row, Scope
from taskengine.models import Task, TaskFilter
from taskengine.rest.app import door_of
from taskengine.rest.guards import Guards
from taskengine.settings import Settings
from taskengine.store import fleet_settings, nodes, retention

from ..store.world import World
from .test_errors import problem

Ask = Callable[..., Awaitable[httpx2.Response]]
pytestmark = pytest.mark.process


async def new(ask: Ask, name: str = "a", **fields: Any) -> dict[str, Any]:
    answer = await ask("POST", "/tasks", json={"name": name, "capability": "lint", **fields})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_task_is_created_and_read_as_the_client_knows_it(ask: Ask, one: BlockingTaskAPI) -> None:
    made = await new(ask, input={"n": 1}, priority="high")
    answer = await ask("GET", f"/tasks/{made['id']}")
    assert answer.headers["content-type"] == "application/json"
    assert Task.model_validate(answer.json()) == one.get_task(made["id"])
    assert made["priority"] == 3


async def test_who_made_a_task_is_the_key_unless_somebody_is_named(ask: Ask) -> None:
    assert (await new(ask))["created_by"] == "ann"
    assert (await new(ask, created_by="bob"))["created_by"] == "bob"


async def test_a_graph_comes_as_one_list_in_its_order(ask: Ask) -> None:
    first, second = str(uuid4()), str(uuid4())
    tasks = [{"id": first, "name": "a"}, {"id": second, "name": "b", "depends_on": [first]}]
    answer = await ask("POST", "/tasks:batch", json={"tasks": tasks, "name": "nightly"})
    assert [each["id"] for each in answer.json()["items"]] == [first, second]
    assert answer.json()["cursor"] is None
    (run,) = (await ask("GET", "/runs", params={"name": "nightly"})).json()["items"]
    graph = (await ask("GET", f"/runs/{run['id']}/graph")).json()
    assert [(edge["source"], edge["target"]) for edge in graph["edges"]] in ([(first, second)], [(second, first)])
    assert (await ask("GET", "/graph")).json() == graph


async def test_a_list_goes_on_from_its_cursor(ask: Ask) -> None:
    made = [(await new(ask, f"t{number}"))["id"] for number in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        page = (await ask("GET", "/tasks", params={"limit": 2, **({"cursor": cursor} if cursor else {})})).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


async def test_a_list_is_filtered_also_by_metadata(ask: Ask) -> None:
    made = await new(ask, "x", metadata={"team": "red"})
    await new(ask, "y")
    page = await ask("GET", "/tasks", params={"metadata": json.dumps({"team": "red"}), "priority": "normal"})
    assert [each["id"] for each in page.json()["items"]] == [made["id"]]
    wrong = await ask("GET", "/tasks", params={"metadata": "[1]"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "metadata")


async def test_an_answer_that_is_a_word_is_a_result(ask: Ask) -> None:
    made = await new(ask)
    assert (await ask("POST", f"/tasks/{made['id']}/cancel")).json() == {"result": True}
    assert (await ask("POST", f"/tasks/{made['id']}/cancel", json={"reason": "no"})).json() == {"result": False}
    assert (await ask("GET", f"/tasks/{made['id']}/execution")).json() == {"result": None}
    assert (await ask("GET", "/tasks:find", params={"beginning": made["id"][:8]})).json() == {"result": made["id"]}


async def test_a_task_is_changed_in_what_is_sent_and_nothing_else(ask: Ask) -> None:
    made = await new(ask, description="old", scheduled_at="2100-01-01T00:00:00Z")
    changed = (await ask("PATCH", f"/tasks/{made['id']}", json={"name": "b"})).json()
    assert (changed["name"], changed["description"]) == ("b", "old")


async def test_what_says_nothing_has_no_body(ask: Ask) -> None:
    await ask("PUT", "/limits/key", json={"in_flight": 1})
    assert (await ask("GET", "/limits")).json()["items"][0]["limit"]["in_flight"] == 1
    answer = await ask("DELETE", "/limits/key")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_the_same_idempotency_key_answers_with_the_first_task(ask: Ask) -> None:
    sent = {"json": {"name": "a"}, "headers": {"Idempotency-Key": "k1"}}
    first, again = await ask("POST", "/tasks", **sent), await ask("POST", "/tasks", **sent)
    assert first.json()["id"] == again.json()["id"]
    other = await ask("POST", "/tasks", json={"name": "b"}, headers={"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-conflict")
    assert other.json()["existing_id"] == first.json()["id"]
    both = await ask("POST", "/tasks", json={"name": "a", "idempotency_key": "k2"}, headers={"Idempotency-Key": "k1"})
    assert (both.status_code, both.json()["field"]) == (422, "idempotency_key")


async def test_the_same_idempotency_key_answers_with_the_first_graph(ask: Ask) -> None:
    sent = {"json": {"tasks": [{"name": "a"}, {"name": "b"}]}, "headers": {"Idempotency-Key": "g1"}}
    first, again = await ask("POST", "/tasks:batch", **sent), await ask("POST", "/tasks:batch", **sent)
    assert [each["id"] for each in first.json()["items"]] == [each["id"] for each in again.json()["items"]]


@pytest.mark.parametrize("row", [row for row in ROWS if row.again], ids=lambda row: row.id)
async def test_a_verb_that_is_not_safe_to_repeat_refuses_an_idempotency_key_and_says_why(ask: Ask, row: Row) -> None:
    path = row.path.format(**dict.fromkeys(row.in_path, str(uuid4())))
    body = {"name": "x"} if row.name == "create_key" else {}
    headers = {"Idempotency-Key": "k"}
    refused = problem(await ask(row.verb, path, json=body, headers=headers), 422, "invalid-input")
    assert refused["field"] == "Idempotency-Key"
    assert row.again in refused["detail"]
    assert (await ask("GET", "/keys")).json()["items"][1:] == []  # nothing was done


async def test_a_verb_that_is_safe_to_repeat_needs_no_idempotency_key_and_takes_any(ask: Ask) -> None:
    task = (await ask("POST", "/tasks", json={"name": "a"})).json()
    for _ in range(2):
        headers = {"Idempotency-Key": "k"}
        answer = await ask("POST", f"/tasks/{task['id']}/hold", headers=headers)
        assert answer.status_code == 200


async def test_a_wait_that_does_not_end_says_what_is_pending(ask: Ask) -> None:
    made = await new(ask)
    answer = await ask("POST", "/tasks:wait", json={"task_ids": [made["id"]], "timeout": 0.1})
    assert {**answer.json(), "detail": ""} == {"done": False, "pending": [made["id"]], "detail": "", "result": None}


async def test_a_wait_ends_with_the_tasks(ask: Ask) -> None:
    made = await new(ask)
    await ask("POST", f"/tasks/{made['id']}/cancel")
    answer = (await ask("POST", "/tasks:wait", json={"task_ids": [made["id"]]})).json()
    assert (answer["done"], answer["result"][0]["status"]) == (True, "cancelled")


async def test_no_request_waits_longer_than_proxies_do(ask: Ask) -> None:
    made = await new(ask)
    answer = await ask("POST", "/tasks:wait", json={"task_ids": [made["id"]], "timeout": 26})
    assert (answer.status_code, answer.json()["field"]) == (422, "timeout")


async def test_execute_waits_only_where_it_is_asked_to(ask: Ask) -> None:
    made = await new(ask)
    assert (await ask("POST", f"/tasks/{made['id']}/execute")).json()["done"]
    waited = await ask("POST", f"/tasks/{made['id']}/execute", json={"wait": True, "timeout": 0.1})
    assert {**waited.json(), "detail": ""} == {"done": False, "pending": [made["id"]], "detail": "", "result": None}


async def test_a_failed_execution_is_a_problem_that_holds_it(ask: Ask, world: World) -> None:
    made = await new(ask)
    await ask("POST", f"/tasks/{made['id']}/cancel")
    answer = await ask("POST", f"/tasks/{made['id']}/execute", json={"wait": True})
    assert (answer.status_code, answer.json()["type"]) in (
        (424, "/problems/execution-failed"), (409, "/problems/not-allowed"),
    )  # fmt: skip


async def test_many_tasks_are_counted_first_and_changed_then(ask: Ask, one: BlockingTaskAPI) -> None:
    made = {(await new(ask))["id"] for _ in range(3)}
    dry = (await ask("POST", "/tasks:cancel", json={"capability": "lint", "dry_run": True})).json()
    assert (dry["matched"], dry["done"], set(dry["ids"]), dry["dry_run"]) == (3, 3, made, True)
    assert len(one.list_tasks(status="ready")) == 3
    done = (await ask("POST", "/tasks:cancel", json={"capability": "lint"})).json()
    assert (done["done"], len(one.list_tasks(status="cancelled"))) == (3, 3)


async def test_a_filter_of_many_knows_every_field_of_the_client(ask: Ask, http: httpx2.AsyncClient) -> None:
    schema = (await http.get("/openapi.json")).json()["components"]["schemas"]["CancelTasksBody"]
    assert TaskFilter.model_fields.keys() <= schema["properties"].keys()


async def test_all_tasks_at_once_must_be_meant(ask: Ask) -> None:
    await new(ask)
    assert (await ask("POST", "/tasks:cancel")).status_code == 422
    assert (await ask("POST", "/tasks:cancel", json={"everything": True})).json()["done"] == 1


async def test_progress_is_a_line_a_piece_and_a_last_one_with_the_result(ask: Ask) -> None:
    await ask("POST", "/tasks:batch", json={"tasks": [{"name": f"t{number}"} for number in range(100)]})
    accepts = {"Accept": "application/x-ndjson"}
    answer = await ask("POST", "/tasks:cancel", json={"everything": True}, headers=accepts)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    *pieces, last = [json.loads(line) for line in answer.text.splitlines()]
    counts = [each["progress"]["done"] for each in pieces]
    assert len(counts) >= 3
    assert counts == sorted(counts)
    assert last["result"]["done"] == 100


async def test_a_refusal_before_the_first_line_is_an_answer_of_its_own(ask: Ask) -> None:
    answer = await ask("POST", "/tasks:cancel", json={}, headers={"Accept": "application/x-ndjson"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


async def test_who_pauses_is_the_key_and_not_the_callers_word(ask: Ask) -> None:
    paused = (await ask("POST", "/pauses", json={"capability": "lint", "reason": "deploy"})).json()
    assert (paused["by"], paused["reason"]) == ("ann", "deploy")
    assert (await ask("POST", "/pauses", json={"capability": "lint", "by": "root"})).status_code == 422
    assert [each["by"] for each in (await ask("GET", "/pauses")).json()["items"]] == ["ann"]


async def test_who_approves_is_the_key(ask: Ask, world: World) -> None:
    definition = {"name": "release", "steps": [{"kind": "approval", "name": "ok", "prompt": "Go?"}]}
    started = await ask("POST", "/workflows", json={"workflow": definition})
    assert started.status_code == 200, started.text
    id = started.json()["result"]
    assert UUID(id)
    workflow = (await ask("GET", f"/workflows/{id}")).json()
    assert (workflow["name"], workflow["created_by"]) == ("release", "ann")
    said = await ask("POST", f"/workflows/{id}/approvals", json={"step": "ok", "approved": True})
    assert said.json() == {"result": True}, said.text
    answer = (await ask("GET", f"/workflows/{id}/approvals", params={"step": "ok"})).json()["result"]
    assert answer["by"] == "ann"


async def test_an_agent_is_changed_in_what_is_sent_and_nothing_else(ask: Ask) -> None:
    record = {"agent_type": "function", "capabilities": ["lint"], "executor": "my:agent", "description": "old"}
    made = await ask("PUT", "/agents/linter", json=record)
    assert made.status_code == 200, made.text
    changed = await ask("PATCH", "/agents/linter", json={"preference": 2})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["record"]["preference"], changed.json()["record"]["description"]) == (2, "old")


async def test_logs_and_events_of_a_task_are_lists(ask: Ask) -> None:
    made = await new(ask)
    events = (await ask("GET", f"/tasks/{made['id']}/events")).json()["items"]
    assert events[0]["what"] == "created"
    page = (await ask("GET", f"/runs/{made['run_id']}/events", params={"limit": 1})).json()
    later = (await ask("GET", f"/runs/{made['run_id']}/events", params={"after": page["cursor"]})).json()
    assert [each["what"] for each in (*page["items"], *later["items"])] == [each["what"] for each in events]
    logs = (await ask("GET", f"/tasks/{made['id']}/logs:follow", params={"timeout": 0})).json()
    assert (logs["items"], logs["is_over"]) == ([], False)
    why = (await ask("GET", f"/tasks/{made['id']}/why")).json()
    assert "lint" in why["headline"]


async def test_a_run_is_found_by_its_name_and_paused_resumed_and_cancelled(ask: Ask, one: BlockingTaskAPI) -> None:
    tasks = [{"name": name, "capability": "lint"} for name in "ab"]
    await ask("POST", "/tasks:batch", json={"tasks": tasks, "name": "nightly"})
    id = (await ask("GET", "/runs:find", params={"which": "nightly"})).json()["result"]
    run = (await ask("GET", f"/runs/{id}")).json()
    assert (run["name"], run["created_by"], run["total_tasks"], run["open_tasks"]) == ("nightly", "ann", 2, 2)
    paused = (await ask("POST", "/pauses", json={"run_id": id, "reason": "wait"})).json()
    assert (paused["scope"], paused["name"], paused["state"]) == ("run", id, "drained")
    assert (await ask("POST", "/pauses:end", json={"run_id": id})).json() == {"result": True}
    would = (await ask("POST", "/tasks:cancel", json={"run_id": id, "dry_run": True})).json()
    assert (await ask("GET", f"/runs/{id}")).json()["open_tasks"] == 2
    done = (await ask("POST", "/tasks:cancel", json={"run_id": id})).json()
    assert (would["matched"], done["matched"], done["done"]) == (2, 2, 2)
    assert one.get_run(id).open_tasks == 0
    assert (await ask("GET", "/runs", params={"finished": True})).json()["items"][0]["id"] == id


async def test_a_run_that_is_pruned_while_somebody_looks_is_gone_with_its_reason(
    ask: Ask, one: BlockingTaskAPI, world: World
) -> None:
    tasks = [{"name": name, "capability": "lint"} for name in "ab"]
    made = (await ask("POST", "/tasks:batch", json={"tasks": tasks, "name": "nightly"})).json()["items"]
    id = made[0]["run_id"]
    assert (await ask("GET", f"/runs/{id}/events")).status_code == 200
    for task in made:
        one.cancel_task(task["id"])
    ended = int(world.raw.zscore(world.keys.fixed("finished"), id))
    world.run(retention.prune_range(world.elect(), retention.Pass(id, ended)))
    for path in (f"/runs/{id}", f"/runs/{id}/events", f"/runs/{id}/graph"):
        answer = await ask("GET", path)
        assert answer.status_code == 404, (path, answer.text)
        assert (answer.json()["kind"], "pruned after its retention" in answer.json()["detail"]) == ("run", True)


async def test_every_record_is_read_only_for_an_administrator(
    anybody: httpx2.AsyncClient, key: Callable[..., str]
) -> None:
    async def examined(scope: Scope, **asked: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {key(scope)}"}
        return await anybody.get("/api/v1/examination", params=asked, headers=headers)

    assert (await examined(Scope.READ)).status_code == 200
    assert (await examined(Scope.READ, deep="false")).status_code == 200
    refused = await examined(Scope.OPERATE, deep="true")
    assert (refused.status_code, refused.json()["needs"], refused.json()["has"]) == (403, "admin", "operate")
    found = (await examined(Scope.ADMIN, deep="true")).json()["items"]
    assert [each["says"] for each in found if each["about"] == "invariants"] == ["all hold"]


async def test_a_deep_look_that_would_last_longer_than_a_request_says_where_it_may(
    ask: Ask, app: Guards, monkeypatch: pytest.MonkeyPatch
) -> None:
    await new(ask)
    monkeypatch.setattr(door_of(app), "_deep_seconds", 1e-9)
    found = {each["about"]: each for each in (await ask("GET", "/examination", params={"deep": True})).json()["items"]}
    assert (found["invariants"]["level"], found["tasks"]["level"]) == ("notice", "ok")
    assert found["invariants"]["do"] == "taskengine doctor --deep where the store is, without --url"


async def test_a_server_of_rest_with_other_settings_than_its_fleet_says_that_it_is_the_one(
    ask: Ask, world: World, settings: Settings
) -> None:
    usual = settings.model_copy(update={"lease_seconds": 33.0})
    world.run(fleet_settings.put(usual))
    world.run(nodes.heartbeat("n1", 1, json.dumps({"settings": usual.digest}), 2, "lint=lint", "", []))
    found = {each["about"]: each for each in (await ask("GET", "/examination")).json()["items"]}
    assert "the fleet has 33" in found["settings at this server of REST"]["says"]
