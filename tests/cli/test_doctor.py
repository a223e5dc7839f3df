"""``taskengine doctor``: each illness is found, named, and has something to do about it."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from taskengine.api.operations.examine import fleet as fleet_check
from taskengine.api.operations.examine import server as server_check
from taskengine.settings import Settings, current
from taskengine.store import coordination, fleet_settings, nodes
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
    store.run(coordination.elect("me", 60_000))
    beat(store, "n1")
    return store


def beat(store, name, *, queues="lint=linter", drain="", **info):
    text = json.dumps({"hostname": f"{name}@here", "pool": "prefork", "stuck": 0, **info})
    store.run(nodes.heartbeat(name, time.monotonic_ns(), text, 2, queues, drain, []))


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
    beat(healthy, "n1", queues="")
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


def test_a_threads_worker_that_may_open_too_few_files_is_told(healthy, examine):
    beat(healthy, "few", pool="threads", open_files=203)
    beat(healthy, "enough", pool="threads", open_files=204)
    found = examine()
    assert found["worker few@here"]["says"] == "may have 203 files open; its 2 slots may need 204"
    assert "ulimit -n 204" in found["worker few@here"]["do"]
    assert found["worker enough@here"]["level"] == "ok"


def test_messages_in_quarantine_are_shown_with_their_reason(healthy, examine, at_server):
    key = Keys(healthy.settings.namespace).fixed("quarantine")
    at_server.client.lpush(key, json.dumps({"reason": "no JSON", "queue": "lint", "raw": "{"}))
    found = examine()["unreadable messages"]
    assert (found["level"], "no JSON" in found["says"], "quarantine list" in found["do"]) == ("notice", True, True)


def test_poisoned_decisions_and_dead_letters_are_shown(healthy):
    fleet = replace(healthy.run(nodes.fleet()), poison_decisions=2, dead_letters=1, parked={"gpu:7": 3})
    found = {f.about: f for f in fleet_check.examine(fleet)}
    assert (found["decisions"].level, found["dead letters"].level) == ("wrong", "notice")
    assert found["parked gpu:7"].says == "3 tasks READY and may not run"


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


def with_settings(store, **changes):
    """The digest of a process that has these settings, which it has said."""
    settings = Settings(**changes)
    store.run(fleet_settings.put(settings))
    return settings.digest


def test_workers_that_have_other_settings_than_most_are_named_with_what_differs(healthy, examine):
    usual, other = with_settings(healthy), with_settings(healthy, lease_seconds=20, max_lost=5)
    for name, digest in (("n1", usual), ("n2", usual), ("n3", other), ("n4", other), ("n5", usual)):
        beat(healthy, name, settings=digest)
    (about, found), *others = [each for each in examine().items() if each[0].startswith("settings")]
    assert (about, found["level"], others) == ("settings of worker n3@here, worker n4@here", "wrong", [])
    assert found["says"] == "TASKENGINE_LEASE_SECONDS is 20, most have 10; TASKENGINE_MAX_LOST is 5, most have 3"


def test_a_coordinator_that_has_other_settings_is_named(healthy, examine):
    healthy.run(coordination.resign("me"))
    healthy.run(coordination.elect("you", 60_000, with_settings(healthy, retention_seconds=60)))
    for name in ("n1", "n2"):
        beat(healthy, name, settings=with_settings(healthy))
    assert examine()["settings of coordinator you"]["says"] == "TASKENGINE_RETENTION_SECONDS is 60, most have 86400"


def test_a_shell_that_has_other_settings_than_its_fleet_is_noticed(healthy, examine, monkeypatch):
    beat(healthy, "n1", settings=with_settings(healthy))
    monkeypatch.setenv("TASKENGINE_CLAIM_SECONDS", "30")
    current.cache_clear()
    found = examine()["settings here"]
    assert (found["level"], found["says"]) == ("notice", "TASKENGINE_CLAIM_SECONDS is 30, the fleet has 10")


def test_values_that_nobody_said_for_long_are_still_known_to_differ(healthy, examine):
    for name in ("n1", "n2"):
        beat(healthy, name, settings=with_settings(healthy))
    beat(healthy, "n3", settings="of old")
    beat(healthy, "older")
    assert examine()["settings of worker n3@here"]["says"] == "they differ, and their values are not kept any more"


def test_a_variable_that_is_no_setting_is_wrong(healthy, examine, monkeypatch):
    monkeypatch.setenv("TASKENGINE_LEASE_SECOND", "20")
    assert examine()["variable TASKENGINE_LEASE_SECOND"]["says"] == (
        "it is no setting, the nearest is TASKENGINE_LEASE_SECONDS"
    )


def test_nothing_starts_with_a_variable_that_is_no_setting(taskengine, at_server, monkeypatch):
    monkeypatch.setenv("TASKENGINE_LEASE_SECOND", "20")
    done = taskengine("up", "--no-flower")
    assert done.code == 1
    assert "TASKENGINE_LEASE_SECOND is no setting, the nearest is TASKENGINE_LEASE_SECONDS" in done.err
    assert taskengine("task", "list").code == 0


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
