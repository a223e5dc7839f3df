"""``taskengine dead …`` and ``taskengine quarantine …`` against a server of its own."""

from __future__ import annotations

from uuid import uuid4

import pytest

from taskengine.store.keys import Keys
from taskengine.transport.quarantine import put_aside

from ..store.world import World


@pytest.fixture
def world(store, at_server):
    return World(store, at_server.client, lambda _: store)


def kill(world):
    """Let three workers die of what runs next."""
    slot = world.slot(str(uuid4()))
    world.start(slot)
    for _ in range(3):
        world.claim(slot)  # the slot asks again: what it ran is lost, and it gets the task again


@pytest.fixture
def letter(world):
    """A dead letter."""
    task = world.new("render")
    kill(world)
    return task


def test_dead_letters_are_listed_told_requeued_and_dropped(taskengine, letter, world):
    listed = taskengine("dead", "list", "--since", "1h", "-C", "lint")
    assert str(letter.id) in listed.out
    assert "lost its worker 3 times" in listed.out
    assert taskengine("dead", "list", "-o", "json").json["dead_letters"][0]["task"]["priority"] == "normal"
    story = taskengine("dead", "show", str(letter.id))
    assert story.out.count("its slot claimed again") >= 3
    assert f"taskengine dead requeue {letter.id}" in story.out
    told = taskengine("dead", "show", str(letter.id), "-o", "json").json
    assert ([one["status"] for one in told["lost"]], told["events"][-1]["what"]) == (["lost"] * 3, "failed")
    assert taskengine("dead", "requeue", str(letter.id)).out == f"{letter.id} requeued\n"
    assert taskengine("dead", "list").out.startswith("no dead letter (")
    kill(world)
    assert taskengine("dead", "drop", "--all", "-o", "json").json == {"dropped": [str(letter.id)]}
    assert taskengine("dead", "drop", "--all").code == 1


def test_nothing_is_requeued_or_dropped_without_a_word_which(taskengine, letter):
    for verb in ("requeue", "drop"):
        done = taskengine("dead", verb)
        assert (done.code, "--all" in done.err) == (1, True)
        assert taskengine("dead", verb, str(uuid4())).code == 1
    assert str(letter.id) in taskengine("dead", "list").out


@pytest.mark.parametrize("when", ["2030-01-01T00:00:00", "soon", "5y", "-1h"])
def test_a_time_without_a_zone_or_sense_is_refused(taskengine, at_server, when):
    done = taskengine("dead", "list", f"--since={when}")
    assert (done.code, "--since" in done.err) == (1, True)


def test_quarantined_messages_are_listed_shown_safely_and_dropped(taskengine, store, at_server):
    key = Keys(store.settings.namespace).fixed("quarantine")
    put_aside(at_server.client.connection_pool, key, "lint", b"\x1b[2J{not json", "message: not JSON")
    assert "message: not JSON" in taskengine("quarantine", "list").out
    (one,) = taskengine("quarantine", "list", "-o", "json").json["messages"]
    shown = taskengine("quarantine", "show", one["id"])
    assert (r"\x1b[2J{not json" in shown.out, "\x1b" in shown.out) == (True, False)
    assert taskengine("quarantine", "show", one["id"], "-o", "json").json["raw"] == "G1sySntub3QganNvbg=="
    assert taskengine("quarantine", "drop").code == 1
    assert taskengine("quarantine", "drop", one["id"]).out == "1 message dropped\n"
    assert taskengine("quarantine", "list").out.startswith("no message in quarantine (")
