"""A law that is said over many cases at once can fail, and then says of which."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from .cases import each


def law(one: int, two: int, tmp_path: Any) -> None:
    assert one < two


def test_every_case_is_tried_and_those_that_fail_are_listed() -> None:
    test = each(("one", "two"), [(1, 2), (4, 3), (5, 6), (8, 7)])(law)
    with pytest.raises(AssertionError, match="2 of 4 cases") as failed:
        test(tmp_path=None)
    assert "'one': 4, 'two': 3" in str(failed.value)
    assert "'one': 8" in str(failed.value)
    assert "'one': 5" not in str(failed.value)


def test_axes_are_multiplied_and_fixtures_are_still_asked_for() -> None:
    test = each("one", [1, 2])(each("two", [2, 3])(law))
    assert list(inspect.signature(test).parameters) == ["tmp_path"]
    with pytest.raises(AssertionError, match="1 of 2 cases"):
        test(tmp_path=None)


def test_what_is_expected_and_does_not_come_is_listed_too() -> None:
    def refused(one: int) -> None:
        with pytest.raises(ValueError):
            int(str(one))

    with pytest.raises(AssertionError, match="DID NOT RAISE"):
        each("one", [1])(refused)()


def test_no_case_and_a_wrong_name_are_mistakes() -> None:
    with pytest.raises(AssertionError, match="nothing"):
        each("one", [])
    with pytest.raises(AssertionError, match="does not take"):
        each("other", [1])(law)
