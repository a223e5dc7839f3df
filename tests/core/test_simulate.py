"""Laws of core/simulate, and the proof that rank keeps close to the bound where first come does not."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskengine.core import graph, simulate
from taskengine.errors import CircularDependencyError, InvalidInputError

from ..cases import each

Graph = dict[str, set[str]]


def scored(parents: Graph, seconds: dict[str, float], priority: int = 2) -> dict[str, int]:
    """The engine's own scores, all of one priority and without deadlines: rank alone decides."""
    return simulate.scores(parents, seconds, priorities=dict.fromkeys(parents, priority), deadlines={})


def ratio(parents: Graph, seconds: dict[str, float], slots: int, scores: dict[str, int] | None) -> float:
    key = None if scores is None else scores.__getitem__
    return simulate.makespan(parents, seconds, slots, key) / simulate.lower_bound(parents, seconds, slots)


def chain_behind_a_crowd(slots: int, links: int) -> tuple[Graph, dict[str, float]]:
    """Independent tasks for all slots but one come first, a chain as long as their work comes last."""
    crowd: Graph = {f"single{at}": set() for at in range((slots - 1) * links)}
    chain: Graph = {f"link{at}": {f"link{at - 1}"} if at else set() for at in range(links)}
    parents = crowd | chain
    return parents, dict.fromkeys(parents, 1.0)


def pipelines_of_rising_length(dice: random.Random, slots: int) -> tuple[Graph, dict[str, float]]:
    """Fan-outs with joins of uneven times, the two longest pipelines last, as a build of many packages."""
    parents: Graph = {}
    seconds: dict[str, float] = {}
    for number in range(4 * slots):
        stages = 2 if number < 4 * slots - 2 else 40
        before: set[str] = set()
        for stage in range(stages):
            width = 6 if stages == 2 else 1
            now = {f"p{number}s{stage}w{at}" for at in range(width)}
            for task in sorted(now):
                parents[task] = set(before)
                seconds[task] = round(dice.uniform(0.5, 1.5), 3)
            before = now
    return parents, seconds


@pytest.mark.parametrize("slots", [2, 4, 8, 16])
def test_rank_is_within_a_tenth_of_the_bound_where_first_come_needs_half_more(slots: int) -> None:
    parents, seconds = chain_behind_a_crowd(slots, links=60)
    assert ratio(parents, seconds, slots, None) >= 1.5
    assert ratio(parents, seconds, slots, scored(parents, seconds)) <= 1.1


@each("seed", range(5))
def test_rank_stays_near_the_bound_with_joins_and_uneven_times(seed: int) -> None:
    parents, seconds = pipelines_of_rising_length(random.Random(seed), slots=8)
    assert ratio(parents, seconds, 8, None) >= 1.5
    assert ratio(parents, seconds, 8, scored(parents, seconds)) <= 1.1


def test_rank_helps_even_where_times_are_only_guessed_as_equal() -> None:
    parents, seconds = pipelines_of_rising_length(random.Random(0), slots=8)
    guessed = scored(parents, dict.fromkeys(parents, 1.0))
    assert ratio(parents, seconds, 8, guessed) <= 1.1


# --- schedules


def test_free_slot_takes_the_smallest_key_that_waits_for_nothing() -> None:
    parents: Graph = {"a": set(), "b": set(), "c": {"a"}, "d": set()}
    seconds = {"a": 1.0, "b": 4.0, "c": 1.0, "d": 1.0}
    keys = {"a": 1, "b": 0, "c": 0, "d": 2}
    assert simulate.starts(parents, seconds, 2, keys.__getitem__) == {"b": 0, "a": 0, "c": 1, "d": 2}
    assert simulate.makespan(parents, seconds, 2, keys.__getitem__) == 4


def test_tasks_that_end_at_once_are_all_over_before_the_next_choice() -> None:
    parents: Graph = {"a": set(), "b": set(), "late": {"a"}, "urgent": {"b"}}
    keys = {"a": 0, "b": 0, "late": 2, "urgent": 1}
    began = simulate.starts(parents, dict.fromkeys(parents, 1.0), 2, keys.__getitem__)
    assert list(began) == ["a", "b", "urgent", "late"]


def test_without_a_key_first_come_is_first_served() -> None:
    parents: Graph = {"z": set(), "a": set(), "m": set()}
    assert simulate.starts(parents, dict.fromkeys(parents, 1.0), 1) == {"z": 0, "a": 1, "m": 2}


