"""What follows from an object that never changes is worked out once, and no longer kept than the object."""

from __future__ import annotations

import gc

import pytest

from taskengine.core.once import once_each


class Thing:
    """Something that can be asked about."""


def test_each_object_is_asked_once_whatever_equals_it() -> None:
    asked: list[Thing] = []
    of = once_each(lambda thing: asked.append(thing) or len(asked))
    one, other = Thing(), Thing()
    assert [of(one), of(other), of(one), of(other)] == [1, 2, 1, 2]
    assert asked == [one, other]


def test_an_object_that_is_gone_leaves_nothing_behind_for_the_next_at_its_place() -> None:
    of = once_each(lambda thing: thing.__dict__["name"])
    for name in range(1000):
        thing = Thing()
        thing.__dict__["name"] = name
        assert of(thing) == name
        del thing
    gc.collect()
    assert of.__closure__ is not None
    known = next(cell.cell_contents for cell in of.__closure__ if isinstance(cell.cell_contents, dict))
    assert known == {}


def test_what_raised_is_asked_again() -> None:
    times: list[int] = []

    def work_out(_: Thing) -> int:
        times.append(1)
        if len(times) == 1:
            raise ValueError("not yet")
        return len(times)

    of, thing = once_each(work_out), Thing()
    with pytest.raises(ValueError, match="not yet"):
        of(thing)
    assert of(thing) == 2
