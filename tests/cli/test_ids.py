"""Ids by their beginnings, wherever a command asks for one; and runs by their names where one is looked at."""

from __future__ import annotations

from uuid import UUID

import pytest
import typer

from taskengine.cli import app, whole_ids

from ..store.world import World
from .test_help import leaves

A, B = UUID("abcd1000" + "0" * 24), UUID("abcd2000" + "0" * 24)


@pytest.fixture
def world(store, at_server):
    return World(store, at_server.client, lambda _: store)


def test_every_parameter_that_takes_an_id_takes_a_beginning():
    """``--cursor`` is a place, ``--id`` the id of what is not there yet; quarantined messages are found by
    the API, and agents have names.
    """
    seen = set()
    for name, command in leaves(typer.main.get_command(app)):
        for parameter in command.params:
            one = {"ID", "IDS", "ID…", "[ID…]", "RUN", "WORKFLOW"}
            asks = parameter.metavar in one and not name.startswith(("quarantine ", "agents "))
            if asks:
                assert getattr(parameter.callback, "__module__", "") == whole_ids.__name__, (name, parameter.name)
                seen.add(name)
    assert {"task get", "task why", "task logs", "task cancel", "task update", "task submit", "dead show", "pause",
            "run show", "task list", "task delete", "task events", "dead drop"} <= seen  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ["task", "get", "abcd1"], ["task", "why", "ABCD1"], ["task", "events", "abcd1"], ["task", "logs", "abcd1"],
        ["task", "update", "abcd1", "--priority", "high"], ["task", "watch", "abcd1", "--once"],
        ["task", "hold", "abcd1"], ["task", "set-priority", "low", "abcd1"], ["task", "pause", "abcd1000-0000"],
        ["task", "execute", "abcd1"], ["task", "submit", "-C", "lint", "--depends-on", "abcd1,abcd2"],
        ["task", "cancel", "abcd1", "abcd2"],
    ],
)  # fmt: skip
def test_a_beginning_is_enough(taskengine, world, words):
    world.submit(world.task("a", id=A), world.task("b", id=B))
    done = taskengine(*words)
    assert (done.code, done.err) == (0, "")


def test_a_beginning_of_several_is_refused_with_their_names(taskengine, world):
    world.submit(world.task("first", id=A), world.task("second", id=B))
    done = taskengine("task", "cancel", "abcd")
    assert done.code == 1
    for said in (f"{A} 'first' ready", f"{B} 'second' ready", "write more of it"):
        assert said in done.err
    assert world.statuses([A, B]) == ["ready", "ready"]
    error = taskengine("task", "get", "abcd", "-o", "json").err
    assert '"type": "AmbiguousIdError"' in error


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["task", "get", "f6"], "task_id is 'f6', which is too short a beginning of an id; write four or more of its"),
        (["task", "get", "fetch"], "which is no id and no beginning of one; write four or more of its digits"),
        (["task", "get", "abcd3"], "no task whose id begins with abcd3"),
        (["task", "list", "--run", "nightly"], "taskengine run list --name nightly"),
        (["task", "submit", "--depends-on", "7,abcd1"], "depends_on (--depends-on) is '7'"),
        (["task", "submit", "--depends-on", "abcd3"], "--depends-on: no task whose id begins with abcd3"),
        (["task", "cancel", "--run", "abcd"], "--run: no run whose name is or whose id begins with abcd"),
        (["run", "show", "nightly"], "no run of the name 'nightly'"),
        (["workflow", "status", "nightly"], "no workflow that was started has the name or id 'nightly'"),
        (["run", "watch", "abcd"], "no run whose name is or whose id begins with abcd"),
    ],
)
def test_what_no_id_begins_with_is_said(taskengine, world, words, named):
    done = taskengine(*words)
    assert (done.code, "Traceback" in done.err) == (1, False)
    assert named in done.err


def test_a_run_is_meant_by_a_beginning_too(taskengine, world):
    world.submit(world.task("a"), world.task("b"), run=A)
    assert len(taskengine("task", "list", "--run", "abcd1", "-o", "json").json["tasks"]) == 2
    assert taskengine("pause", "--run", "abcd1").code == 0
    assert taskengine("pauses", "-o", "json").json[0]["name"] == str(A)
    assert taskengine("resume", "--run", "abcd1").code == 0
    assert taskengine("task", "cancel", "--run", "abcd1").out == "2 of 2 tasks cancelled\n"


def test_dead_letters_and_quarantined_messages_too(taskengine, world, at_server):
    letter = world.new("letter", id=A)
    world.raw.zadd(world.keys.fixed("dead"), {str(letter.id): 5})
    world.broken = True
    assert "letter" in taskengine("dead", "show", "abcd").out
    assert taskengine("dead", "drop", "abcd").out == f"{A} dropped\n"
    for n in range(40):
        at_server.client.lpush(world.keys.fixed("quarantine"), f'{{"reason": "r{n}"}}')
    ids = [one["id"] for one in taskengine("quarantine", "list", "-o", "json").json["messages"]]
    assert taskengine("quarantine", "show", ids[7][:8], "-o", "json").json["id"] == ids[7]
    assert taskengine("quarantine", "show", ids[7][:3]).code == 1
    assert taskengine("quarantine", "drop", ids[7][:8]).out == "1 message dropped\n"


def test_a_whole_id_costs_no_question(monkeypatch):
    monkeypatch.setattr("taskengine.cli.place.BlockingTaskAPI", None)
    context = typer.Context(typer.main.get_command(app))
    given_to = context.command.params[0]
    for id in (str(A), A.hex, A.hex.upper()):
        assert whole_ids.task(context, given_to, id) == whole_ids.run(context, given_to, id) == id
        assert whole_ids.run_or_name(context, id) == id
        assert whole_ids.tasks(context, given_to, [f"{id},{B}", str(B)]) == [id, str(B), str(B)]


def test_a_wrong_id_names_the_option_that_it_was_given_to(taskengine, world):
    """Every option of every command that takes an id; an argument is the command's own."""
    seen = set()
    for name, command in leaves(typer.main.get_command(app)):
        for option in command.params:
            if getattr(option.callback, "__module__", "") == whole_ids.__name__ and option.opts[0].startswith("--"):
                needed = [word for one in command.params if one.required for word in ([] if one is option else ["0"])]
                done = taskengine(*name.split(), *needed, option.opts[0], "no-id")
                assert (done.code, f"({option.opts[0]}) is 'no-id'" in done.err) == (1, True), (name, done.err)
                seen.add(f"{name} {option.opts[0]}")
    assert {"task submit --depends-on", "task list --run", "task cancel --run", "pause --run", "resume --run"} <= seen
