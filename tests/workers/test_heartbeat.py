"""The thread that keeps a node alive survives whatever one of its turns meets."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import pytest

from taskengine.agent import Registry
from taskengine.settings import Settings
from taskengine.store import nodes
from taskengine.store.nodes import Held
from taskengine.store.sync import SyncStore
from taskengine.testing.worker import Ledger
from taskengine.transport import template
from workers.deaths import deaths
from workers.enforcement import Enforcement
from workers.heartbeat import Heartbeat
from workers.host import Host
from workers.process import LocalRuns, Node
from workers.queues import Served
from workers.recycling import Limits
from workers.shutdown import Shutdown
from workers.slot_table import SlotTable
from workers.unsent import Unsent

from ..conftest import Valkey
from ..fleet import QUICK, until
from ..store.world import World

#: A beat gives up on a server that does not answer for a fifth of it, as one on a busy machine does.
LONG = {"lease_seconds": 60.0}


def node_on(server: Valkey) -> Node:
    nobody = Ledger()  # no agent runs here
    return Node(
        settings=Settings(redis_url=server.url, **QUICK | LONG), registry=Registry(), make_events=lambda _: nobody,
        url=server.url, unsent=Unsent(0), limits=Limits(),
        name="n1", hostname="n1@here", queues=Served({"lint": "lint"}), forks=False, slot_table=SlotTable(),
        local=LocalRuns(),
    )  # fmt: skip


def test_what_a_turn_raises_ends_that_turn_alone(valkey: Valkey) -> None:
    """A thread that died of it would cost the node all of its work, and nobody would hear of it."""
    node = node_on(valkey)
    asked: list[int] = []

    def slots() -> int:
        asked.append(1)
        if len(asked) < 3:
            raise RuntimeError("the pool is being rebuilt")
        return 2

    store = SyncStore(valkey.url, node.settings, template())
    heartbeat = Heartbeat(node, slots, Host(None))
    heartbeat.start()
    until(lambda: [one.slots for one in store.run(nodes.fleet()).nodes] == [2], what="a beat")
    assert heartbeat.is_alive()
    heartbeat.finish()
    assert not heartbeat.is_alive()
    assert store.run(nodes.fleet()).nodes == ()
    store.close()


def test_what_began_and_was_lost_between_two_beats_is_told(
    valkey: Valkey, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = node_on(valkey)
    told: list[tuple[str, str, str]] = []
    monkeypatch.setattr(node.make_events(None), "closed", lambda *ended: told.append(ended))
    store = SyncStore(valkey.url, node.settings, template())
    world = World(store, valkey.client, lambda _: store)
    task = world.new("a", capability="lint")
    heartbeat = Heartbeat(node, lambda: 2, Host(None))
    heartbeat.beat()
    slot = world.slot(node=node.name, queues=node.queues.text)
    started = world.start(slot)
    deaths.note(slot.message, slot.pid, "its process was ended by SIGSEGV")
    heartbeat.beat()
    why = "its process was ended by SIGSEGV"
    assert f"lost execution={started.execution_id} task={task.id}: {why}" in caplog.text
    assert told == [(started.execution_id, "ready", f"lost: {why}")]
    heartbeat.start()  # only so that it can finish
    heartbeat.finish()
    store.close()


def test_a_stop_hands_back_what_began_after_the_last_beat(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal comes between a beat and the look at what is to be handed back."""
    node = node_on(valkey)
    store = SyncStore(valkey.url, node.settings, template())
    world = World(store, valkey.client, lambda _: store)
    world.new("a", capability="lint")
    heartbeat = Heartbeat(node, lambda: 2, Host(None))
    began: list[str] = []
    handed_back: list[list[str]] = []

    def enforce(*_: object) -> None:
        if not began:
            began.append(world.start(world.slot(node=node.name, queues=node.queues.text)).execution_id)
            heartbeat.drain("SIGQUIT", at_once=True)

    def hand_back(_: object, held: Sequence[Held], *__: object) -> None:
        handed_back.append([one.execution_id for one in held])

    monkeypatch.setattr(Enforcement, "enforce", enforce)
    monkeypatch.setattr(Enforcement, "hand_back", hand_back)
    monkeypatch.setattr(Shutdown, "end_when_due", lambda _: None)  # it would end this process
    heartbeat.start()
    until(lambda: handed_back, what="a hand-back")
    assert handed_back == [began]
    heartbeat.finish()
    store.close()


def test_a_child_that_runs_keeps_its_execution_while_celery_has_not_heard_that_it_began(valkey: Valkey) -> None:
    """Its parent's loop is busy for longer than two beats, with the fork of another child."""
    node = replace(node_on(valkey), forks=True)
    store = SyncStore(valkey.url, node.settings, template())
    world = World(store, valkey.client, lambda _: store)
    task = world.new("a", capability="lint")
    heartbeat = Heartbeat(node, lambda: 2, Host(None))
    heartbeat.beat()
    started = world.start(world.slot(node=node.name, queues=node.queues.text, pid=os.getpid()))
    node.slot_table.enter(0, os.getpid(), started.execution_id)
    for _ in range(3):
        heartbeat.beat()
    assert world.status(task.id) == "running"
    node.slot_table.leave(0)
    for _ in range(2):
        heartbeat.beat()
    assert world.status(task.id) == "ready"
    heartbeat.start()  # only so that it can finish
    heartbeat.finish()
    store.close()
