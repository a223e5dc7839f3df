"""Who goes first, and what a score survives."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskengine.core.order import MAX_RANK, NO_DEADLINE, member, score
from taskengine.models import TaskPriority
from taskengine.store import coordination, tasks

from .world import World

BOTH = "lint=lint test=test @lint=lint"


def pulled(world: World, queues: str, most: int) -> list[str]:
    """Names in the order in which one slot gets them."""
    slot = world.slot(queues=queues)
    world.beat(queues=queues, slots=0)
    told, names = world.claim(slot).assignment, []
    while told and len(names) < most:
        names.append(told.name)
        told = world.report(told, slot, pull=True).assignment
    return names


def test_priority_goes_before_deadline_before_path_before_arrival(world: World) -> None:
    soon, late = (datetime.now(UTC) + timedelta(hours=h) for h in (1, 2))
    expected = [
        world.task("critical", priority=TaskPriority.CRITICAL),
        world.task("high, soon", priority=TaskPriority.HIGH, deadline=soon),
        world.task("high, late", priority=TaskPriority.HIGH, deadline=late, estimated_seconds=900),
        world.task("high, long", priority=TaskPriority.HIGH, estimated_seconds=900),
        world.task("high, first", priority=TaskPriority.HIGH),
        world.task("high, second", priority=TaskPriority.HIGH),
        world.task("low", priority=TaskPriority.LOW),
    ]
    stored = expected[:4] + expected[6:]
    random.Random(1).shuffle(stored)
    for task in [*stored, *expected[4:6]]:
        assert world.create(task).ok
    assert pulled(world, "lint=lint", 9) == [task.name for task in expected]


def test_pull_over_several_queues_compares_their_heads(world: World) -> None:
    for n in range(6):
        world.new(f"t{n}", capability="lint" if n % 2 else "test")
    world.new("first of all", capability="test", priority=TaskPriority.CRITICAL)
    world.new("pinned", assigned_to="lint", priority=TaskPriority.URGENT)
    assert pulled(world, BOTH, 9) == ["first of all", "pinned", *(f"t{n}" for n in range(6))]


def test_pull_takes_nothing_from_queues_that_the_slot_does_not_consume(world: World) -> None:
    world.new("a", capability="test")
    world.new("b", capability="lint", priority=TaskPriority.LOW)
    assert pulled(world, "lint=lint", 9) == ["b"]


def test_change_of_priority_takes_effect_at_once(world: World) -> None:
    world.new("a")
    b = world.new("b")
    change(world, b.id, priority=TaskPriority.CRITICAL)
    assert pulled(world, "lint=lint", 9) == ["b", "a"]


def change(world: World, id: object, **fields: object) -> None:
    task = world.read(id)
    new = task.model_copy(update=fields)
    raw = world.fields("task", id)
    from taskengine.store.records import index_names

    answer = world.run(
        tasks.update(
            str(id), raw.get("rev", "0"), world.record(new), int(world.record(new).row["score"]), index_names(task),
            before_first_run=False, edges=tasks.EdgeChange(),
        )
    )  # fmt: skip
    assert answer.ok, answer


@pytest.mark.parametrize("path_ms", [0.0, 1.0, 1e12])
@pytest.mark.parametrize("deadline", [None, 0.0, NO_DEADLINE - 1.0])
@pytest.mark.parametrize("priority", [1, 5])
def test_score_survives_the_scripts_exactly(
    world: World, priority: int, deadline: float | None, path_ms: float
) -> None:
    """53 bits: through arguments, hash, sorted set, park and back."""
    wanted = score(priority, deadline, path_ms)
    when = None if deadline is None else datetime.fromtimestamp(deadline, UTC)
    task = world.task("a", priority=TaskPriority(priority), deadline=when, assigned_to="gone")
    new = world.record(task)
    row = {**new.row, "score": wanted}
    assert world.run(tasks.create(str(UUID(int=1)), type(new)(new.id, new.raw_id, row, None))).ok
    assert world.fields("task", task.id)["sc"] == str(wanted)
    parked = world.raw.zrange(world.keys.of("park", "offer:gone"), 0, -1, withscores=True)
    assert parked == [(member(1, str(task.id)).encode(), float(wanted))]
    assert int(parked[0][1]) == wanted
    world.beat(queues="@gone=gone", slots=0)
    assert world.raw.zrange(world.keys.of("ready", "@gone"), 0, -1, withscores=True) == parked


@given(
    st.integers(1, 5),
    st.one_of(st.none(), st.integers(0, NO_DEADLINE - 1)),
    st.floats(0, 1e13, allow_nan=False),
)
@settings(max_examples=200)
def test_every_score_is_a_whole_number_that_a_double_carries(p: int, deadline: int | None, path: float) -> None:
    number = score(p, deadline, path)
    assert 0 <= number < 2**53
    assert int(float(number)) == number
    assert number & MAX_RANK == MAX_RANK - ((MAX_RANK - number) & MAX_RANK)


def test_withdrawal_restores_the_old_place_and_leaves_no_attempt(world: World) -> None:
    world.beat(slots=1)
    first = world.new("first")
    for name in ("second", "third"):
        world.new(name)
    granted = world.granted()
    assert len(granted) == 1
    world.elect()
    before = world.fields("task", first.id)
    world.raw.zadd(world.keys.fixed("granted_all"), {granted[0]: 1})
    world.beat(slots=0)
    assert world.run(coordination.withdraw(world.term)).number() == 1
    assert [world.read(id).name for id in world.ready()] == ["first", "second", "third"]
    assert world.granted() == []
    assert not world.raw.exists(world.keys.of("exec", granted[0]))
    task = world.read(first.id)
    assert (task.status, task.attempt, task.execution_id) == ("ready", 0, None)
    after = world.fields("task", first.id)
    assert {k: v for k, v in after.items() if k != "att"} == {k: v for k, v in before.items() if k not in {"att", "g"}}
    assert pulled(world, "lint=lint", 9) == ["first", "second", "third"]


def test_withdrawal_is_followed_by_a_new_grant_where_a_slot_is_free(world: World) -> None:
    world.beat(slots=1)
    world.new("a")
    granted = world.granted()
    world.elect()
    world.raw.zadd(world.keys.fixed("granted_all"), {granted[0]: 1})
    assert world.run(coordination.withdraw(world.term)).number() == 1
    assert world.granted() == granted
    assert [m["id"] for m in world.messages()] == granted * 2, "the first message is stale and harmless"


def test_grant_before_its_claim_deadline_stays(world: World) -> None:
    world.beat(slots=1)
    world.new("a")
    world.elect()
    assert world.run(coordination.withdraw(world.term)).number() == 0
    assert len(world.granted()) == 1
