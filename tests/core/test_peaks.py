"""What runs used beside what they reserve: true of the runs that it names, and told only of what was measured."""

from __future__ import annotations

import pytest

from taskengine.core.peaks import Peak, compared, peak_from


def test_the_peak_of_two_is_the_most_of_both_in_all_of_their_runs() -> None:
    assert Peak(3, 1.5, 0.5).and_then(Peak(2, 1.0, 0.9)) == Peak(5, 1.5, 0.9)


def test_behind_many_runs_it_is_looked_for_anew() -> None:
    assert Peak(100, 9.0, 4.0).and_then(Peak(1, 1.0, 0.1)) == Peak(1, 1.0, 0.1)


def test_it_is_read_as_it_was_kept_and_nobody_has_one_without_a_run() -> None:
    peak = Peak(50, 1.9, 0.25)
    assert peak_from(peak.as_estimates("lint chunk #"), "lint chunk #") == peak
    assert peak_from(peak.as_estimates("lint chunk #"), "lint") is None


@pytest.mark.parametrize(
    ("demand", "text"),
    [
        ({"memory_gb": 8000}, "it reserves 8 memory_gb, and used at most 1.9 in 50 runs"),
        (
            {"memory_gb": 8000, "cpu_cores": 500, "gpu": 1000},
            "it reserves 0.5 cpu_cores, and used at most 0.25; 8 memory_gb, and used at most 1.9 in 50 runs",
        ),
        ({"gpu": 1000}, ""), ({}, ""),
    ],
)  # fmt: skip
def test_what_is_reserved_is_told_beside_what_was_used(demand: dict[str, int], text: str) -> None:
    assert compared(demand, Peak(50, 1.9, 0.25)) == text
    assert compared(demand, None) == ""
