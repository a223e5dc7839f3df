"""Laws of core/order: a score sorts like (class, deadline, longest path) and survives a double."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskengine.core.order import (
    MAX_RANK,
    NO_DEADLINE,
    Place,
    member,
    queue_priority,
    rank,
    score,
    task_of,
    unpack,
)
from taskengine.errors import InvalidInputError
from taskengine.models import TaskPriority

from ..cases import each

priorities = st.integers(1, 5)
deadlines = st.none() | st.integers(0, NO_DEADLINE - 1) | st.integers(-(10**12), 10**12)
paths = st.integers(0, 2**34) | st.floats(0, 1e12) | st.integers(0, 5000)
places = st.tuples(priorities, deadlines, paths)


def parts(priority: int, deadline: int | None, path_ms: float) -> tuple[int, int, int]:
    """The law in its plain form: what is compared, one after the other."""
    clamped = NO_DEADLINE if deadline is None else min(max(deadline, 0), NO_DEADLINE - 1)
    return 5 - priority, clamped, -rank(path_ms)


def test_score_is_the_sum_of_its_three_parts() -> None:
    assert score(5, 0, 2**33) == 0
    assert score(3, 1_700_000_000, 1000) == 2 * 2**50 + 1_700_000_000 * 2**18 + (2**18 - 1 - rank(1000))
    assert score(1, None, 0) == 4 * 2**50 + (2**32 - 1) * 2**18 + 2**18 - 1


@given(places, places)
@settings(max_examples=200, deadline=None)
def test_scores_sort_like_class_then_deadline_then_longest_path(
    one: tuple[int, int | None, float], other: tuple[int, int | None, float]
) -> None:
    assert (score(*one) < score(*other)) == (parts(*one) < parts(*other))
    assert (score(*one) == score(*other)) == (parts(*one) == parts(*other))


@given(places)
@settings(max_examples=200, deadline=None)
def test_score_is_exact_as_a_double_and_in_redis_text(place: tuple[int, int | None, float]) -> None:
    value = score(*place)
    assert 0 <= value < 2**53
    assert int(float(value)) == value
    assert int(float(f"{float(value):.17g}")) == value


@given(places)
@settings(max_examples=200, deadline=None)
def test_unpack_gives_back_what_was_packed(place: tuple[int, int | None, float]) -> None:
    priority_class, deadline, minus_rank = parts(*place)
    expected = Place(priority_class, None if deadline == NO_DEADLINE else deadline, -minus_rank)
    assert unpack(score(*place)) == expected
    assert unpack(float(score(*place))) == expected


def test_neighbouring_scores_of_the_lowest_class_stay_apart_as_doubles() -> None:
    highest = score(1, None, 0)
    assert float(highest) != float(highest - 1)
    assert float(2**53 - 1) != float(2**53 - 2)


def test_any_deadline_goes_before_none_and_any_priority_before_any_deadline() -> None:
    assert score(2, NO_DEADLINE + 10**9, 0) < score(2, None, 10**12)
    assert score(3, None, 0) < score(2, 0, 10**12)


def test_deadline_outside_of_32_bits_is_clamped_and_cut_to_whole_seconds() -> None:
    assert unpack(score(2, -5, 0)).deadline_seconds == 0
    assert unpack(score(2, 2**40, 0)).deadline_seconds == NO_DEADLINE - 1
    assert unpack(score(2, math.inf, 0)).deadline_seconds == NO_DEADLINE - 1
    assert unpack(score(2, 1_700_000_000.9, 0)).deadline_seconds == 1_700_000_000
    in_2100 = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
    assert unpack(score(2, in_2100, 0)).deadline_seconds == in_2100


@each(
    ("path_ms", "expected"),
    [
        (0, 0),
        (-1, 0),
        (1, 8191),
        (3, 2 * 8191),
        (1000, 81641),  # log2(1001) = 9.9672…
        (2**32 - 1, 8191 * 32),
        (2**33, MAX_RANK),
        (10**400, MAX_RANK),
        (math.inf, MAX_RANK),
    ],
)
def test_rank_is_the_floor_of_8191_log2_up_to_18_bits(path_ms: float, expected: int) -> None:
    assert rank(path_ms) == expected


@given(st.integers(0, 2**32 - 2))
@settings(max_examples=200, deadline=None)
def test_rank_never_falls_as_a_path_grows(path_ms: int) -> None:
    assert 0 <= rank(path_ms) <= rank(path_ms + 1) <= MAX_RANK
    assert rank(path_ms) == min(MAX_RANK, math.floor(8191 * math.log2(1 + path_ms)))


@given(st.integers(100, 2**31))
@settings(max_examples=50, deadline=None)
def test_path_longer_by_one_percent_ranks_higher(path_ms: int) -> None:
    assert rank(path_ms * 1.01) > rank(path_ms)


def test_queue_priority_is_0_for_critical_to_4_for_low() -> None:
    assert [queue_priority(priority) for priority in sorted(TaskPriority)] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("priority", [0, 6, -1])
def test_priority_outside_1_to_5_is_refused_by_name(priority: int) -> None:
    with pytest.raises(InvalidInputError, match=r"priority is .*1 \(LOW\) to 5 \(CRITICAL\)") as caught:
        score(priority, None, 0)
    assert caught.value.field == "priority"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**12 - 1), st.uuids().map(str)), min_size=2))
def test_members_sort_by_arrival_then_id(arrivals: list[tuple[int, str]]) -> None:
    by_member = sorted(arrivals, key=lambda pair: member(*pair).encode())
    assert by_member == sorted(arrivals)


@given(st.integers(0, 10**12 - 1), st.uuids().map(str))
@settings(max_examples=50, deadline=None)
def test_member_holds_its_task(arrival: int, id: str) -> None:
    assert task_of(member(arrival, id)) == id
    assert member(arrival, id)[:12] == str(arrival).zfill(12)


@pytest.mark.parametrize("arrival", [10**12, -1])
def test_arrival_that_would_break_the_order_is_refused(arrival: int) -> None:
    with pytest.raises(InvalidInputError, match="task abc: arrival number"):
        member(arrival, "abc")
