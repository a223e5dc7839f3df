"""``taskengine run …`` against a server of its own, without workers."""

from __future__ import annotations

import json

import pytest

from taskengine.cli.task import watch

from ..store.world import World


@pytest.fixture
def world(store, at_server):
    return World(store, at_server.client, lambda _: store)


@pytest.fixture
def nightly(world):
    tasks = [world.task(name, hold=name == "c") for name in "abc"]
    run = world.submit(*tasks, name="nightly", by="zoe")
    world.finish(tasks[0], tasks[1], disposition="failed", error="boom\nbang")
    return run


def test_runs_are_listed_with_names_makers_and_how_they_stand(taskengine, world, nightly):
    other = world.submit(world.task("x"), world.task("y"))
    world.new("lone")
    shown = taskengine("run", "list").out
    (line,) = (line for line in shown.splitlines() if nightly in line)
    assert all(word in line for word in ("nightly", "zoe", "3", "1 pending, 2 failed", "so far"))
    assert (other in shown, len(shown.splitlines())) == (True, 3)
    found = taskengine("run", "list", "--name", "nightly", "--created-by", "zoe", "--open", "-o", "json").json
    assert [(run["id"], run["counts"]) for run in found["runs"]] == [(nightly, {"pending": 1, "failed": 2})]
    assert taskengine("run", "list", "--finished").out.startswith("no run;")
    page = taskengine("run", "list", "-n", "1", "-o", "json").json
    more = taskengine("run", "list", "-n", "1", "--cursor", page["cursor"], "-o", "json").json
    assert {page["runs"][0]["id"], more["runs"][0]["id"]} == {nightly, other}


@pytest.mark.parametrize("whole", [True, False])
def test_a_run_is_shown_with_what_failed(taskengine, world, nightly, whole):
    which = nightly if whole else "nightly"
    shown = taskengine("run", "show", which).out
    for said in (nightly, "nightly", "by zoe", "1 pending, 2 failed", "boom", f"taskengine run watch {nightly}"):
        assert said in shown
    assert "bang" not in shown
    found = taskengine("run", "show", which, "-o", "json").json
    assert (found["name"], found["open_tasks"], len(found["failed"]), found["running"]) == ("nightly", 1, 2, [])


def test_a_run_is_watched_to_its_end_and_says_whether_all_completed(taskengine, world, nightly):
    done = taskengine("run", "watch", "nightly", "--once")
    assert (done.code, "2 failed" in done.out) == (1, True)
    assert taskengine("run", "watch", "nightly", "--wait-timeout", "0.1").code == 1
    good = world.task("good")
    world.submit(good, name="daily")
    world.finish(good)
    done = taskengine("run", "watch", "daily", "-o", "json")
    assert (done.code, json.loads(done.out)["status"]) == (0, "completed")


def test_a_run_of_very_many_tasks_is_watched_by_their_number(taskengine, world, nightly, monkeypatch):
    monkeypatch.setattr(watch, "MAX_WATCHED", 2)
    done = taskengine("run", "watch", "nightly", "--once")
    assert (done.code, done.out[9:]) == (1, "nightly 2 of 3 over: 1 pending, 2 failed\n")
    done = taskengine("run", "watch", "nightly", "--wait-timeout", "0.1")
    assert (done.code, "1 of 3 tasks of run" in done.err) == (1, True)
    (line,) = taskengine("run", "watch", "nightly", "--wait-timeout", "0.1", "-o", "json").out.splitlines()
    assert json.loads(line)["counts"] == {"pending": 1, "failed": 2}
    good = world.submit(*(tasks := [world.task(name) for name in "xyz"]))
    world.finish(*tasks)
    assert taskengine("run", "watch", good).code == 0


def test_a_graph_file_names_its_run(taskengine, world, tmp_path):
    (tmp_path / "g.yaml").write_text("name: nightly\ntasks:\n- name: a\n  capability: lint\n")
    told = taskengine("graph", "submit", "g.yaml").out
    (run,) = taskengine("run", "list", "-o", "json").json["runs"]
    assert (run["name"], run["total_tasks"]) == ("nightly", 1)
    assert f"taskengine run watch {run['id']}" in told


def test_a_lone_task_is_a_run_that_can_be_shown_by_its_id(taskengine, world):
    task = world.new("lone")
    run = world.run_of(task.id)
    assert taskengine("run", "show", run[:13], "-o", "json").json["total_tasks"] == 1


def test_what_happened_in_a_run_is_told_and_goes_on_behind_a_number(taskengine, nightly):
    found = taskengine("run", "events", "nightly", "-o", "json").json
    assert [event["sequence"] for event in found] == list(range(1, len(found) + 1))
    assert {"created", "failed"} <= {event["what"] for event in found}
    rest = taskengine("run", "events", nightly, "--after", str(len(found) - 1), "-o", "json").json
    assert rest == found[-1:]
    assert "no event is kept" in taskengine("run", "events", nightly, "--after", "999").out


def test_the_graph_of_a_run_is_shown_with_what_waits_for_what(taskengine, world):
    first = world.task("first")
    run = world.submit(first, world.task("second", first), name="pair")
    shown = taskengine("run", "graph", "pair").out
    (line,) = (line for line in shown.splitlines() if " second " in line)
    assert line.split()[-2:] == ["pending", "first"]
    found = taskengine("run", "graph", run, "-o", "json").json
    assert (len(found["nodes"]), [edge["source"] for edge in found["edges"]]) == (2, [str(first.id)])


def test_a_run_is_paused_resumed_and_cancelled_by_its_id(taskengine, nightly):
    assert taskengine("pause", "--run", nightly[:8]).code == 0
    assert nightly in taskengine("pauses").out
    assert taskengine("resume", "--run", nightly).code == 0
    assert taskengine("task", "cancel", "--run", nightly).code == 0
    assert taskengine("run", "show", nightly, "-o", "json").json["counts"]["cancelled"] == 1
