"""Every row, every key: what comes back is documented, and what may not be asked is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from taskengine import BlockingTaskAPI
from taskengine.api.operations.keys import create_key, revoke_key
from taskengine.api.surface import PREFIX, ROWS, Row, Scope, Sends
from taskengine.models import TaskCreateRequest
from taskengine.rest.arguments import body_model, body_names
from taskengine.rest.wire import parameters
from taskengine.settings import Settings
from taskengine.store.sync import SyncStore
from taskengine.transport import template

from ..store.world import World
from .test_errors import problem

pytestmark = [pytest.mark.process, pytest.mark.slow]
#: What is right for an argument, where a request without it would be refused before anything is looked up.
RIGHT: Mapping[str, Any] = {
    "task_ids": [], "tasks": [], "name": "n", "step": "s", "value": 1, "capabilities": ["a"], "agent_type": "function",
    "dependency_id": str(uuid4()), "values": {"a": 1}, "new_priority": 2, "capability": "a", "beginning": "abcd",
    "which": "abcd", "key": "0" * 12,
    "workflow": {"name": "w", "steps": [{"kind": "wait", "name": "s", "wait_seconds": 1}]},
}  # fmt: skip
#: Further ones of some rows.
MORE: Mapping[str, Mapping[str, Any]] = {
    "update_agent": {"description": "d"}, "set_limit": {"in_flight": 1}, "requeue_dead_letters": {"task_ids": []},
    "drop_dead_letters": {"task_ids": []}, "drop_quarantined": {"message_ids": []}, "pause": {"capability": "a"},
    "resume": {"capability": "a"},
}  # fmt: skip


def request(row: Row, id: UUID) -> dict[str, Any]:
    """A request that has all it needs, for something with this id."""
    path = PREFIX + re.sub(r"\{(\w+)\}", lambda found: str(id) if "id" in found[1] else "nobody", row.path)
    outside = [name for name in parameters(row) if name not in row.in_path and name not in body_names(row)]
    wanted = {name for name, each in parameters(row).items() if each.default is each.empty}
    params = {name: RIGHT[name] for name in outside if name in wanted}
    return {"method": row.verb, "url": path, "params": params, **body_of(row)}


def body_of(row: Row) -> dict[str, Any]:
    """What it sends."""
    if row.sends is Sends.QUERY:
        return {}
    if row.sends is Sends.ONE:
        return {"json": {"name": "a"}}
    if row.sends is Sends.WHERE:
        body = {"everything": True, "dry_run": True, **({"new_priority": 2} if row.name == "update_tasks" else {})}
        return {"json": body}
    model = body_model(row)
    fields = {} if model is None else model.model_fields
    needs = {name: RIGHT[name] for name, field in fields.items() if field.is_required()}
    return {"json": {**needs, **MORE.get(row.name, {}), **({"timeout": 0} if row.waits else {})}}


@pytest.fixture
async def documented(anybody: httpx2.AsyncClient) -> Callable[[Row], Mapping[str, Any]]:
    """The answers that the description knows of a row."""
    paths = (await anybody.get("/openapi.json")).json()["paths"]
    return lambda row: paths[PREFIX + row.path][row.verb.lower()]["responses"]


@pytest.fixture
def foreign(settings: Settings) -> Iterator[tuple[UUID, str]]:
    """A task of another namespace of the same store, and a key that is valid there."""
    theirs = settings.model_copy(update={"namespace": "theirs"})
    assert theirs.redis_url is not None
    with BlockingTaskAPI(settings=theirs) as client:
        task = client.create_task(TaskCreateRequest(name="not-for-you", capability="lint"))
    store = SyncStore(theirs.redis_url, theirs, template())
    yield task.id, store.run(create_key("eve", Scope.ADMIN)).key
    store.close()


@pytest.fixture
def refused(world: World, key: Callable[..., str], foreign: tuple[UUID, str]) -> Mapping[str, Mapping[str, str]]:
    """Headers that let nobody in, by what is wrong with them."""
    revoked = key()
    session = "te-80=ts_" + "0" * 12 + "_" + "1" * 12 + "_" + "A" * 43
    world.run(revoke_key(revoked))
    shown = {
        "expired": key(expires_at=datetime.now(UTC) - timedelta(seconds=1)),
        "revoked": revoked,
        "garbage": "te_nonsense",
        "of another namespace": foreign[1],
    }
    return {
        "none": {},
        "a session of nobody": {"Cookie": session, "Sec-Fetch-Site": "same-origin"},
        **{word: {"Authorization": f"Bearer {each}"} for word, each in shown.items()},
    }


async def test_no_row_is_for_who_has_no_key_of_this_namespace(
    anybody: httpx2.AsyncClient, refused: Any, foreign: tuple[UUID, str]
) -> None:
    for row in ROWS:
        for word, headers in refused.items():
            answer = await anybody.request(**request(row, foreign[0]), headers=headers)
            assert answer.status_code == 401, (row.id, word, answer.text)
            problem(answer, 401, "unknown-key")


async def test_each_row_answers_each_scope_as_it_is_documented_and_nothing_of_another_namespace(
    anybody: httpx2.AsyncClient, key: Callable[..., str], foreign: tuple[UUID, str], documented: Any, settings: Settings
) -> None:
    keys = {scope: {"Authorization": f"Bearer {key(scope)}"} for scope in Scope}
    odd = []
    for row in ROWS:
        for scope, headers in keys.items():
            answer = await anybody.request(**request(row, foreign[0]), headers=headers)
            case = (row.id, scope.word, answer.status_code, answer.text[:300])
            if scope < row.scope:
                document = problem(answer, 403, "scope")
                assert (document["needs"], document["has"]) == (row.scope.word, scope.word)
                continue
            assert str(answer.status_code) in documented(row), case
            assert "not-for-you" not in answer.text, case
            wanted = {404} if "task_id" in row.in_path and row.name != "delete_task" else {200, 204, 404}
            if answer.status_code not in wanted:
                odd.append(case)
    assert odd == []
    theirs = settings.model_copy(update={"namespace": "theirs"})
    with BlockingTaskAPI(settings=theirs) as client:
        assert client.get_task(foreign[0]).status.value == "ready"


async def test_what_is_no_row_is_for_everybody_or_wants_a_key(anybody: httpx2.AsyncClient, refused: Any) -> None:
    """So a route that somebody adds beside the table stands here, or asks for a key."""
    paths = (await anybody.get("/openapi.json")).json()["paths"]
    rows = {(PREFIX + row.path, row.verb.lower()) for row in ROWS}
    others = {(path, verb) for path, verbs in paths.items() for verb in verbs} - rows
    free = {
        ("/livez", "get"), ("/readyz", "get"), ("/version", "get"), ("/problems/{slug}", "get"), ("/session", "post"),
        ("/session", "delete"),
    }  # fmt: skip
    assert free <= others
    for path, verb in others - free:
        for word, headers in refused.items():
            url = re.sub(r"\{\w+\}", str(uuid4()), path)
            answer = await anybody.request(verb.upper(), url, headers=headers)
            assert answer.status_code == 401, (path, verb, word, answer.text[:200])
