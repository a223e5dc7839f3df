"""The same commands against a server of REST: nothing reaches the store, and nothing is started."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskengine import BlockingTaskAPI, Task
from taskengine.api.operations.keys import create_key, list_keys
from taskengine.cli import afar, completion, reach
from taskengine.cli.place import asking
from taskengine.errors import SettingsError
from taskengine.models.key import NewKey
from taskengine.settings import Settings, current
from taskengine.store.call import Operation
from taskengine.store.sync import SyncStore
from taskengine.transport import template

from ..served import Served
from .conftest import Done

Run = Callable[..., Done]
pytestmark = pytest.mark.process
FIRST = {"name": "first", "capability": "lint"}
GRAPH = {"tasks": [FIRST, {"name": "second", "capability": "lint", "depends_on": ["first"]}]}
WORKFLOW = {"name": "w", "steps": [{"name": "s", "kind": "wait", "signal": "go"}]}


@pytest.fixture(scope="module")
def server(shared_valkey: Any) -> Iterator[Served]:
    made = Served(Settings(redis_url=shared_valkey.url))
    yield made
    made.close()


@pytest.fixture
def key(shared_valkey: Any) -> str:
    """The store is empty but for it."""
    shared_valkey.client.flushall()
    return made_key(shared_valkey, "admin")


def made_key(shared_valkey: Any, scope: str) -> str:
    """A key that may do so much."""
    store = SyncStore(shared_valkey.url, Settings(), template())
    made: Operation[NewKey] = create_key("ann", scope)
    try:
        return store.run(made).key
    finally:
        store.close()


@pytest.fixture
def over_http(server: Served, key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Served]:
    """This process knows a server and a key, and no store, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TASKENGINE_REDIS_URL", raising=False)
    monkeypatch.setenv("TASKENGINE_URL", server.url)
    monkeypatch.setenv("TASKENGINE_API_KEY", key)
    current.cache_clear()
    yield server
    current.cache_clear()
    assert not (tmp_path / ".taskengine").exists(), "an embedded server was started"


