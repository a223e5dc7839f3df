"""``taskengine task VERB`` for tasks by id and by filter, against a server of its own, without workers."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _server(at_server):
    """All of these need one."""


@pytest.fixture
def ids(taskengine):
    """Three tasks of two capabilities."""
    queues = ("lint", "lint", "test")
    return [taskengine("task", "submit", "-C", queue, "-o", "json").json["id"] for queue in queues]


def statuses(taskengine):
    return sorted(task["status"] for task in taskengine("task", "list", "-o", "json").json["tasks"])


@pytest.mark.parametrize(
    ("verb", "then", "back"),
    [("pause", "paused", "resume"), ("hold", "pending", "release"), ("cancel", "cancelled", "retry")],
)
def test_verb_by_id_and_by_filter_and_back(taskengine, ids, verb, then, back):
    done = taskengine("task", verb, ids[0])
    assert (done.code, then in done.out) == (0, True), done.err
    assert taskengine("task", "get", ids[0], "-o", "json").json["status"] == then
    assert taskengine("task", back, ids[0]).code == 0
    result = taskengine("task", verb, "--capability", "lint", "-o", "json").json
    assert (result["matched"], result["done"]) == (2, 2)
    assert statuses(taskengine) == sorted([then, then, "ready"])
    assert "2 of 2 tasks" in taskengine("task", back, "--capability", "lint").out
    assert statuses(taskengine) == ["ready"] * 3


def test_dry_run_says_what_would_be_done_and_does_nothing(taskengine, ids):
    done = taskengine("task", "cancel", "--capability", "lint", "--dry-run")
    assert done.out.startswith("2 of 2 tasks would be cancelled")
    assert ids[0] in done.out
    assert statuses(taskengine) == ["ready"] * 3


def test_set_priority_and_delete(taskengine, ids):
    assert taskengine("task", "set-priority", "critical", ids[0]).code == 0
    assert taskengine("task", "set-priority", "low", "--capability", "lint", "-p", "critical").out.startswith("1 of 1")
    found = taskengine("task", "list", "-p", "low", "-o", "json").json["tasks"]
    assert [task["id"] for task in found] == [ids[0]]
    taskengine("task", "cancel", "--all")
    done = taskengine("task", "delete", "--status", "cancelled", "-o", "json").json
    assert done["done"] == 3
    assert taskengine("task", "list").out.startswith("no task (")


def test_what_is_left_is_said_with_its_reason(taskengine, ids):
    taskengine("task", "cancel", ids[0])
    said = taskengine("task", "pause", "--capability", "lint").out
    assert said.split("\n")[:2] == ["1 of 2 tasks paused", "  1 left as they are: cancelled"]


def test_list_filters_by_run_and_capability(taskengine, ids):
    run = taskengine("task", "get", ids[1], "-o", "json").json["run_id"]
    assert [t["id"] for t in taskengine("task", "list", "--run", run, "-o", "json").json["tasks"]] == [ids[1]]
    assert [t["id"] for t in taskengine("task", "list", "-C", "test", "-o", "json").json["tasks"]] == [ids[2]]


VERBS = ("cancel", "pause", "resume", "hold", "release", "retry", "delete")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "--all"), (["ID", "--status", "ready"], "one or the other"), (["--run", "7"], "--run"),
        (["-m", "x"], "--metadata"),
    ],
)
def test_a_mistake_is_a_sentence_and_changes_nothing(taskengine, ids, verb, words, named):
    done = taskengine("task", verb, *(ids[0] if word == "ID" else word for word in words))
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert named in done.err
    assert statuses(taskengine) == ["ready"] * 3


def test_verb_on_what_is_over_is_refused_with_its_story(taskengine, ids):
    taskengine("task", "cancel", ids[0])
    for verb in ("pause", "resume", "hold", "release"):
        done = taskengine("task", verb, ids[0])
        assert (done.code, "is cancelled" in done.err, "so far:" in done.err) == (1, True, True)
