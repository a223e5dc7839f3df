"""``taskengine doctor``: each illness is found, named, and has something to do about it."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from taskengine.cli.doctor import fleet as fleet_check
from taskengine.cli.doctor import server as server_check
from taskengine.settings import Settings, current
from taskengine.store import coordination, nodes
from taskengine.store.connect import ServerFacts
from taskengine.store.keys import Keys


@pytest.fixture
def examine(taskengine):
    """Findings by what they are about; the exit code must agree with them."""

    def run(*words):
        done = taskengine("doctor", *words, "-o", "json")
        found = done.json
        assert found["healthy"] == (done.code == 0) == all(f["level"] != "wrong" for f in found["findings"])
        assert all(f["do"] for f in found["findings"] if f["level"] != "ok")
        return {f["about"]: f for f in found["findings"]}

    return run


@pytest.fixture
def healthy(store):
    """Somebody leads, somebody works; the store to change that with."""
    store.run(coordination.lead("me", 60_000))
    beat(store, "n1")
    return store


def beat(store, name, *, lanes="lint=linter", drain="", **info):
    text = json.dumps({"hostname": f"{name}@here", "pool": "prefork", "stuck": 0, **info})
    store.run(nodes.beat(name, time.monotonic_ns(), text, 2, lanes, drain, []))


def test_a_healthy_fleet_is_healthy(healthy, examine, taskengine):
    found = examine()
    assert {about: f["level"] for about, f in found.items()} == {
        "server": "ok", "append-only file": "ok", "coordinator": "ok", "worker n1@here": "ok", "tasks": "ok",
    }  # fmt: skip
    assert "All is well." in taskengine("doctor").out


def test_a_worker_that_takes_nothing_of_what_it_is_granted_is_wrong(healthy, examine, at_server):
    at_server.client.hset("te:node:n1", "un", 3)
    assert examine()["worker n1@here"]["level"] == "wrong"
    assert "took nothing of what it was granted 3 times" in examine()["worker n1@here"]["says"]


def test_a_worker_that_consumes_nothing_is_named(healthy, examine):
    beat(healthy, "n1", lanes="")
    assert examine()["worker n1@here"]["says"].startswith("consumes no queue")


def test_nobody_leads_and_nobody_works(store, examine):
    found = examine()
    assert found["coordinator"]["do"].startswith("taskengine coordinator")
    assert found["workers"]["level"] == "wrong"


def test_an_evicting_server_is_wrong(healthy, examine, at_server):
    at_server.client.config_set("maxmemory-policy", "allkeys-lru")
    assert "CONFIG SET maxmemory-policy noeviction" in examine()["server"]["says"]


def test_a_server_without_append_only_file_is_wrong(healthy, examine, at_server):
    at_server.client.config_set("appendonly", "no")
    assert "appendonly yes" in examine()["append-only file"]["do"]


def test_ready_tasks_that_nobody_can_run_are_wrong(healthy, examine, taskengine):
    taskengine("task", "submit", "-C", "lint")
    taskengine("task", "submit", "-C", "paint")
    taskengine("task", "submit", "-C", "lint", "--assigned-to", "bot")
    found = examine()
    assert "--queues paint" in found["queue paint"]["do"]
    assert found["agent bot"]["level"] == "wrong"
    assert "queue lint" not in found


def test_stuck_draining_and_silent_workers_are_told_apart(healthy, examine, at_server):
    beat(healthy, "stuck", stuck=1)
    beat(healthy, "going", drain="shutting down")
    beat(healthy, "gone")
    at_server.client.zadd(Keys(healthy.settings.namespace).fixed("nodes"), {"gone": 1})
    found = examine()
    assert found["worker stuck@here"]["level"] == "wrong"
    assert found["worker going@here"]["says"] == "drains: shutting down"
    assert "silent" in found["worker gone@here"]["says"]


def test_messages_in_quarantine_are_shown_with_their_reason(healthy, examine, at_server):
    key = Keys(healthy.settings.namespace).fixed("quarantine")
    at_server.client.lpush(key, json.dumps({"reason": "no JSON", "queue": "lint", "raw": "{"}))
    found = examine()["unreadable messages"]
    assert (found["level"], "no JSON" in found["says"], "quarantine list" in found["do"]) == ("notice", True, True)


def test_poisoned_decisions_and_dead_letters_are_shown(healthy):
    fleet = replace(healthy.run(nodes.fleet()), poison_decisions=2, dead_letters=1, parked={"run:7": 3})
    found = {f.about: f for f in fleet_check.examine(fleet)}
    assert (found["decisions"].level, found["dead letters"].level) == ("wrong", "notice")
    assert found["parked run:7"].says == "3 tasks READY and may not run"


def test_an_open_server_without_password_is_wrong():
    user = {"flags": ["on", "nopass", "allcommands"]}
    open_to_all = {"bind": "* -::*", "port": "6379", "protected-mode": "no"}

    def found(user, **options):
        return [f.level for f in server_check.access(user, {**open_to_all, **options})]

    assert found(user) == found(user, bind="10.0.0.5") == ["wrong"]
    assert found(user, bind="127.0.0.1 -::1") == found(user, port="0") == []
    assert found(user, **{"protected-mode": "yes"}) == found({"flags": ["on"]}) == []


def test_a_short_memory_is_noticed():
    facts = ServerFacts("9", "valkey", False, "noeviction", True, 1000, "r", 1)
    assert [f.level for f in server_check.memory(facts, {"used_memory": 950})] == ["notice"]
    assert not list(server_check.memory(facts, {"used_memory": 500}))


def test_a_deep_look_finds_what_must_not_be(healthy, examine, taskengine, at_server):
    taskengine("task", "submit", "-C", "lint")
    assert examine("--deep")["invariants"]["says"] == "all hold"
    at_server.client.hincrby(Keys(healthy.settings.namespace).fixed("counts"), "failed", 3)
    found = examine("--deep")["invariants"]
    assert (found["level"], "failed" in found["says"]) == ("wrong", True)


def test_a_foreign_workers_package_is_wrong(healthy, examine, tmp_path):
    (tmp_path / "workers.py").write_text("")
    assert str(tmp_path / "workers.py") in examine()["folder"]["says"]


def test_variables_that_divert_celery_are_noticed(healthy, examine, monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://elsewhere")
    assert "CELERY_BROKER_URL" in examine()["environment"]["says"]


def test_a_server_that_is_away_is_wrong_and_no_traceback(taskengine, at_server):
    at_server.kill()
    done = taskengine("doctor")
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert "no answer from Redis" in done.out


def test_an_embedded_server_is_not_started_by_looking(examine, monkeypatch, tmp_path):
    monkeypatch.delenv("TASKENGINE_REDIS_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    current.cache_clear()
    assert Settings().redis_url is None
    found = examine()
    assert "taskengine up" in found["server"]["do"]
    assert not (tmp_path / ".taskengine").exists()
    current.cache_clear()
