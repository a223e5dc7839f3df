"""Who asks in the wrong folder is told so, and starts nothing; an empty answer says where it was asked."""

from __future__ import annotations

import pytest

from taskengine import embedded
from taskengine.cli import place
from taskengine.settings import current

from ..cases import each

ID = "9b0bf0ac-7d7c-4bd1-9a2c-0d5f7d6d0c11"
#: Every command that asks for what is there, or does something to it.
ASKING = (
    "task list", f"task get {ID}", f"task why {ID}", f"task logs {ID}", f"task events {ID}", "task watch",
    "task watch --once", f"task cancel {ID}", "task cancel --all", f"task pause {ID}", f"task resume {ID}",
    f"task hold {ID}", f"task release {ID}", f"task retry {ID}", f"task set-priority low {ID}", f"task delete {ID}",
    f"task update {ID} --priority low", f"task execute {ID}", "pause --everything", "resume --everything", "pauses",
    "workers", "queue stats", "queue demand lint", "dead list", f"dead show {ID}", f"dead requeue {ID}",
    "dead drop --all", "run list", "run show nightly", "run watch nightly",
    "quarantine list", f"quarantine show {ID}", "quarantine drop --all",
)  # fmt: skip


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """A folder in which no server ever ran."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TASKENGINE_REDIS_URL", raising=False)
    monkeypatch.delenv("TASKENGINE_HOME", raising=False)
    current.cache_clear()
    yield tmp_path
    embedded.release()
    current.cache_clear()


@each("words", ASKING)
def test_who_asks_where_no_server_ever_was_is_told_so_and_starts_none(taskengine, empty, words):
    done = taskengine(*words.split())
    assert done.code == 1
    assert f"no server in ./.taskengine ({empty}/.taskengine); set TASKENGINE_REDIS_URL" in done.err
    assert done.err.rstrip().endswith("or start taskengine up")
    assert not list(empty.iterdir())


@pytest.mark.process
def test_a_submit_may_be_the_first_and_says_so_and_is_found_later(taskengine, empty):
    done = taskengine("task", "submit", "-C", "lint", "-o", "json")
    assert done.code == 0, done.err
    assert "a new embedded server in ./.taskengine" in done.err
    assert "taskengine up" in done.err
    embedded.release()  # as the end of its process does
    assert embedded.status(current()).state == "stopped"
    listed = taskengine("task", "list")
    assert done.json["id"] in listed.out
    assert "taskengine" not in listed.err


EMPTY = {
    "task list": 0, "task watch": 0, "task watch --once": 0, "queue stats": 0, "workers": 0, "pauses": 0,
    "dead list": 0, "dead drop --all": 1, "dead requeue --all": 1, "quarantine list": 0, "quarantine drop --all": 1,
    "run list": 0, "run show nightly": 1,
    "resume --everything": 1, "task cancel --all": 0, f"task get {ID}": 1, f"dead show {ID}": 1,
}  # fmt: skip


@pytest.mark.parametrize("words", EMPTY)
def test_an_empty_answer_says_which_server_and_namespace_gave_it(taskengine, at_server, monkeypatch, words):
    monkeypatch.setenv("TASKENGINE_NAMESPACE", "other")
    current.cache_clear()
    done = taskengine(*words.split())
    assert done.code == EMPTY[words], done
    said = " ".join((done.out + done.err).split())
    assert f"({at_server.url}, namespace other)" in said, said


def test_the_doctor_says_the_namespace(taskengine, at_server):
    found = taskengine("doctor", "-o", "json").json
    assert any(one["about"] == "server" and ", namespace te," in one["says"] for one in found["findings"])
    assert found["server"] == f"{at_server.url}, namespace te"


def test_the_place_of_a_server_holds_no_password(monkeypatch):
    monkeypatch.setenv("TASKENGINE_REDIS_URL", "redis://user:secret@host:6379/1")
    current.cache_clear()
    assert "secret" not in place.place()
    assert "host:6379/1, namespace te" in place.place()
    current.cache_clear()
