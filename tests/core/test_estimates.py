"""What a kind is, and what its runs come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskengine.core.estimates import blend, expected_seconds, kind_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("chunk 17 of 300", "lint chunk # of #"), ("2026-11-24", "lint #-#-#"), ("plain", "lint plain"),
        ("x" * 200 + "1", "lint " + "x" * 80),
    ],
)  # fmt: skip
def test_names_that_differ_in_digits_are_one_kind(name: str, kind: str) -> None:
    assert kind_of("lint", name) == kind


def test_kind_is_tried_before_its_queue() -> None:
    known = {"lint": 3.0, "lint a": 5.0}
    assert [expected_seconds(known, "lint", name) for name in ("a", "b")] == [5.0, 3.0]
    assert expected_seconds(known, "test", "a") is None


def test_first_run_is_the_estimate_and_later_ones_move_it() -> None:
    assert blend(None, 3, 7.0) == 7.0
    assert blend(10.0, 1, 20.0) == pytest.approx(12.0)
    assert blend(10.0, 1000, 20.0) == pytest.approx(20.0)


@given(st.floats(0, 1e6), st.integers(1, 50), st.floats(0, 1e6))
def test_estimate_lies_between_before_and_now(before: float, runs: int, mean: float) -> None:
    low, high = sorted((before, mean))
    assert low * 0.999999 <= blend(before, runs, mean) <= high * 1.000001


@given(st.integers(1, 20))
def test_runs_told_together_weigh_as_much_as_one_after_the_other(runs: int) -> None:
    one_by_one = 5.0
    for _ in range(runs):
        one_by_one = blend(one_by_one, 1, 9.0)
    assert blend(5.0, runs, 9.0) == pytest.approx(one_by_one)
