"""``taskengine graph …``."""

from __future__ import annotations

import pytest

from taskengine.settings import current

from ..store.world import World

GOOD = """\
name: nightly
tasks:
  - {name: fetch, capability: lint, timeout: 60}
  - {name: parse, capability: lint, timeout: 60, depends_on: [fetch], priority: high}
  - {name: report, capability: lint, timeout: 60, depends_on: [parse, fetch]}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "g.yaml").write_text(GOOD)
    return tmp_path / "g.yaml"


@pytest.fixture
def no_server(monkeypatch):
    monkeypatch.setenv("TASKENGINE_REDIS_URL", "redis://127.0.0.1:1/0")
    current.cache_clear()
    yield
    current.cache_clear()


def test_show_draws_each_task_once(taskengine, file):
    out = taskengine("graph", "show", "g.yaml").out
    assert [line.strip(" │├└─") for line in out.splitlines()] == [
        "nightly", "fetch  lint", "parse  lint  high", "report  lint  also after parse", "3 tasks, 3 edges, 3 waves"
    ]  # fmt: skip
    nodes = taskengine("graph", "show", "g.yaml", "-o", "json").json["tasks"]
    assert nodes[2] == {"name": "report", "queue": "lint", "depends_on": ["fetch", "parse"]}


def test_plan_says_waves_and_critical_path(taskengine, file):
    found = taskengine("graph", "plan", "g.yaml", "-o", "json").json
    assert found["waves"] == [["fetch"], ["parse"], ["report"]]
    assert (found["critical_path"], found["critical_path_seconds"]) == (["fetch", "parse", "report"], 3.0)
    assert "fetch → parse → report" in taskengine("graph", "plan", "g.yaml").out


@pytest.mark.usefixtures("no_server")
def test_lint_needs_no_server_and_warnings_are_no_errors(taskengine, file):
    done = taskengine("graph", "lint", "g.yaml")
    assert (done.code, "3 tasks, no error, 0 warnings" in done.out) == (0, True)


def test_lint_asks_a_server_that_runs_who_offers_what(taskengine, file, at_server, store):
    found = taskengine("graph", "lint", str(file), "-o", "json").json
    assert [one["rule"] for one in found["warnings"]] == ["no-worker"]
    World(store, at_server.client, lambda _: store).beat()
    assert taskengine("graph", "lint", str(file), "-o", "json").json == {"errors": [], "warnings": []}


def test_lint_tells_all_errors_and_ends_with_1(taskengine, file):
    file.write_text("tasks:\n- name: a\n  timout: 5\n- name: a\n")
    done = taskengine("graph", "lint", "g.yaml", "-o", "json")
    assert done.code == 1
    assert [(one["field"], one["says"].partition(": ")[0]) for one in done.json["errors"]] == [
        ("name", "g.yaml:4"), ("timout", "g.yaml:3")
    ]  # fmt: skip
    for verb in ("show", "plan", "submit"):
        refused = taskengine("graph", verb, "g.yaml")
        assert (refused.code, "g.yaml:4" in refused.err) == (1, True)


def test_submit_stores_the_graph_and_says_its_run(taskengine, file, at_server):
    done = taskengine("graph", "submit", str(file), "-o", "json")
    assert done.code == 0
    found = taskengine("task", "list", "--metadata", "graph=nightly", "-o", "json").json["tasks"]
    assert {task["name"]: task["status"] for task in found} == {
        "fetch": "ready", "parse": "pending", "report": "pending"
    }  # fmt: skip
    assert {task["run_id"] for task in found} == {done.json["run_id"]}


def test_the_same_graph_under_the_same_key_is_submitted_once(taskengine, file, at_server):
    first, second = (
        taskengine("graph", "submit", str(file), "--idempotency-key", "nightly-1", "-o", "json").json for _ in range(2)
    )
    assert first["run_id"] == second["run_id"]
    assert [task["id"] for task in first["tasks"]] == [task["id"] for task in second["tasks"]]
    file.write_text(GOOD.replace("timeout: 60", "timeout: 61", 1))
    refused = taskengine("graph", "submit", str(file), "--idempotency-key", "nightly-1")
    assert (refused.code, first["run_id"] in refused.err) == (1, True)


def test_submit_and_wait_ends_when_all_are_over(taskengine, file, at_server, store):
    done = taskengine("graph", "submit", str(file), "--wait", "--wait-timeout", "0.2")
    assert (done.code, "did not end within 0.2 s" in done.err) == (1, True)
