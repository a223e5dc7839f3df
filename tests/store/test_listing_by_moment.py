"""Lists by the moment of creation: exact whatever the clock does, and passing by what is of another time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskengine.store import graphs, tasks
from taskengine.store.fields import TaskField
from taskengine.store.keys import CODES
from taskengine.store.records import index_names

from .test_listing import calls, found
from .world import World

#: Seconds since 1970 at which the clock begins.
START = 1_800_000_000.0


class Turned:
    """The clock of a server in this process."""

    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(world: World) -> Iterator[Turned]:
    """One that a test may turn, forth and back."""
    turned = Turned()
    with mock.patch.object(time, "time", turned):
        yield turned


def created(world: World, id: str) -> int:
    return int(world.fields("task", id)[TaskField.created])


_STEP = st.one_of(
    st.tuples(st.just("lone"), st.integers(1, 3)),
    st.tuples(st.just("graph"), st.integers(1, 90)),
    st.tuples(st.just("copy"), st.integers(1, 3)),
    st.tuples(st.just("clock"), st.sampled_from([0.001, 0.5, 60, -0.5, -3600])),
    st.tuples(st.just("delete"), st.integers(0, 50)),
    st.tuples(st.just("skip"), st.sampled_from([1, 120, 256, 4000])),
    st.tuples(st.just("older version"), st.just(0)),
)


def play(world: World, clock: Turned, alive: list[str], step: tuple[str, Any]) -> None:
    verb, what = step
    if verb == "lone":
        alive += [str(world.new().id) for _ in range(what)]
    elif verb in {"graph", "copy"}:
        new, run = [world.task(f"t{n}") for n in range(what)], str(uuid4())
        batch = world.staged(*new, batch=str(new[0].id), run=run)
        if verb == "copy":  # its answer was lost
            clock.seconds += 5
            assert world.run(graphs.stage(batch, run, [world.record(task) for task in new])).ok
        world.run(graphs.commit(batch))
        world.settle(batch)
        alive += [str(task.id) for task in new]
    elif verb == "clock":
        clock.seconds += what
    elif verb == "skip":
        world.raw.incrby(world.keys.fixed("arrivals"), what)
    elif verb == "older version":  # that notes no moments
        noted = {name: world.raw.hgetall(name) for name in world.key_names() if ":moments:" in name}
        alive.append(str(world.new().id))
        for name in world.key_names():
            if ":moments:" in name:
                world.raw.delete(name)
        for name, held in noted.items():
            world.raw.hset(name, mapping=held)
    elif alive:
        id = alive.pop(what % len(alive))
        task = world.read(id)
        world.run(tasks.cancel(id, "no"))
        assert world.run(tasks.delete(id, index_names(task), world.since())).ok


@given(st.sampled_from([0, 4095, 255, 300, 8191]), st.lists(_STEP, min_size=3, max_size=14), st.data())
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_a_list_by_moment_is_what_a_plain_filter_gives(
    world: World, clock: Turned, first: int, story: list[Any], data: st.DataObject
) -> None:
    world.raw.flushall()
    clock.seconds = START
    world.raw.incrby(world.keys.fixed("arrivals"), first)
    alive: list[str] = []
    for step in story:
        play(world, clock, alive, step)
    moments = {id: created(world, id) for id in alive}
    numbers = {id: int(world.fields("task", id)[TaskField.arrival]) for id in alive}
    newest = sorted(alive, key=lambda id: -numbers[id])
    edges = sorted({*moments.values(), int(clock.seconds * 1000) + 1})

    def expected(since: int | None, before: int | None) -> list[str]:
        floor, ceiling = since or 0, before or 2**53
        return [id for id in newest if floor <= moments[id] < ceiling]

    limit = data.draw(st.integers(1, 40))
    for edge in edges:
        assert found(world, f">:{edge}", limit=limit) == expected(edge, None)
        assert found(world, f"<:{edge}", limit=limit) == expected(None, edge)
    since, before = (data.draw(st.sampled_from(edges)) for _ in range(2))
    indexes = [f">:{since}", f"<:{before}"]
    assert found(world, *indexes, limit=limit) == expected(since, before)
    counted, below = 0, 0
    while True:
        below, _, others = world.run(tasks.find_fitting(below, 9, ["failed"], indexes))
        counted += sum(others.values())
        if below == 0:
            break
    assert counted == len(expected(since, before))


#: Segments of finished tasks, of which each was created a second after the one before.
SEGMENTS = 245


def fill(world: World) -> None:
    """A million COMPLETED tasks, as far as lists look before they name one."""
    codes = bytes([CODES["completed"] * 17]) * 2048
    with world.raw.pipeline() as trip:
        for segment in range(SEGMENTS):
            low, first = 1000 * segment, segment == 0  # no arrival has the number 0
            spans = {str(place): f"{low + place} {low + place} {256 - (first and place == 0)}" for place in range(16)}
            spans["all"] = f"{low} {low + 15} {4096 - first}"
            trip.set(world.keys.of("codes", segment), codes)
            trip.set(world.keys.of("ids", segment), bytes(16 * 4096))
            trip.hset(world.keys.of("moments", segment), mapping=spans)
        trip.execute()
    world.raw.set(world.keys.fixed("arrivals"), SEGMENTS * 4096 - 1)
    world.broken = True


@pytest.mark.parametrize(
    ("indexes", "expected"),
    [
        ([">:244014"], 512), (["<:2"], 512), ([">:100000", "<:100001"], 256), ([">:100001", "<:101000"], 15 * 256),
        ([">:244014", "t:testing"], 0), (["<:0"], 0), ([">:900000"], 0),
    ],
)  # fmt: skip
def test_a_million_tasks_of_another_time_are_passed_by(real: World, indexes: list[str], expected: int) -> None:
    """Those of that time are not read for it, and behind the last of them the list is over."""
    fill(real)
    made, most = calls(real, *indexes)
    assert made <= 3 + expected // 1000, "of which a machine that is busy makes more"
    assert most < 600
    assert len(found(real, *indexes)) == expected


def test_who_is_not_of_that_time_is_counted_without_being_read(real: World) -> None:
    fill(real)
    real.raw.config_resetstat()
    below, made, counted = 0, 0, Counter[str]()
    while below or not made:
        below, ids, others = real.run(tasks.find_fitting(below, 9, ["failed"], [">:244001"]))
        assert ids == []
        counted.update(others)
        made += 1
    assert counted == {"completed": 15 * 256}
    assert sum(int(each["calls"]) for each in real.raw.info("commandstats").values()) < 300 + 10 * made


def test_what_an_older_version_stored_among_the_others_is_found(world: World, clock: Turned) -> None:
    """It notes no moments, so what is noted of its neighbours says nothing of it."""
    world.broken = True
    alive: list[str] = []
    for step in (("lone", 1), ("clock", 60), ("older version", 0), ("clock", 60), ("lone", 1)):
        play(world, clock, alive, step)
    moments = [created(world, id) for id in alive]
    assert found(world, f">:{moments[1]}", f"<:{moments[2]}") == [alive[1]]
    world.raw.hset(world.keys.of("moments", 0), mapping={"0": f"{moments[0]} {moments[0]} 3"})
    assert found(world, f">:{moments[1]}", f"<:{moments[2]}") == [], "were they counted, it would be passed by"


def test_a_clock_that_went_back_hides_nothing(world: World, clock: Turned) -> None:
    alive: list[str] = []
    for step in (("lone", 1), ("clock", -3600), ("lone", 1)):
        play(world, clock, alive, step)
    moments = [created(world, id) for id in alive]
    assert found(world, f">:{moments[0]}") == [alive[0]]
    assert found(world, f"<:{moments[0]}") == [alive[1]]
