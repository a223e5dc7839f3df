"""Moments are stored in whole milliseconds, and nothing that waits for one happens before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from taskengine.store.codec import millis, moment

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(MOMENTS)
def test_a_stored_moment_is_never_before_the_given_one_and_less_than_a_millisecond_after(given: datetime) -> None:
    stored = moment(millis(given))
    assert stored is not None
    assert timedelta(0) <= stored - given < timedelta(milliseconds=1)


@given(MOMENTS.map(lambda given: given.replace(microsecond=given.microsecond // 1000 * 1000)))
def test_whole_milliseconds_are_stored_as_they_are(given: datetime) -> None:
    assert moment(millis(given)) == given


def test_no_moment_is_none() -> None:
    assert millis(None) is None
    assert moment(None) is moment("") is None
