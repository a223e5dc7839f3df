"""``taskengine pause``, ``resume`` and ``pauses`` against a server of its own, without workers."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _server(at_server):
    """All of these need one."""


def test_pause_look_and_resume(taskengine):
    done = taskengine("pause", "--capability", "lint", "--reason", "freeze", "--until", "2h")
    assert done.code == 0, done.err
    assert done.out.startswith("paused: capability lint by ")
    assert done.out.rstrip().endswith("(freeze); drained")
    [seen] = taskengine("pauses", "-o", "json").json
    assert (seen["scope"], seen["name"], seen["reason"], seen["state"]) == ("capability", "lint", "freeze", "drained")
    assert "freeze" in taskengine("pauses").out
    submitted = taskengine("task", "submit", "-C", "lint")
    assert "paused: capability lint" in submitted.out
    assert "capability lint" in taskengine("queue", "stats").out
    assert taskengine("resume", "--capability", "lint").code == 0
    again = taskengine("resume", "--capability", "lint")
    assert (again.code, again.out.startswith("it was not paused (")) == (1, True)
    assert taskengine("pauses").out.startswith("nothing is paused (")


def test_doctor_names_what_is_paused_and_how_to_resume_it(taskengine):
    taskengine("pause", "--everything", "--reason", "freeze")
    taskengine("pause", "--agent", "bot")
    said = taskengine("doctor", "-o", "json").json["findings"]
    found = {one["says"].split(" by ")[0]: one["do"] for one in said if one["about"] == "paused"}
    assert found == {
        "everything": "taskengine resume --everything, when it may go on",
        "agent bot": "taskengine resume --agent bot, when it may go on",
    }


def test_resume_says_what_else_is_paused(taskengine):
    taskengine("pause", "--everything")
    taskengine("pause", "--agent", "bot")
    assert "still paused: agent bot" in taskengine("resume", "--everything").out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "everything"),
        (["--everything", "--agent", "bot"], "2 scopes"),
        (["--everything", "--until", "soon"], "--until"),
        (["--everything", "--until", "999999999d"], "--until"),
        (["--everything", "--until", "2020-01-01T00:00:00Z"], "until"),
        (["--everything", "--until", "2030-01-01T00:00:00"], "until"),
        (["--run", "7"], "--run"),
    ],
)
def test_a_mistake_is_a_sentence_and_pauses_nothing(taskengine, words, named):
    done = taskengine("pause", *words)
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert named in done.err
    assert taskengine("pauses", "-o", "json").json == []
