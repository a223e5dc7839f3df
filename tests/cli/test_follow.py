"""``--wait`` of one task: what somebody sees who waits."""

from __future__ import annotations

import threading

import pytest

from taskengine.cli.task import follow
from taskengine.store import tasks

from ..store.world import World
from .conftest import until


@pytest.fixture
def world(store, at_server, monkeypatch):
    monkeypatch.setattr(follow, "_LOOK_SECONDS", 0.05)
    return World(store, at_server.client, lambda _: store)


@pytest.fixture
def meanwhile():
    """Start something beside the command; joined at the end."""
    started = []

    def start(what):
        started.append(threading.Thread(target=what))
        started[-1].start()

    yield start
    for each in started:
        each.join()


def lines(done):
    """What was said, without the id and the times of day."""
    return [line.split(" ", 1)[1] for line in done.out.splitlines()]


def test_who_waits_sees_each_change_of_state_and_the_end(taskengine, world, meanwhile, monkeypatch):
    shown = threading.Event()
    say = follow.say

    def heard(what):
        say(what)
        shown.set()

    monkeypatch.setattr(follow, "say", heard)
    world.beat()
    task = world.new("a", hold=True)

    def go_on():
        fails = {"disposition": "retry", "error": "disk", "retry_ms": 60_000}
        for what in (world.start, lambda: world.report(world.assignment(task), **fails)):
            assert shown.wait(20)
            shown.clear()
            what()
        assert shown.wait(20)
        shown.clear()
        world.run(tasks.cancel(str(task.id), "enough"))

    meanwhile(go_on)
    done = taskengine("task", "execute", str(task.id), "--wait", "--wait-timeout", "60")
    assert done.code == 1
    first, second, third, last = lines(done)
    assert (first, second) == ("ready", "running")
    assert third == "retrying: waits for its next attempt because of: disk"
    assert last == "cancelled: enough"


def test_who_waits_is_told_once_why_nothing_starts(taskengine, world, meanwhile, monkeypatch):
    monkeypatch.setattr(follow, "_QUIET_SECONDS", 0.2)
    done = taskengine("task", "submit", "-C", "nobody", "--name", "lonely", "--wait", "--wait-timeout", "1")
    assert done.code == 1
    assert done.out.count("no living worker offers capability 'nobody'") == 1
    assert "taskengine worker --queues nobody" in done.out
    assert "did not end within 1 s" in done.err


def test_who_waits_is_not_told_why_before_two_seconds(taskengine, world):
    assert follow._QUIET_SECONDS == 2.0
    done = taskengine("task", "submit", "-C", "nobody", "--wait", "--wait-timeout", "0.5")
    assert "no living worker" not in done.out


def test_a_program_that_waits_hears_of_the_end_alone(taskengine, world, meanwhile):
    world.beat(slots=0)
    meanwhile(lambda: world.finish(until(lambda: [world.read(id) for id in world.ready()], 60, "a task")[0]))
    done = taskengine("task", "submit", "-C", "lint", "--wait", "--wait-timeout", "60", "-o", "json")
    assert (done.code, done.json["status"]) == (0, "completed")


def test_queue_demand_says_of_what_it_is_the_sum(taskengine, world):
    world.new("a")
    assert taskengine("queue", "demand", "lint").out.startswith("1: 1 ready, 0 parked, 0 offered, 0 running")
    assert taskengine("queue", "demand", "lint", "-o", "json").json["demand"] == 1
    assert taskengine("queue", "demand", "nobody", "-o", "json").json["demand"] == 0


def test_queue_stats_says_what_its_numbers_are(taskengine, world):
    world.new("a")
    taskengine("pause", "-C", "lint", "--reason", "freeze")
    out = taskengine("queue", "stats").out
    assert out.startswith("Tasks: 1 ready")
    assert "Capability" in out
    assert "Paused: capability lint by" in out
