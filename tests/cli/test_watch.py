"""``taskengine task watch``: lines for each change where there is no terminal, a picture with ``--once``."""

from __future__ import annotations

import json
import threading
import time

import pytest

from taskengine.store import executions, tasks
from taskengine.store.scripts import Scripts

from ..store.world import World


@pytest.fixture
def world(store, at_server):
    return World(store, at_server.client, lambda _: store)


def later(seconds, *acts):
    def act():
        for each in acts:
            each()
            time.sleep(0.8)

    thread = threading.Timer(seconds, act)
    thread.start()


def test_each_change_is_a_line_and_the_end_of_all_is_the_end(taskengine, world, asked):
    task = world.new("build")
    told = world.start()
    world.run(executions.append_logs(told.execution_id, 1, progress=0.25, note="compiles"))
    once_looked(
        asked, lambda: world.run(executions.append_logs(told.execution_id, 1, progress=0.5, note="links")),
        lambda: world.report(told),
    )  # fmt: skip
    done = taskengine("task", "watch", str(task.id))
    assert done.code == 0
    assert [line.split(" ", 3)[3] for line in done.out.splitlines()] == [
        "running 25% compiles", "running 50% links", "completed 100%"
    ]  # fmt: skip


def test_json_lines_tell_who_runs_it_where(taskengine, world):
    world.new("build")
    told = world.start()
    later(3, lambda: world.report(told, disposition="failed", error="no ink", error_kind="crash"))
    done = taskengine("task", "watch", "-o", "json")
    first, last = map(json.loads, done.out.splitlines())
    assert done.code == 1  # one failed
    told = [first[key] for key in ("name", "status", "node", "attempt")]
    assert (told, first["agent"]) == (["build", "running", "n1", 1], "lint")
    assert (last["status"], last["note"]) == ("failed", "no ink")


def test_once_shows_a_picture_and_ends(taskengine, world):
    ids = [world.new(name).id for name in ("one", "two")]
    world.run(tasks.cancel(str(ids[0]), "not wanted"))
    out = taskengine("task", "watch", "--once", *map(str, ids)).out
    head, one, two, _, total = out.splitlines()
    assert head.split() == ["ID", "Name", "Status", "Progress", "Time", "Tries", "Agent", "Note"]
    assert one.split()[:3] == [str(ids[0]), "one", "cancelled"]
    assert one.rstrip().endswith("not wanted")
    assert two.split()[:3] == [str(ids[1]), "two", "ready"]
    assert total.split() == ["1", "cancelled,", "1", "ready"]


def test_a_long_note_is_cut_and_nothing_else(taskengine, world, monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")
    task = world.new("a name of some length")
    world.run(tasks.cancel(str(task.id), "because " * 60))
    out = taskengine("task", "watch", "--once", str(task.id)).out
    row = out.splitlines()[1]
    assert (str(task.id) in row, task.name in row, row.rstrip().endswith("…"), len(row) <= 150) == (True,) * 4


def test_filters_runs_and_ids_choose_what_is_watched(taskengine, world):
    mine = world.new("mine", metadata={"team": "core"})
    world.new("other")
    for words in (["--metadata", "team=core"], ["--run", world.run_of(mine.id)], [str(mine.id)]):
        out = taskengine("task", "watch", "--once", *words).out
        assert ("mine" in out, "other" in out) == (True, False)
    assert "other" in taskengine("task", "watch", "--once").out
    done = taskengine("task", "watch", "--run", world.run_of(mine.id), str(mine.id))
    assert (done.code, "exclude each other" in done.err) == (1, True)


def test_nothing_to_watch_is_said(taskengine, world):
    done = taskengine("task", "watch")
    assert (done.code, done.out.startswith("no open task (")) == (0, True)


def test_a_time_limit_is_an_error_that_names_the_open_ones(taskengine, world):
    task = world.new("a")
    done = taskengine("task", "watch", str(task.id), "--wait-timeout", "0.1")
    assert (done.code, str(task.id) in done.err) == (1, True)


@pytest.fixture
def asked(world):
    """How often the server was asked for a script since the test began."""
    scripts = Scripts(world.store.settings)
    before = world.raw.config_get("slowlog-*")
    world.raw.config_set("slowlog-log-slower-than", 0)
    world.raw.config_set("slowlog-max-len", 100_000)
    world.raw.slowlog_reset()
    yield lambda name: sum(scripts[name].sha.encode() in one["command"] for one in world.raw.slowlog_get(100_000))
    for name, value in before.items():
        world.raw.config_set(name, value)


def once_looked(asked, *acts):
    """Act as soon as running tasks were looked at, and again each time after another look."""
    def act():
        for each in acts:
            looks = asked("read_execution_heads")
            deadline = time.monotonic() + 30
            while asked("read_execution_heads") <= looks and time.monotonic() < deadline:
                time.sleep(0.02)
            each()

    threading.Thread(target=act).start()


@pytest.mark.parametrize("words", [(), ("--metadata", "team=core")])
def test_without_ids_it_lists_once_and_follows_what_happens(taskengine, world, asked, words):
    world.new("first", metadata={"team": "core"})
    told = world.start()

    def submit_others():
        world.new("second", metadata={"team": "core"})
        world.new("third", metadata={"team": "other"})

    def end_all():
        for id in world.ready():
            world.run(tasks.cancel(id, "enough"))
        world.report(told)

    once_looked(asked, submit_others, lambda: None, end_all)
    done = taskengine("task", "watch", *words)
    assert asked("list") == (1 if words else 5), "one for each status that is open"
    lines = [line.split(" ", 4) for line in done.out.splitlines()]
    seen = {(name, state) for _, _, name, state, *_ in lines}
    wanted = {("first", "running"), ("first", "completed"), ("second", "ready"), ("second", "cancelled")}
    assert seen == wanted | (set() if words else {("third", "ready"), ("third", "cancelled")})


def test_a_task_that_comes_beside_finished_ones_is_found(taskengine, world, asked, monkeypatch):
    """No history of a run that is followed tells of it."""
    monkeypatch.setattr("taskengine.cli.task.watch._LIST_SECONDS", 0.2)
    old = world.new("old")
    world.run(tasks.cancel(str(old.id), "no"))
    run = world.run_of(old.id)
    world.raw.zadd(world.keys.fixed("runs"), {run: 1})
    world.new("busy")
    told = world.start()

    def create_beside():
        world.create(world.task("beside"), run)

    def end_all():
        world.run(tasks.cancel(world.ready()[0], "enough"))
        world.report(told)

    once_looked(asked, create_beside, lambda: None, lambda: None, end_all)
    out = taskengine("task", "watch").out
    assert " beside ready" in out
    assert " beside cancelled" in out
