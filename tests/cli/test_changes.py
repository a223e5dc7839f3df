"""``taskengine task update|execute|delete|events`` against a server of its own."""

from __future__ import annotations

from uuid import uuid4

import pytest

from ..store.world import World


@pytest.fixture
def world(store, at_server):
    return World(store, at_server.client, lambda _: store)


def test_a_new_priority_counts_at_once(taskengine, world):
    first, second = world.new("first"), world.new("second")
    done = taskengine("task", "update", str(second.id), "--priority", "critical")
    assert (done.code, done.out) == (0, f"{second.id} ready, priority critical\n")
    assert world.ready() == [str(second.id), str(first.id)]


def test_fields_change_and_a_deadline_goes(taskengine, world):
    task = world.new("a")
    words = ("--name", "b", "--deadline", "2h", "--timeout", "5", "--max-retries", "0", "--input", '{"x": 1}')
    (changed,) = taskengine("task", "update", str(task.id), *words, "-o", "json").json
    told = [changed[key] for key in ("name", "timeout", "max_retries", "input")]
    assert (told, changed["deadline"] is None) == (["b", 5.0, 0, {"x": 1}], False)
    (changed,) = taskengine("task", "update", str(task.id), "--deadline", "none", "-o", "json").json
    assert changed["deadline"] is None


def test_when_it_starts_changes_too(taskengine, world):
    task = world.new("a")
    words = ("--trigger-rule", "always", "--scheduled-at", "1h", "--expires-at", "2h", "--queue-timeout", "60",
             "--heartbeat-timeout", "5", "--total-timeout", "600", "--timeout", "30")  # fmt: skip
    (changed,) = taskengine("task", "update", str(task.id), *words, "-o", "json").json
    wanted = {
        "status": "pending", "trigger_rule": "always", "queue_timeout": 60.0, "heartbeat_timeout": 5.0,
        "total_timeout": 600.0, "timeout": 30.0,
    }  # fmt: skip
    assert {name: changed[name] for name in wanted} == wanted
    assert changed["scheduled_at"] < changed["expires_at"]
    words = ("--scheduled-at", "none", "--expires-at", "none")
    (changed,) = taskengine("task", "update", str(task.id), *words, "-o", "json").json
    assert (changed["scheduled_at"], changed["expires_at"]) == (None, None)


def test_nothing_to_change_and_what_can_not_change_are_said(taskengine, world):
    task = world.new("a")
    assert "nothing to change" in taskengine("task", "update", str(task.id)).err
    world.finish(task)
    done = taskengine("task", "update", str(task.id), "--name", "b")
    assert (done.code, "is completed" in done.err) == (1, True)


def test_a_held_task_is_started(taskengine, world):
    task = world.new("a", hold=True)
    assert taskengine("task", "get", str(task.id), "-o", "json").json["status"] == "pending"
    assert taskengine("task", "execute", str(task.id)).out.startswith(f"{task.id} ready")


def test_only_what_is_over_is_deleted_unless_it_is_cancelled_first(taskengine, world):
    a, b = world.new("a"), world.new("b")
    world.finish(a)
    assert taskengine("task", "delete", str(a.id)).out == f"{a.id} deleted\n"
    refused = taskengine("task", "delete", str(b.id))
    assert (refused.code, "cancel it first" in refused.err) == (1, True)
    assert taskengine("task", "delete", str(b.id), "--cascade").code == 0
    assert taskengine("task", "delete", str(uuid4())).code == 1


def test_events_tell_what_happened(taskengine, world):
    task = world.new("a")
    world.finish(task)
    found = taskengine("task", "events", str(task.id), "-o", "json").json
    assert [event["what"] for event in found] == ["created", "ready", "started", "completed"]
    assert taskengine("task", "events", str(task.id), "-n", "1").out.split()[5:] == ["completed"]
    assert taskengine("task", "events", str(task.id)).out.splitlines()[0].split() == ["When", "What", "Details"]
    assert taskengine("task", "events", str(uuid4())).code == 1
