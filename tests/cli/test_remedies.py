"""What a command advises is a command; the same question in Python names a method."""

from __future__ import annotations

import pytest

from taskengine.api import BlockingTaskAPI
from taskengine.errors import TaskEngineError

from ..store.world import World


@pytest.fixture
def world(store, at_server):
    return World(store, at_server.client, lambda _: store)


@pytest.fixture
def api(at_server):
    """The same server, asked in Python."""
    with BlockingTaskAPI(at_server.url) as opened:
        yield opened


def said(taskengine, *words):
    """All that a command says, in one line."""
    done = taskengine(*words)
    assert "Traceback" not in done.err
    return " ".join((done.out + done.err).split())


def test_how_a_held_task_starts(taskengine, world, api):
    held = world.new("held", hold=True)
    command = f"held; taskengine task release {held.id} lets it start"
    for words in (["task", "why"], ["task", "get"]):
        assert command in said(taskengine, *words, str(held.id)), words
    assert command in said(taskengine, "task", "get", str(held.id), "-o", "json")
    assert api.get_task(held.id).reason == "held; execute_task starts it"
    assert said(taskengine, "task", "release", str(held.id)).endswith("released, is ready")
    assert world.status(held.id) == "ready"


def test_how_what_is_over_is_opened_again(taskengine, world, api):
    over = world.new("over")
    assert taskengine("task", "cancel", str(over.id)).code == 0
    command = f"taskengine task retry {over.id} opens it again"
    for words in (["task", "pause"], ["task", "resume"]):
        assert command in said(taskengine, *words, str(over.id)), words
    assert command in said(taskengine, "task", "update", str(over.id), "--name", "new")
    for verb in (api.pause_task, api.resume_task):
        with pytest.raises(TaskEngineError, match=r"over is not (paused|resumed); retry_task opens it again"):
            verb(over.id)


def test_how_a_pause_ends(taskengine, world, api):
    task = world.new("a")
    api.pause(capability="lint", by="ann")
    assert "taskengine resume --capability lint" in said(taskengine, "task", "why", str(task.id))
    assert "resume(capability='lint')" in api.explain(task.id).headline
    assert taskengine("task", "pause", str(task.id)).code == 0
    assert f"taskengine task resume {task.id}" in said(taskengine, "task", "why", str(task.id))
    assert f"taskengine task resume {task.id}" in said(taskengine, "task", "execute", str(task.id))


def test_why_what_failed_is_opened_again_by_a_command(taskengine, world, api):
    root = world.new("root")
    child = world.new("child", root)
    world.finish(root, disposition="failed", error="boom")
    world.think()
    for task in (root, child):
        assert f"taskengine task retry {root.id}" in said(taskengine, "task", "why", str(task.id))
        assert f"retry_task('{root.id}')" in api.explain(task.id).headline
    assert f"retry that one: taskengine task retry {root.id}" in said(taskengine, "task", "retry", str(child.id))


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["pause"], "name one of --capability, --agent, --run or --everything"),
        (["dead", "requeue"], "pass ids, --capability or --since, or --all"),
        (["quarantine", "drop"], "pass their ids, or --all and no ids"),
    ],
)
def test_what_must_be_said_is_an_option(taskengine, world, words, advice):
    assert advice in said(taskengine, *words)


def test_a_text_of_a_users_own_that_names_a_method_stays_as_it_is(taskengine, world):
    task = world.new("retry_task opens it again")
    assert "retry_task opens it again" in said(taskengine, "task", "get", str(task.id))
