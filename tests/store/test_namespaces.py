"""Two namespaces on one server do not touch each other."""

from __future__ import annotations

from taskengine.settings import Settings
from taskengine.store import nodes, tasks

from .world import World


def test_namespaces_do_not_touch_each_other(world: World) -> None:
    other = World(world.other(Settings(namespace="te2")), world.raw, world.other)
    task = world.new("a", idempotency_key="k")
    assert other.create(task).word == "ok", "the same id and key are free there"
    world.beat()
    assert other.run(nodes.fleet()).nodes == ()
    assert other.claim(other.slot()).word == "refused"
    told = world.start()
    assert other.status(task.id) == "ready"
    assert other.report(told).word == "missing"
    assert other.run(tasks.cancel(str(task.id), "no")).ok
    assert world.status(task.id) == "running"
    world.report(told)
    names = set(world.raw.scan_iter(count=1000))
    assert {name.split(b":")[0] for name in names} == {b"te", b"te2"}
    ours = {name for name in names if name.startswith(b"te:")}
    for name in names - ours:
        world.raw.delete(name)
    assert world.status(task.id) == "completed"
    assert world.counts() == {"completed": 1}


def test_messages_go_to_queues_of_the_namespace(world: World) -> None:
    other = World(world.other(Settings(namespace="te2")), world.raw, world.other)
    other.beat()
    other.new("a")
    assert len(other.messages()) == 1
    assert world.messages() == []
    assert list(world.raw.scan_iter("te2:q:*")) == [b"te2:q:lint\x06\x163"]
