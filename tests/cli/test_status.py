"""``taskengine status``: one screen for people, one line and an exit code for monitoring."""

from __future__ import annotations

import json
import time

import pytest

from taskengine.settings import current
from taskengine.store import coordination, nodes

from ..store.world import World


@pytest.fixture
def world(store, at_server):
    return World(store, at_server.client, lambda _: store)


def beat(world, name="n1", *, queues="lint=linter", drain="", host=""):
    info = json.dumps({"hostname": f"{name}@here", "pool": "prefork", "pid": 4711})
    world.run(nodes.heartbeat(name, time.monotonic_ns(), info, 2, queues, drain, [], host=host))


@pytest.fixture
def healthy(world):
    world.run(coordination.elect("me", 600_000))
    beat(world)
    return world


def checked(taskengine):
    done = taskengine("status", "--check", "-o", "json")
    return done.code, done.json["status"]


def test_one_screen_shows_queues_workers_pauses_failures_and_findings(taskengine, healthy, at_server):
    failed = healthy.new("broken")
    healthy.finish(failed, disposition="failed", error="boom\nbang")
    healthy.new("waits", capability="nobody")
    assert taskengine("pause", "--capability", "deploy", "--reason", "freeze").code == 0
    beat(healthy)
    done = taskengine("status")
    assert (done.code, done.err) == (0, "")
    for said in ("namespace te", "1 ready", "1 failed", "nobody", "n1@here", "4711", "capability deploy by", "freeze",
                 str(failed.id), "boom", "no worker offers it"):  # fmt: skip
        assert said in done.out, said
    assert "bang" not in done.out
    found = taskengine("status", "-o", "json").json
    assert (found["failed_tasks"], [task["name"] for task in found["failed"]]) == (1, ["broken"])
    assert found["workers"][0]["info"]["pid"] == 4711
    assert {"queue nobody", "paused"} <= {one["about"] for one in found["findings"]}


def test_each_host_has_a_line_with_what_is_reserved_of_it(taskengine, healthy):
    beat(healthy, host="h1 cpu_cores=4000,gpu=2000")
    healthy.new("a", resource_requirements={"cpu_cores": 1.5})
    healthy.start(healthy.slot(queues="lint=linter"))
    out = taskengine("status").out
    (line,) = (line for line in out.splitlines() if line.startswith("h1"))
    assert line.split() == ["h1", "1", "1", "1.5", "of", "4", "cpu_cores,", "0", "of", "2", "gpu"]
    (host,) = taskengine("status", "-o", "json").json["hosts"]
    assert (host["total"], host["reserved"]) == ({"cpu_cores": 4.0, "gpu": 2.0}, {"cpu_cores": 1.5})


def test_a_large_fleet_stays_on_one_screen(taskengine, healthy):
    for n in range(30):
        beat(healthy, f"n{n}", queues=f"c{n}=a", drain="SIGTERM" if n == 29 else "")
        healthy.new(f"t{n}", capability=f"c{n}")
    failed = [healthy.new(f"f{n}") for n in range(9)]
    healthy.finish(*failed, disposition="failed", error="boom", slot=healthy.slot(node="n1x"))
    shown = taskengine("status").out
    assert len(shown.splitlines()) < 50
    for said in ("and 23 more queues: taskengine queue stats", "and 23 more workers: taskengine workers", "n29@here",
                 "and 4 more: taskengine task list --status failed"):  # fmt: skip
        assert said in shown, shown


def test_the_check_tells_how_bad_it_is_by_its_exit_code(taskengine, healthy):
    assert checked(taskengine) == (0, "ok")
    beat(healthy, drain="SIGTERM")
    assert checked(taskengine) == (1, "warning")
    healthy.new("waits", capability="nobody")
    assert checked(taskengine) == (2, "critical")
    done = taskengine("status", "--check")
    assert (done.code, len(done.out.splitlines())) == (2, 1)
    assert done.out.startswith("CRITICAL: queue nobody: 1 task READY, no worker offers it; worker n1@here: drains")
    assert "namespace te" in done.out


def test_nobody_who_coordinates_or_works_is_critical(taskengine, world):
    done = taskengine("status", "--check")
    assert (done.code, "coordinator: nobody leads" in done.out, "workers: none is alive" in done.out) == (2, True, True)


def test_a_server_that_is_down_is_critical_and_shown(taskengine, monkeypatch):
    monkeypatch.setenv("TASKENGINE_REDIS_URL", "redis://127.0.0.1:1/0")
    current.cache_clear()
    done = taskengine("status", "--check")
    assert (done.code, done.out.startswith("CRITICAL: server: ")) == (2, True)
    done = taskengine("status")
    assert (done.code, "Traceback" in done.err, "127.0.0.1:1" in done.out) == (1, False, True)
    current.cache_clear()


def test_an_embedded_server_that_is_not_there_is_not_started(taskengine, monkeypatch, tmp_path):
    monkeypatch.delenv("TASKENGINE_REDIS_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    current.cache_clear()
    assert taskengine("status", "--check").code == 2
    assert taskengine("status").code == 1
    assert list(tmp_path.iterdir()) == []
    current.cache_clear()


def test_a_wrong_setting_is_unknown(taskengine, monkeypatch):
    monkeypatch.setenv("TASKENGINE_REDIS_URL", "amqp://localhost")
    current.cache_clear()
    done = taskengine("status", "--check")
    assert (done.code, done.out.startswith("UNKNOWN: ")) == (3, True)
    assert taskengine("status", "--check", "-o", "json").json["status"] == "unknown"
    current.cache_clear()
