"""Nodes with a free slot stand in a set that is a hint: whatever it says wrongly, nothing waits longer than a beat or a
sweep, and nothing is granted to a node that does not take work.
"""

from __future__ import annotations

import pytest

from taskengine.store import coordination, nodes, pauses

from .world import World

LINT = "lint=lint @lint=lint"


def hints(world: World) -> set[str]:
    return {node.decode() for node in world.raw.smembers(world.keys.fixed("free_nodes"))}


def hint(world: World, *names: str) -> None:
    world.raw.sadd(world.keys.fixed("free_nodes"), *names)


def sweep(world: World, *queues: str) -> int:
    world.elect()
    return world.run(coordination.grant(world.term, queues or ("lint",))).number()


def woken(world: World) -> bool:
    """Whether the coordinator was told that it may go on, since this was asked."""
    return bool(world.raw.delete(world.keys.fixed("wake")))


def test_a_node_is_hinted_while_it_has_a_free_slot(world: World) -> None:
    world.beat(slots=2)
    world.submit(*(world.task(f"t{n}") for n in range(5)))
    first, second = world.slot("s1"), world.slot("s2")
    one = world.claim(first).assignment
    assert hints(world) == {"n1"}
    two = world.claim(second).assignment
    assert hints(world) == set()
    assert one is not None
    assert two is not None
    assert world.report(one, first, pull=True).assignment, "it goes on"
    assert hints(world) == set()
    world.report(two, second)
    assert hints(world) == {"n1"}


def test_a_slot_that_is_lost_timed_out_or_handed_back_is_free(world: World) -> None:
    world.beat(slots=1)
    world.new("t")
    world.start()
    assert hints(world) == set()
    for _ in range(2):
        world.beat(slots=1)
    assert hints(world) == {"n1"}


@pytest.mark.parametrize("gone", ["drained", "left", "dead", "drains in its beat", "shrunk"])
def test_a_node_that_takes_nothing_is_no_hint(world: World, gone: str) -> None:
    world.beat(slots=1)
    assert hints(world) == {"n1"}
    match gone:
        case "drained":
            world.run(nodes.drain("n1", "SIGTERM"))
        case "left":
            world.run(nodes.remove_node("n1"))
        case "dead":
            world.age(60)
            world.elect()
            world.run(coordination.rescue(world.term))
        case "drains in its beat":
            world.beat(slots=1, drain="SIGTERM")
        case _:
            world.beat(slots=0)
    assert hints(world) == set()
    world.new("t")
    assert world.granted() == []


@pytest.mark.parametrize("stale", ["drained", "dead", "full", "unknown"])
def test_a_hint_that_is_not_so_grants_nothing_and_goes(world: World, stale: str) -> None:
    world.beat(slots=1)
    match stale:
        case "drained":
            world.run(nodes.drain("n1", "SIGTERM"))
        case "dead":
            world.age(60)
        case "full":
            world.new("holds it")
            world.start()
        case _:
            world.raw.delete(world.keys.of("node", "n1"))
    hint(world, "n1")
    world.new("t")
    assert world.granted() == []
    assert hints(world) == set()


def test_a_free_slot_that_no_hint_tells_of_is_granted_at_the_next_beat(world: World) -> None:
    world.beat(slots=1)
    world.raw.delete(world.keys.fixed("free_nodes"))
    world.new("t")
    assert world.granted() == []
    world.beat(slots=1)
    assert len(world.granted()) == 1


def test_behind_a_hundred_dead_nodes_the_living_one_is_found(world: World) -> None:
    """A rack lost its power: each script looks at 16, drops them and has the coordinator go on."""
    world.beat("alive", slots=1)
    dead = [f"d{n}" for n in range(100)]
    hint(world, *dead)
    world.raw.sadd(world.keys.of("offers", "lint"), *dead)
    world.new("t")
    for _ in range(8):
        if not world.granted():
            assert woken(world), "somebody goes on"
            sweep(world)
    assert len(world.granted()) == 1


def test_an_idle_fleet_fills_to_its_last_slot(world: World) -> None:
    """Those that a script did not look at are taken to be like those that it did."""
    for n in range(40):
        world.beat(f"n{n}", slots=3)
    world.submit(*(world.task(f"t{n}") for n in range(200)))
    while sweep(world):
        pass
    assert len(world.granted()) == 120


def test_queues_whose_nodes_were_not_looked_at_get_their_share(world: World) -> None:
    for n in range(60):
        world.beat(f"n{n}", slots=1, queues=f"l{n // 20}=x")
    for queue in ("l0", "l1", "l2"):
        world.submit(*(world.task(f"t{n}", capability=queue) for n in range(30)))
    while sweep(world, "l0", "l1", "l2"):
        pass
    given = [int(world.raw.scard(world.keys.of("granted", queue))) for queue in ("l0", "l1", "l2")]
    assert given == [20, 20, 20]


def test_the_one_node_that_may_run_it_finds_it_at_its_beat(world: World) -> None:
    """Everywhere else it would be run by an agent that is paused."""
    for n in range(60):
        world.beat(f"n{n}", slots=1, queues="lint=slow @slow=slow")
    world.run(pauses.pause("agent:slow", "ann", None, None))
    world.beat("other", slots=1, queues="lint=quick @quick=quick")
    world.new("t")
    world.beat("other", slots=1, queues="lint=quick @quick=quick")
    assert len(world.granted()) == 1


def test_a_pinned_task_is_moved_aside_only_where_nobody_offers_its_agent(world: World) -> None:
    world.beat(slots=1)
    world.new("holds it")
    world.start()
    busy, nobody = world.new("busy", assigned_to="lint"), world.new("nobody", assigned_to="nobody")
    assert "park" not in world.fields("task", busy.id)
    assert world.fields("task", nobody.id)["park"] == "offer:nobody"


def test_of_a_hundred_nodes_that_take_nothing_each_is_blamed_in_time(world: World) -> None:
    queues = "lint=lint"
    for n in range(40):
        world.beat(f"n{n}", slots=1, queues=queues)
    world.submit(*(world.task(f"t{n}") for n in range(50)))
    for _ in range(200):
        if not world.granted() and not sweep(world):
            break
        for id in world.granted():
            world.raw.zadd(world.keys.fixed("granted_all"), {id: 1})
        world.age(1)
        for n in range(40):
            world.beat(f"n{n}", slots=1, queues=queues)
        world.elect()
        world.run(coordination.withdraw(world.term))
    fleet = world.run(nodes.fleet()).nodes
    assert all(node.is_distrusted for node in fleet)
    assert hints(world) == set()
