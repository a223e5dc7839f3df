"""What is stored of agents: made once, changed by whoever knows the latest revision, followed by workers."""

from __future__ import annotations

import pytest

from taskengine.errors import StoreError
from taskengine.models.agent import AgentRecord, Limit
from taskengine.store import agents, coordination, limits, nodes, remote

from .world import World

LINT = AgentRecord(
    id="lint", type="function", capabilities={"lint", "format"}, max_concurrency=3, limits=("key",), secret="TOKEN",
    resources={"memory_gb": 1.5}, config={"deep": {"er": [1]}}, preference=2, drain_seconds=600,
    executor="my_agents:lint", description="for é",
)  # fmt: skip


@pytest.fixture(autouse=True)
def key(world: World) -> None:
    world.run(limits.put(Limit(name="key", in_flight=9)))


def stored(w: World, name: str = "lint") -> agents.StoredAgent:
    return w.run(agents.read([name])).agents[name]


def revision(w: World) -> int:
    return w.run(agents.read([])).revision


def test_a_record_comes_back_as_it_was_registered(world: World) -> None:
    assert world.run(agents.register(LINT, 0)).number() == 1
    found = stored(world).record
    assert found.created_at == found.updated_at
    assert found.created_at is not None
    assert found.model_copy(update={"created_at": None, "updated_at": None, "revision": 0}) == LINT


def test_the_same_content_changes_nothing_and_other_content_counts_up(world: World) -> None:
    world.run(agents.register(LINT, 0))
    before = world.dump()
    assert world.run(agents.register(LINT, 0)).number() == 1
    assert world.dump() == before
    other = LINT.model_copy(update={"description": "other"})
    assert world.run(agents.register(other, 1)).number() == 2
    assert (stored(world).record.description, stored(world).record.revision) == ("other", 2)


def test_a_change_of_what_is_not_the_latest_is_refused(world: World) -> None:
    world.run(agents.register(LINT, 0))
    other = LINT.model_copy(update={"description": "other"})
    assert (answer := world.run(agents.register(other, 0))).word == "changed"
    assert answer.number() == 1
    assert stored(world).record.description == LINT.description


def test_no_more_agents_are_stored_than_may_be(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "MOST_AGENTS", 1)
    assert world.run(agents.register(LINT, 0)).ok
    assert world.run(agents.register(LINT.model_copy(update={"id": "b"}), 0)).word == "full"
    assert world.run(agents.names(world.keys)) == ["lint"]


def test_every_change_raises_the_revision_that_beats_tell(world: World) -> None:
    assert world.beat().agent_revision == 0
    seen = [revision(world)]
    for change in (
        agents.register(LINT, 0), agents.drain("lint", "ann", "upgrade"), agents.end_drain("lint"),
        agents.register(LINT.model_copy(update={"preference": 3}), 1), agents.unregister("lint"),
    ):  # fmt: skip
        assert world.run(change).ok
        seen.append(revision(world))
        assert world.beat(queues="test=test @test=test").agent_revision == seen[-1]
    assert seen == [0, 1, 2, 3, 4, 5]


def test_draining_says_who_and_keeps_its_beginning(world: World) -> None:
    world.run(agents.register(LINT, 0))
    world.run(agents.drain("lint", "ann", "upgrade"))
    since = stored(world).draining_ms
    assert stored(world).record.draining == "ann: upgrade"
    world.run(agents.drain("lint", "bob", None))
    assert (stored(world).record.draining, stored(world).draining_ms) == ("bob", since)
    world.run(agents.register(LINT.model_copy(update={"preference": 3}), 1))
    assert stored(world).record.draining == "bob", "registering again, as apps do at each start, ended it"
    assert world.run(agents.end_drain("lint")).number() == 1
    assert stored(world).record.draining is None
    assert world.run(agents.end_drain("lint")).number() == 0
    assert world.run(agents.drain("nobody", "ann", None)).word == "missing"


def test_an_agent_is_not_forgotten_while_a_living_node_serves_it(world: World) -> None:
    world.run(agents.register(LINT, 0))
    world.beat()
    assert (answer := world.run(agents.unregister("lint"))).word == "serves"
    assert answer.number() == 1
    world.run(nodes.remove_node("n1"))
    assert world.run(agents.unregister("lint")).ok
    assert world.run(agents.unregister("lint")).word == "missing"
    assert not world.raw.exists(world.keys.of("agent", "lint"))


def test_one_that_is_forgotten_leaves_nothing_behind_of_who_polled_for_it(world: World) -> None:
    world.run(agents.register(LINT, 0))
    world.run(remote.poll_take("lint", "n1", 5000))
    assert world.run(agents.unregister("lint")).ok
    pollers = world.keys.fixed("pollers")
    assert world.raw.hkeys(pollers) == []
    world.run(remote.poll_take("lint", "n1", 5000))  # a worker that has not heard of it yet
    world.run(remote.poll_take("lint", "n1", 0, 0))
    assert world.raw.hkeys(pollers) == []


def test_when_the_last_node_left_is_noted_of_agents_that_are_stored(world: World) -> None:
    world.run(agents.register(LINT, 0))
    world.beat()
    assert stored(world).seen_ms is None
    world.run(nodes.remove_node("n1"))
    seen = stored(world).seen_ms
    assert seen is not None
    assert abs(seen - world.run(coordination.server_ms())) < 5000
    assert world.run(agents.names(world.keys)) == ["lint"], "a node's other agents became known by leaving"


def test_a_pause_is_read_with_its_agent(world: World) -> None:
    world.run(agents.register(LINT, 0))
    world.raw.hset(world.keys.fixed("pauses"), "agent:lint", "5 {}")
    world.broken = True
    world.raw.hset(world.keys.fixed("pauses"), "all", "6 {}")
    assert world.run(agents.read(["lint"])).pause == "6 {}"
    assert stored(world).pause == "5 {}"


def test_what_a_newer_version_stored_beside_is_not_read(world: World) -> None:
    world.run(agents.register(LINT, 0))
    world.raw.hset(world.keys.of("agent", "lint"), "doc", '{"preference":4,"wings":2}')
    assert stored(world).record.preference == 4


def test_an_unreadable_record_is_named(world: World) -> None:
    world.run(agents.register(LINT, 0))
    world.raw.hset(world.keys.of("agent", "lint"), "mx", "many")
    with pytest.raises(StoreError, match=r"agent 'lint' cannot be read: .*; register it again"):
        stored(world)
    world.raw.hset(world.keys.of("agent", "lint"), "mx", "3")  # the world is looked at when its test is over
