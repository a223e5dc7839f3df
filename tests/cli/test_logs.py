"""``taskengine task logs`` against a server of its own."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from taskengine.cli.task.logs import _View
from taskengine.models import ExecutionLog, LogPage
from taskengine.store import executions

from ..fleet import until
from ..store.world import World

LINE = '{"level":"%s","logger":"my.agent","message":"%s","metadata":{"n":1},"timestamp":"2026-01-01T00:00:00Z"}'


@pytest.fixture
def world(store, at_server):
    return World(store, at_server.client, lambda _: store)


def say(world, told, *words, number=1):
    lines = [LINE % ("warning", word) for word in words]
    assert world.run(executions.append_logs(told.execution_id, told.attempt, number=number, lines=lines)).ok


def test_lines_are_shown_with_level_logger_and_metadata(taskengine, world):
    task = world.new("a")
    say(world, world.start(), "one", "two \\u001b[2J")
    out = taskengine("task", "logs", str(task.id)).out
    assert [line.split(" ", 1)[1] for line in out.splitlines()] == [
        "warning my.agent: one n=1", "warning my.agent: two \N{REPLACEMENT CHARACTER}[2J n=1"
    ]  # fmt: skip


def test_json_is_a_line_for_each(taskengine, world):
    import json

    task = world.new("a")
    told = world.start()
    say(world, told, "one", "two")
    out = taskengine("task", "logs", str(task.id), "-o", "json").out
    found = [json.loads(line) for line in out.splitlines()]
    assert [(one["attempt"], one["number"], one["message"]) for one in found] == [(1, 1, "one"), (1, 2, "two")]
    assert {one["execution_id"] for one in found} == {told.execution_id}


def test_following_ends_with_the_task_and_says_which_attempt_speaks(taskengine, world):
    task = world.new("a")
    first = world.start()
    say(world, first, "one")

    def go_on():
        until(lambda: "wat" in world.fields("exec", first.execution_id), 60, "somebody follows the first attempt")
        world.claim(world.slot())  # the slot asks again: what it ran is lost, and it gets the task again
        second = world.assignment(task)
        say(world, second, "two")
        world.report(second)

    following = threading.Thread(target=go_on)
    following.start()
    out = taskengine("task", "logs", str(task.id), "-f").out
    following.join()
    assert [line.split(": ")[-1] for line in out.splitlines()] == ["one n=1", "-- attempt 2", "two n=1"]


def test_an_unknown_attempt_is_said(taskengine, world):
    task = world.new("a")
    done = taskengine("task", "logs", str(task.id), "--execution", "4")
    assert (done.code, "execution 4" in done.err) == (1, True)


def test_pieces_of_a_stream_stand_beside_each_other(capsys):
    def line(message, logger=None):
        return ExecutionLog(timestamp=datetime(2030, 1, 1, tzinfo=UTC), level="info", message=message, logger=logger)

    about = {"attempt": 1, "execution_id": None, "cursor": "1.1", "missed": 0}
    view = _View()
    view.show(LogPage([line("one ", "stream"), line("two", "stream")], **about, is_over=False))
    view.show(LogPage([line(" three", "stream"), line("said"), line("four", "stream")], **about, is_over=True))
    first, second, third = capsys.readouterr().out.splitlines()
    assert (first, third) == ("one two three", "four")
    assert second.endswith("info    said")