@pytest.mark.usefixtures("over_http")
def test_keys_are_made_listed_and_revoked_by_who_has_one_for_everything(
    taskengine: Run, shared_valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = taskengine("-o", "json", "keys", "create", "bo", "--scope", "operate", "--expires", "90d").json
    assert [each["name"] for each in taskengine("-o", "json", "keys", "list").json] == ["ann", "bo"]
    assert taskengine("keys", "revoke", made["key"]).code == 0
    again = taskengine("keys", "revoke", made["id"])
    assert (again.code, "there is no key" in again.err) == (1, True)
    monkeypatch.setenv("TASKENGINE_API_KEY", made_key(shared_valkey, "operate"))
    refused = taskengine("keys", "create", "eve")
    assert refused.code == 1
    assert "admin" in refused.err


@pytest.mark.usefixtures("over_http")
def test_tasks_are_submitted_looked_at_and_steered(taskengine: Run) -> None:
    made = taskengine("-o", "json", "task", "submit", "--capability", "lint", "--name", "a").json
    id = made["id"]
    assert made["created_by"]
    for words in (
        ["task", "list"], ["task", "get", id], ["task", "get", id[:8]], ["task", "why", id], ["task", "logs", id],
        ["task", "hold", id], ["task", "release", id], ["task", "pause", id], ["task", "resume", id],
        ["task", "update", id, "--priority", "high"], ["task", "watch", id, "--once"], ["task", "watch", "--once"],
        ["task", "cancel", id], ["task", "retry", id], ["run", "list"], ["run", "show", made["run_id"]],
        ["queue", "stats"], ["workers"], ["dead", "list"], ["quarantine", "list"], ["agents", "list"],
        ["agents", "limits", "list"], ["agents", "usage"], ["pause", "--capability", "lint"], ["pauses"],
        ["resume", "--capability", "lint"], ["keys", "list"],
    ):  # fmt: skip
        done = taskengine(*words)
        assert done.code == 0, (words, done.out, done.err)


@pytest.mark.usefixtures("over_http")
def test_graphs_workflows_and_agents_come_from_files(taskengine: Run, tmp_path: Path) -> None:
    (tmp_path / "graph.json").write_text(json.dumps(GRAPH), encoding="utf-8")
    (tmp_path / "w.json").write_text(json.dumps(WORKFLOW), encoding="utf-8")
    id = taskengine("-o", "json", "workflow", "start", "w.json").json["id"]
    for words in (
        ["graph", "submit", "graph.json"], ["agents", "register", "one", "function", "lint"], ["agents", "show", "one"],
        ["workflow", "list"], ["workflow", "status", "w"], ["workflow", "signal", id, "go"],
        ["workflow", "cancel", id],
    ):  # fmt: skip
        done = taskengine(*words)
        assert done.code == 0, (words, done.out, done.err)


@pytest.mark.usefixtures("over_http")
def test_many_tasks_are_steered_by_a_filter(taskengine: Run) -> None:
    for name in "abc":
        taskengine("task", "submit", "--capability", "lint", "--name", name)
    assert taskengine("-o", "json", "task", "cancel", "--capability", "lint").json["done"] == 3


def test_doctor_and_status_say_what_the_server_finds(over_http: Served, taskengine: Run) -> None:
    taskengine("task", "submit", "--capability", "lint")
    done = taskengine("doctor", "-o", "json")
    found = {each["about"]: each for each in done.json["findings"]}
    assert found["server of REST"]["says"] == f"{over_http.url} answers"
    assert found["server"]["level"] == "ok"
    assert found["queue lint"]["do"].startswith("taskengine worker --queues lint")
    assert (done.code, done.json["server"]) == (1, f"server {over_http.url}")
    assert over_http.url in taskengine("status").out


@pytest.mark.usefixtures("over_http")
def test_doctor_reads_every_record_through_the_server(taskengine: Run) -> None:
    assert "all hold" in taskengine("doctor", "--deep").out


@pytest.mark.usefixtures("over_http")
def test_doctor_says_what_a_key_lacks_and_what_is_the_matter_with_the_address(
    taskengine: Run, shared_valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKENGINE_API_KEY", made_key(shared_valkey, "read"))
    current.cache_clear()
    assert taskengine("doctor", "-o", "json").json["findings"][0]["level"] == "ok"
    deep = taskengine("doctor", "--deep", "-o", "json")
    (found,) = deep.json["findings"]
    assert (deep.code, found["about"], found["level"]) == (1, "server of REST", "wrong")
    assert "admin" in found["says"]
    (away,) = taskengine("--url", "http://127.0.0.1:1", "doctor", "-o", "json").json["findings"]
    assert (away["level"], "no answer from http://127.0.0.1:1" in away["says"]) == ("wrong", True)


@pytest.mark.usefixtures("over_http")
def test_what_is_advised_is_a_command(taskengine: Run) -> None:
    id = taskengine("-o", "json", "task", "submit", "--capability", "lint", "--hold").json["id"]
    assert f"taskengine task release {id}" in taskengine("task", "why", id).out.replace("\n", " ")


def test_the_option_wins_over_the_variable(
    over_http: Served, taskengine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKENGINE_URL", "http://127.0.0.1:1")
    current.cache_clear()
    assert taskengine("task", "list").code == 1
    assert taskengine("--url", over_http.url, "task", "list").code == 0
    assert taskengine("task", "list").code == 1


@pytest.mark.usefixtures("over_http")
def test_what_only_the_store_can_be_asked_says_so() -> None:
    with asking() as api, pytest.raises(SettingsError, match="this asks the store itself"):
        api.ask(list_keys())


def test_a_part_of_the_fleet_takes_no_server(over_http: Served, taskengine: Run) -> None:
    for words in (["up"], ["server"]):
        done = taskengine("--url", over_http.url, *words)
        assert done.code == 1
        assert "this runs on the store" in done.err


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://127.0.0.1:1", "no address of a server of REST"),
        ("http://127.0.0.1:1", "is 'taskengine server' running there"),
        ("http://tasks.example.org", "in clear; use https://"),
    ],
)
def test_a_wrong_address_is_one_sentence(over_http: Served, taskengine: Run, url: str, says: str) -> None:
    done = taskengine("--url", url, "task", "list")
    assert done.code == 1
    assert says in done.err


def test_ids_and_names_are_offered_by_the_server_that_is_named(
    over_http: Served, taskengine: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(afar, "_SECONDS", 60.0)
    made = [taskengine("-o", "json", "task", "submit", "-C", "lint", "--name", name).json for name in ("a", "b")]
    taskengine("task", "cancel", made[0]["id"])
    with BlockingTaskAPI() as api:
        graph = api.create_tasks([Task(name=name, capability="lint") for name in "cd"], name="nightly")
    run = str(graph[0].run_id)
    taskengine("agents", "limits", "set", "key", "--in-flight", "1")
    taskengine("agents", "register", "bot", "function", "lint")
    for word in ("TASKENGINE_URL", "--url"):
        if word == "--url":
            monkeypatch.delenv("TASKENGINE_URL")
            current.cache_clear()
            monkeypatch.setattr(reach, "_choice", reach._Choice(over_http.url))
        assert completion._tasks(made[0]["id"][:6], ("cancelled",)) == [(made[0]["id"], "a cancelled")]
        assert completion._tasks(made[1]["id"][:6], ("cancelled",)) == []
        assert {id for id, _ in completion.task_ids("")} >= {each["id"] for each in made}
        assert completion.runs("nig") == [("nightly", "the newest of that name")]
        assert completion.run_ids(run[:8]) == [(run, "nightly 0 of 2 over")]
        assert completion.capabilities("l") == [("lint", "3 ready")]
        assert completion.limits("") == [("key", "0 agents")]
        assert [name for name, _ in completion.agents("")] == ["bot"]
        assert completion.dead_ids("") == completion.quarantined_ids("") == completion.workflows("") == []
    monkeypatch.setattr(reach, "_choice", reach._Choice("http://127.0.0.1:1"))
    monkeypatch.setattr(afar, "_SECONDS", 0.2)
    assert completion.task_ids("") == []
