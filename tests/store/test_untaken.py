"""A node that beats and takes nothing of what it is granted is granted nothing more, but for a probe."""

from __future__ import annotations

import pytest

from taskengine.store import coordination, nodes

from .world import World

LINT, OTHER = "lint=lint", "test=test"


def withdraw(world: World) -> None:
    """Let every grant pass its claim deadline."""
    world.elect()
    for id in world.granted():
        world.raw.zadd(world.keys.fixed("granted_all"), {id: 1})
    world.run(coordination.withdraw(world.term))


def untaken(world: World, name: str = "n1") -> tuple[int, int]:
    (node,) = [node for node in world.run(nodes.fleet()).nodes if node.name == name]
    return node.untaken, node.slots


def distrusted(world: World, slots: int = 2) -> None:
    world.beat(slots=slots, queues=LINT)
    world.submit(*(world.task(f"t{n}") for n in range(6)))
    for _ in range(3):
        assert len(world.granted()) == slots
        withdraw(world)


def test_after_the_third_withdrawn_grant_in_a_row_nothing_more_is_granted(world: World) -> None:
    distrusted(world)
    assert world.granted() == []
    world.beat(slots=2, queues=LINT)
    assert world.granted() == []
    assert untaken(world) == (3, 2), "its slots are shown, and do not count"


def test_grants_that_were_given_together_count_once(world: World) -> None:
    world.beat(slots=4, queues=LINT)
    world.submit(*(world.task(f"t{n}") for n in range(6)))
    assert len(world.granted()) == 4
    withdraw(world)
    assert untaken(world) == (1, 4)
    assert len(world.granted()) == 4


def test_a_claim_makes_it_trusted_again(world: World) -> None:
    distrusted(world)
    world.beat(slots=2, queues=LINT, took=True)
    assert len(world.granted()) == 2
    assert untaken(world) == (0, 2)


def test_another_offer_makes_it_trusted_again(world: World) -> None:
    distrusted(world)
    world.beat(slots=2, queues=f"{LINT} {OTHER}")
    assert len(world.granted()) == 2


def test_who_offers_nothing_and_the_same_again_stays_distrusted(world: World) -> None:
    """A worker that the server refuses connects again and again."""
    distrusted(world)
    for queues in ("", LINT, "", LINT):
        world.beat(slots=2, queues=queues)
        assert world.granted() == []
    assert untaken(world) == (3, 2)


def test_what_is_counted_outlasts_offers_that_come_and_go(world: World) -> None:
    world.beat(slots=2, queues=LINT)
    world.submit(*(world.task(f"t{n}") for n in range(6)))
    for count in range(1, 4):
        assert len(world.granted()) == 2
        withdraw(world)
        world.beat(slots=2, queues="")
        world.beat(slots=2, queues=LINT)
        assert untaken(world) == (count, 2)
    assert world.granted() == []


def test_a_minute_later_it_is_granted_one_and_a_minute_after_that_another(world: World) -> None:
    distrusted(world)
    for _ in range(2):
        world.raw.hset(world.keys.of("node", "n1"), "probe", 1)
        for _ in range(3):
            world.beat(slots=2, queues=LINT)
            assert len(world.granted()) == 1
        withdraw(world)
        assert world.granted() == []
    assert untaken(world) == (3, 2)


def test_who_is_busy_or_claimed_meanwhile_or_drains_is_not_to_blame(world: World) -> None:
    world.beat("idle", slots=1, queues=LINT)
    world.beat("busy", slots=1, queues=LINT)
    world.beat("leaves", slots=1, queues=LINT)
    world.beat("other", slots=1, queues=OTHER)
    world.submit(*(world.task(f"t{n}") for n in range(9)))
    assert world.claim(world.slot("s", "busy", LINT)).assignment
    world.beat("leaves", slots=1, queues=LINT, drain="stopped")
    world.beat("takes", slots=1, queues=LINT)
    world.age(1)
    world.beat("takes", slots=1, queues=LINT, took=True)
    withdraw(world)
    blamed = {node.name: node.untaken for node in world.run(nodes.fleet()).nodes}
    assert blamed["idle"] == 1
    assert {name for name, times in blamed.items() if times} == {"idle"}


@pytest.mark.parametrize("healthy", ["n0", "n2"])
def test_a_healthy_node_is_granted_what_the_other_one_would_not_take(world: World, healthy: str) -> None:
    distrusted(world, slots=1)
    world.beat(healthy, slots=1, queues=LINT)
    assert len(world.granted()) == 1


def test_why_and_doctor_know_it(world: World) -> None:
    distrusted(world)
    (node,) = world.run(nodes.fleet()).nodes
    assert node.is_distrusted
