"""``taskengine task answer`` and what asks, against a server of its own, without workers."""

from __future__ import annotations

import json

import pytest

from taskengine.models import Question
from taskengine.store import kept

from ..store.world import World

CHOICE = Question(id="deploy", text="Deploy now?", kind="choice", options=("yes", "no"))
FORM = Question(id="size", text="How many?", kind="form", answer_schema={"required": ["hosts"]})


@pytest.fixture
def ask(taskengine, at_server, store):
    """Let a task ask; its id."""
    world = World(store, at_server.client, lambda _: store)

    def run(question):
        id = taskengine("task", "submit", "-C", "lint", "-o", "json").json["id"]
        more = json.dumps({"question": kept.question_text(question)})
        assert world.report(world.start(), disposition="ask", more=more, error_kind="asked").word == "ok"
        return id

    return run


def test_what_is_asked_is_shown_and_listed_and_answered(taskengine, ask):
    id = ask(CHOICE)
    taskengine("task", "submit", "-C", "lint")
    [listed] = taskengine("task", "list", "--asking", "-o", "json").json["tasks"]
    assert (listed["id"], listed["question"]["text"]) == (id, "Deploy now?")
    shown = taskengine("task", "get", id).out
    assert "(question deploy, since " in shown
    assert f"taskengine task answer {id} VALUE" in taskengine("task", "why", id).out
    done = taskengine("task", "answer", id, "yes", "--by", "ann")
    assert (done.code, done.out.strip()) == (0, f"{id} was answered, and is ready")
    assert taskengine("task", "list", "--asking").out.startswith("no task")
    assert "answered" in taskengine("task", "events", id).out


def test_a_form_takes_json(taskengine, ask):
    id = ask(FORM)
    refused = taskengine("task", "answer", id, "3")
    assert refused.code == 1
    assert "no JSON object" in refused.err
    assert taskengine("task", "answer", id, '{"hosts": 3}').code == 0


def test_what_cannot_be_answered_says_what_is_asked_now(taskengine, ask):
    id = ask(CHOICE)
    assert "there are 'yes', 'no'" in taskengine("task", "answer", id, "perhaps").err
    other = taskengine("task", "answer", id, "yes", "--question", "old")
    assert "asks 'Deploy now?' now (question deploy), not question old" in other.err
    assert "answer it: taskengine task answer" in taskengine("task", "resume", id).err
