"""Lists by moment: what a script finds is what a plain filter would, however it is cut into pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskengine.models import WorkflowStatus
from taskengine.store import dead_letters, workflows
from taskengine.store.by_moment import Entry, Found
from taskengine.store.call import Call
from taskengine.store.fields import TaskField

from .world import World

Ask = Callable[[Entry | None], Call[Found]]


def pages(world: World, ask: Ask) -> list[list[str]]:
    """Ids page by page."""
    at, found = None, list[list[str]]()
    while at is not None or not found:
        at, entries = world.run(ask(at))
        found.append([entry.id for entry in entries])
    return found


#: Moment, status of the first step, whether it is to be cancelled, name, whether its run is paused.
_WORKFLOW = st.tuples(
    st.integers(1, 4), st.sampled_from(["pending", "running", "completed", "failed"]), st.booleans(),
    st.sampled_from(["a", "b"]), st.booleans(),
)  # fmt: skip
_AGAIN = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def shown(status: str, *, is_ending: bool, is_paused: bool) -> str:
    if status in {"completed", "failed"}:
        return status
    return "cancelling" if is_ending else "paused" if is_paused else status


@_AGAIN
@given(st.lists(_WORKFLOW, max_size=12), st.integers(1, 4), st.sampled_from([None, *WorkflowStatus]))
def test_workflows_are_found_as_a_plain_filter_finds_them(
    world: World, made: list[Any], limit: int, status: WorkflowStatus | None
) -> None:
    world.raw.flushall()
    world.broken = True
    expected = []
    for n, (ms, stands, is_ending, name, is_paused) in enumerate(made):
        id = str(UUID(int=n))
        step = {"st": stands, "run": id, TaskField.queue: "%workflow"} | ({"end_as": "cancelled"} if is_ending else {})
        world.raw.hset(world.keys.of("task", id), mapping=step)
        world.raw.hset(world.keys.of("run", id), mapping={"cr": ms, "nm": name, "by": "ann"})
        world.raw.zadd(world.keys.fixed("workflows"), {id: ms})
        if is_paused:
            world.raw.hset(world.keys.fixed("pauses"), f"run:{id}", "{}")
        if name == "a" and status in (None, shown(stands, is_ending=is_ending, is_paused=is_paused)):
            expected.append((ms, id))
    found = pages(world, lambda at: workflows.find(at, limit, name="a", created_by="ann", status=status))
    assert [id for page in found for id in page] == [id for _, id in sorted(expected, reverse=True)]
    assert pages(world, lambda at: workflows.find(at, limit, created_by="bob")) == [[]]


@_AGAIN
@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["lint", "test", "@lint"])), max_size=12),
    st.integers(1, 4), st.integers(0, 4),
)  # fmt: skip
def test_dead_letters_are_found_as_a_plain_filter_finds_them(
    world: World, made: list[Any], limit: int, since: int
) -> None:
    world.raw.flushall()
    world.broken = True
    expected = []
    for n, (ms, queue) in enumerate(made):
        id = str(UUID(int=n))
        doc = '{"assigned_to":"lint","capability":"lint"}' if queue == "@lint" else "{}"
        world.raw.hset(world.keys.of("task", id), mapping={"st": "failed", TaskField.queue: queue, "doc": doc})
        world.raw.zadd(world.keys.fixed("dead"), {id: ms})
        if ms >= since and queue != "test":
            expected.append((ms, id))
    found = pages(world, lambda at: dead_letters.find(at, since, limit, "lint"))
    assert [id for page in found for id in page] == [id for _, id in sorted(expected, reverse=True)]


def test_a_member_that_moved_to_the_front_between_two_pages_brings_nothing_back(world: World) -> None:
    world.broken = True
    ids = [str(UUID(int=n)) for n in range(6)]
    world.raw.zadd(world.keys.fixed("dead"), {id: 10 + n for n, id in enumerate(ids)})
    last, _ = world.run(dead_letters.find(None, 0, 2))
    assert last == Entry(ids[4], 14)
    world.raw.zadd(world.keys.fixed("dead"), {ids[4]: 99})
    assert pages(world, lambda at: dead_letters.find(at or last, 0, 9)) == [ids[3::-1]]


@pytest.mark.parametrize("kind", ["workflows", "dead"])
def test_a_search_looks_at_so_many_in_one_script(real: World, kind: str) -> None:
    with real.raw.pipeline() as trip:
        for n in range(5000):
            id = str(UUID(int=n))
            trip.hset(real.keys.of("task", id), mapping={"st": "failed", TaskField.queue: "lint", "run": id})
            trip.hset(real.keys.of("run", id), mapping={"nm": "rare" if n in (3, 4000) else "often", "by": "ann"})
            trip.zadd(real.keys.fixed(kind), {id: 1000 + n // 10})
        trip.execute()
    real.broken = True
    asks: dict[str, Ask] = {
        "workflows": lambda at: workflows.find(at, 10, name="rare", status=WorkflowStatus.FAILED),
        "dead": lambda at: dead_letters.find(at, 0, 10, "test"),
    }
    at, found, sent = None, list[str](), list[int]()
    while at is not None or not sent:
        real.raw.config_resetstat()
        at, entries = real.run(asks[kind](at))
        found += [entry.id for entry in entries]
        sent.append(sum(int(each["calls"]) for each in real.raw.info("commandstats").values()))
    assert found == ([str(UUID(int=4000)), str(UUID(int=3))] if kind == "workflows" else [])
    assert (len(sent) >= 5, max(sent) < 2200) == (True, True)
