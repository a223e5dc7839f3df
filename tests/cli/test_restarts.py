"""How long a part of the stack that ended by itself is waited for."""

from __future__ import annotations

from typing import Any, cast

from taskengine.cli.child import Child
from taskengine.cli.restarts import LONGEST_SECONDS, Restarts


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


WORKER, OTHER = (cast(Child, Child(name, cast(Any, None))) for name in ("worker", "other"))


def test_delays_double_up_to_a_minute_and_begin_anew_after_a_good_minute() -> None:
    time = Time()
    restarts = Restarts(time)
    delays = []
    for lived in [0.0] * 8 + [LONGEST_SECONDS]:
        time.now += lived
        delays.append(restarts.note_end(WORKER))
        time.now += delays[-1]
        assert restarts.take_due([WORKER]) == [WORKER]
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 1]


def test_each_part_is_waited_for_by_itself_and_started_once() -> None:
    time = Time()
    restarts = Restarts(time)
    assert restarts.note_end(WORKER) == restarts.note_end(OTHER) == 1
    assert restarts.knows(WORKER)
    assert restarts.take_due([WORKER, OTHER]) == []
    time.now += 1
    assert restarts.take_due([WORKER, OTHER]) == [WORKER, OTHER]
    assert restarts.take_due([WORKER, OTHER]) == []
    assert not restarts.knows(WORKER)
