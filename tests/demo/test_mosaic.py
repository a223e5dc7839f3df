"""A graph of any size that only waits."""

from __future__ import annotations

from collections import Counter

import pytest

from taskengine.demo.mosaic import LEAST, mosaic, work


@pytest.mark.parametrize("size", [LEAST, LEAST + 1, 99, 1000, 20_000])
def test_it_has_as_many_tasks_as_were_asked_for(size):
    names = [node["name"] for node in mosaic(size)]
    assert len(names) == len(set(names)) == size


def test_no_more_than_a_picture_of_each_colour_is_missing():
    previews = [node["name"] for node in mosaic(20_000) if node["name"].startswith("preview")]
    assert len(previews) < 24


def test_each_task_stands_behind_all_that_it_depends_on():
    seen = set()
    for node in mosaic(777):
        assert seen.issuperset(node["depends_on"]), node["name"]
        seen.add(node["name"])


def test_every_picture_reaches_the_last_task_through_all_steps():
    nodes = mosaic(500)
    kinds = Counter(node["name"].split()[0] for node in nodes)
    assert kinds["project"] == kinds["background"]
    assert kinds["model"] == kinds["add"] == 3
    assert kinds["colour"] == 1
    needed_by_somebody = {name for node in nodes for name in node["depends_on"]}
    last = {node["name"].split()[0] for node in nodes if node["name"] not in needed_by_somebody}
    assert last <= {"preview", "colour"}


def test_pictures_overlap_with_their_neighbours_alone():
    pairs = [node["depends_on"] for node in mosaic(500) if node["name"].startswith("diff red")]
    assert all(first != second for first, second in pairs)
    assert max(Counter(name for pair in pairs for name in pair).values()) <= 6


def test_equal_sizes_are_equal_graphs():
    assert mosaic(321) == mosaic(321)


def test_a_task_of_it_does_nothing_but_wait():
    assert work({"milliseconds": 1}) == {"done": True}