def test_tasks_of_no_time_take_no_time() -> None:
    parents: Graph = {str(at): {str(at - 1)} if at else set() for at in range(100)}
    assert simulate.makespan(parents, dict.fromkeys(parents, 0.0), 1) == 0


def test_nothing_to_do_takes_no_time() -> None:
    assert simulate.starts({}, {}, 1) == {}
    assert simulate.makespan({}, {}, 1) == 0
    assert simulate.lower_bound({}, {}, 1) == 0


def test_cycle_and_missing_slots_are_refused() -> None:
    with pytest.raises(CircularDependencyError):
        simulate.makespan({"a": {"b"}, "b": {"a"}, "c": set()}, dict.fromkeys("abc", 1.0), 2)
    with pytest.raises(InvalidInputError, match="slots is 0"):
        simulate.makespan({"a": set()}, {"a": 1.0}, 0)


@st.composite
def work(draw: st.DrawFn) -> tuple[Graph, dict[str, float], dict[str, int]]:
    """A graph, whole seconds (exact sums) and a key for each task."""
    names = [f"t{at}" for at in range(draw(st.integers(1, 12)))]
    parents = {
        name: draw(st.sets(st.sampled_from(names[:at]), max_size=3)) if at else set()
        for at, name in enumerate(names)
    }
    seconds = {name: float(draw(st.integers(0, 9))) for name in names}
    return parents, seconds, {name: draw(st.integers(0, 3)) for name in names}


@given(work(), st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_schedule_keeps_dependencies_slots_and_both_bounds(
    drawn: tuple[Graph, dict[str, float], dict[str, int]], slots: int
) -> None:
    parents, seconds, keys = drawn
    began = simulate.starts(parents, seconds, slots, keys.__getitem__)
    assert sorted(began) == sorted(parents)
    for task, wanted in parents.items():
        assert all(began[p] + seconds[p] <= began[task] for p in wanted)
        assert sum(began[o] <= began[task] < began[o] + seconds[o] for o in parents) <= slots
    length = simulate.makespan(parents, seconds, slots, keys.__getitem__)
    bound = simulate.lower_bound(parents, seconds, slots)
    assert bound <= length <= 2 * bound  # Graham 1966: list scheduling is never beyond 2 - 1/slots


@given(work())
@settings(max_examples=80, deadline=None)
def test_one_slot_starts_in_start_order(drawn: tuple[Graph, dict[str, float], dict[str, int]]) -> None:
    parents, seconds, keys = drawn
    assert list(simulate.starts(parents, seconds, 1, keys.__getitem__)) == simulate.start_order(parents, keys)


# --- start order by score


def test_start_order_follows_priority_then_deadline_then_longest_path_then_arrival() -> None:
    parents: Graph = {
        name: set() for name in ("plain", "twin", "first_of_two", "second", "dated", "sooner", "critical")
    }
    parents["second"] = {"first_of_two"}
    scores = simulate.scores(
        parents,
        dict.fromkeys(parents, 1.0),
        priorities=dict.fromkeys(parents, 2) | {"critical": 5},
        deadlines={"dated": 2000.0, "sooner": 1000.0},
    )
    assert simulate.start_order(parents, scores) == [
        "critical", "sooner", "dated", "first_of_two", "plain", "twin", "second",
    ]  # fmt: skip


def test_critical_task_does_not_start_before_what_it_depends_on() -> None:
    parents: Graph = {"critical": {"low"}, "low": set(), "normal": set()}
    scores = simulate.scores(
        parents,
        dict.fromkeys(parents, 1.0),
        priorities={"critical": 5, "low": 1, "normal": 2},
        deadlines={},
    )
    assert simulate.start_order(parents, scores) == ["normal", "low", "critical"]


@pytest.mark.slow
def test_chain_of_100_000_is_simulated_without_recursion() -> None:
    parents: Graph = {str(at): {str(at - 1)} if at else set() for at in range(100_000)}
    order = simulate.start_order(parents, scored(parents, dict.fromkeys(parents, 1.0)))
    assert all(int(one) + 1 == int(other) for one, other in pairwise(order))
    assert simulate.makespan(parents, dict.fromkeys(parents, 1.0), 8) == 100_000
    assert graph.critical_path(parents, dict.fromkeys(parents, 1.0)) == order
