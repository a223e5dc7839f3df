"""What a slot was told together: begun one after the other, given back where one lasts, reported once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event

import pytest

from taskengine.agent import REGISTRY, agent
from taskengine.errors import StoreUnavailableError
from taskengine.models import Outcome
from taskengine.store.executions import Report
from taskengine.store.replies import Assignment
from taskengine.testing import Engine
from workers.batch import LONG_SECONDS, Batch, BatchWatch, Finished
from workers.batch_hints import MOST, BatchHints


def told(n: int) -> Assignment:
    return Assignment(f"e{n}", f"t{n}", 1, 0, "r", "t", "{}", 0, "")


def ended(one: Assignment) -> Finished:
    report = Report(one.task_id, one.attempt, "completed", "lint")
    return Finished(one, "lint", "lint t", False, Outcome("completed"), None, report)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scene:
    clock: Clock = field(default_factory=Clock)
    all: list[Assignment] = field(default_factory=lambda: [told(n) for n in range(4)])
    batch: Batch = field(init=False)

    def __post_init__(self) -> None:
        self.batch = Batch(self.all, self.clock)

    def run(self, seconds: float) -> Assignment:
        one = self.batch.take()
        assert one is not None
        self.clock.now += seconds
        self.batch.end(ended(one))
        return one


def names(given: tuple[Sequence[Assignment], Sequence[Finished]]) -> tuple[list[str], list[str]]:
    return [one.task_id for one in given[0]], [one.assignment.task_id for one in given[1]]


def test_short_ones_are_begun_in_order_and_reported_together() -> None:
    scene = Scene()
    for one in scene.all:
        assert scene.run(0.001) is one
    assert scene.batch.take() is None
    assert names(scene.batch.close()) == ([], ["t0", "t1", "t2", "t3"])


def test_nothing_begins_behind_one_that_lasted() -> None:
    scene = Scene()
    scene.run(0.001)
    scene.run(LONG_SECONDS + 0.001)
    assert scene.batch.take() is None
    assert names(scene.batch.close()) == (["t2", "t3"], ["t0", "t1"])


def test_one_that_lasts_gives_the_others_away_at_once() -> None:
    scene = Scene()
    scene.run(0.001)
    scene.batch.take()
    assert names(scene.batch.stalled()) == ([], [])
    scene.clock.now += LONG_SECONDS + 0.001
    assert names(scene.batch.stalled()) == (["t2", "t3"], ["t0"])
    assert names(scene.batch.stalled()) == ([], [])
    assert scene.batch.take() is None
    scene.batch.end(ended(scene.all[1]))
    assert names(scene.batch.close()) == ([], ["t1"])


def test_a_watch_tells_of_a_batch_that_stalls_once() -> None:
    batch, heard, again = Batch([told(0), told(1)]), Event(), []

    def tell(left: Sequence[Assignment], over: Sequence[Finished]) -> None:
        again.append(names((left, over)))
        heard.set()

    with BatchWatch().over(batch, tell):
        batch.take()
        assert heard.wait(10)
    assert again == [(["t1"], [])]


def test_a_watch_outlives_a_server_that_does_not_answer() -> None:
    watch, heard = BatchWatch(), Event()

    def away(left: Sequence[Assignment], over: Sequence[Finished]) -> None:
        heard.set()
        raise StoreUnavailableError("away")

    for _ in range(2):
        heard.clear()
        batch = Batch([told(0), told(1)])
        with watch.over(batch, away):
            batch.take()
            assert heard.wait(10)


@pytest.mark.parametrize(("seconds", "most"), [(0.0001, MOST), (0.0025, MOST), (0.0026, 1), (1.0, 1)])
def test_kinds_of_which_two_fit_go_together(seconds: float, most: int) -> None:
    batch_hints = BatchHints(0.005)
    batch_hints.note("lint t", seconds)
    hint = batch_hints.of("lint t")
    assert (hint.kind, hint.each_us, hint.most) == ("lint t", round(seconds * 1e6), most)


def test_an_unknown_kind_goes_alone_and_so_does_one_that_turned_long() -> None:
    batch_hints = BatchHints(0.005)
    assert batch_hints.of("lint t").most == 1
    for _ in range(10):
        batch_hints.note("lint t", 0.0001)
    assert batch_hints.of("lint t").most == MOST
    batch_hints.note("lint t", 0.1)
    assert batch_hints.of("lint t").most == 1


def test_nothing_goes_together_without_a_budget() -> None:
    batch_hints = BatchHints(0.0)
    batch_hints.note("lint t", 0.0)
    assert batch_hints.of("lint t").most == 1


def test_coroutines_and_agents_that_say_so_go_alone() -> None:
    with Engine():

        @agent(batch=False)
        def alone(task: object, context: object) -> None: ...

        @agent
        async def waits(task: object, context: object) -> None: ...

        @agent
        def quick(task: object, context: object) -> None: ...

        found = [REGISTRY.get(name) for name in ("alone", "waits", "quick")]
        assert [one and one.goes_alone for one in found] == [True, True, False]
